import Streams

extension Evaluation {
    /// `rate` and `increase` of floats whose counts are known to have begun at some time.
    mutating func startedRate(
        _ plan: WindowPlan, _ series: MixedSeries, _ window: SampleWindow,
        _ ofFloats: (WindowFunction, SampleWindow) -> Double
    ) -> Double {
        guard selectorExtent(plan) == .samples else { return ofFloats(plan.function, window) }
        if series.floats.hasOverlap(window) { annotations.add(.overlappingStart(series.name, at: plan.place)) }
        guard let start = series.floats.start(of: window) else { return ofFloats(plan.function, window) }
        let (times, values) = (series.floats.times, series.floats.values)
        let (first, last) = (window.samples.lowerBound, window.samples.upperBound - 1)
        var change = values[last]
        for index in window.samples.dropFirst()
        where values[index] < values[index - 1] || series.floats.isStartReset(at: index) {
            change += values[index - 1]
        }
        let rate = Rate(isCounter: true, isPerSecond: plan.function == .rate)
        var extrapolation = Extrapolation()
        return change
            * extrapolation.factor(
                rate, window, first: times[first], last: times[last], intervals: last - first, start: start,
                value: values[first], change: change)
    }

    /// `rate`, `increase` and `delta` of histograms.
    mutating func histogramRate(
        _ plan: WindowPlan, _ series: MixedSeries, _ window: SampleWindow
    ) -> NativeHistogram? {
        let points = points(series, window)
        let rate = Rate(isCounter: plan.function != .delta, isPerSecond: plan.function == .rate)
        var notes = WindowNotes(metric: series.name, place: plan.place)
        defer { notes.notes.forEach { annotations.add($0) } }
        var change: NativeHistogram?
        if points.count > 1 {
            change = Self.change(points, series, window, isCounter: rate.isCounter, &notes)
            if change == nil { return nil }
        }
        let start = rate.isCounter ? series.histograms.start(of: window) : nil
        if start != nil {
            change = change.map { notes.sum($0, points[0]) } ?? points[0]
        }
        guard let change else { return nil }
        let times = series.histograms.times[window.samples]
        var extrapolation = Extrapolation()
        return change.multiplied(
            by: extrapolation.factor(
                rate, window, first: times[times.startIndex], last: times[times.endIndex - 1],
                intervals: points.count - 1, start: start, value: points[0].count, change: change.count))
    }

    /// From the first to the last of at least two histograms, with what was lost in resets added.
    private static func change(
        _ points: [NativeHistogram], _ series: MixedSeries, _ window: SampleWindow, isCounter: Bool,
        _ notes: inout WindowNotes
    ) -> NativeHistogram? {
        let last = points[points.count - 1]
        let base = window.samples.lowerBound
        func isReset(_ index: Int, after previous: NativeHistogram) -> Bool {
            series.histograms.isStartReset(at: base + index) || points[index].isReset(after: previous)
        }
        var first = points[0]
        if isCounter, first.counterResetHint == .gauge || last.counterResetHint == .gauge { notes.addNotCounter() }
        if isCounter, isReset(1, after: first) {
            // What was before the reset is not looked at, so its buckets need not go with the others.
            first = NativeHistogram(schema: points[1].schema, customBounds: points[1].customBounds)
        }
        guard last.usesCustomBuckets == first.usesCustomBuckets else {
            notes.addMixedSchemas()
            return nil
        }
        var schema = min(first.schema, last.schema)
        for point in points.dropFirst().dropLast() where isCounter {
            if point.counterResetHint == .gauge { notes.addNotCounter() }
            schema = min(schema, point.schema)
            guard point.usesCustomBuckets == last.usesCustomBuckets else {
                notes.failMixedSchemas()
                return nil
            }
        }
        guard var change = notes.difference(last.coarsened(to: schema), first) else { return nil }
        if isCounter {
            if series.histograms.hasOverlap(window) { notes.addOverlap() }
            var previous = first
            for index in points.indices.dropFirst() {
                if isReset(index, after: previous) {
                    guard let sum = notes.sum(change, previous) else { return nil }
                    change = sum
                }
                previous = points[index]
            }
        } else if points[0].counterResetHint != .gauge || last.counterResetHint != .gauge {
            notes.addNotGauge()
        }
        return change.hinted(.gauge).compacted()
    }

    /// `irate` and `idelta` where samples may be histograms.
    mutating func instantRate(_ plan: WindowPlan, _ series: MixedSeries, _ window: SampleWindow) -> Double {
        if window.samples.count < 2 { return Absent.value }
        let isCounter = plan.function == .irate
        let last = window.samples.upperBound - 1
        let (previous, value) = (series.all.values[last - 1], series.all.values[last])
        guard value.isHistogram == previous.isHistogram else {
            annotations.add(.mixedRange(of: series.name, at: plan.place))
            return Absent.value
        }
        let isStartReset = isCounter && series.all.isStartReset(at: last)
        if !value.isHistogram {
            return Rate.instant(
                window.samples, series.all.times.span, series.all.values.span, isCounter: isCounter,
                wasReset: isCounter && (value < previous || isStartReset))
        }
        var notes = WindowNotes(metric: series.name, place: plan.place)
        defer { notes.notes.forEach { annotations.add($0) } }
        var (result, before) = (pool[value], pool[previous])
        let areGauges = [result, before].map { $0.counterResetHint == .gauge }
        if isCounter, areGauges.contains(true) { notes.addNotCounter() }
        if !isCounter, areGauges.contains(false) { notes.addNotGauge() }
        if !isCounter || !(isStartReset || result.isReset(after: before)) {
            guard let difference = notes.difference(result, before) else { return Absent.value }
            result = difference
        }
        before = result.hinted(.gauge).compacted()
        let seconds = Double(series.all.times[last] - series.all.times[last - 1]) / 1000
        return pool.cell(of: isCounter ? before.divided(by: seconds) : before)
    }
}

/// What is told of one window of histograms.
struct WindowNotes {
    let metric: String
    let place: Place
    private(set) var notes: [Annotation] = []

    init(metric: String, place: Place) {
        self.metric = metric
        self.place = place
    }

    mutating func addNotCounter() { notes.append(.notCounter(metric, at: place)) }
    mutating func addNotGauge() { notes.append(.notGauge(metric, at: place)) }
    mutating func addMixedSchemas() { notes.append(.mixedSchemas(of: metric, at: place)) }
    mutating func addOverlap() { notes.append(.overlappingStart(metric, at: place)) }

    /// The mix is all there is to tell.
    mutating func failMixedSchemas() { notes = [.mixedSchemas(of: metric, at: place)] }

    /// Nil, and noted, where the two don't go together.
    mutating func sum(_ left: NativeHistogram, _ right: NativeHistogram) -> NativeHistogram? {
        combined(left, right, 1, .addition)
    }

    mutating func difference(_ left: NativeHistogram, _ right: NativeHistogram) -> NativeHistogram? {
        combined(left, right, -1, .subtraction)
    }

    private mutating func combined(
        _ left: NativeHistogram, _ right: NativeHistogram, _ factor: Double, _ operation: HistogramOperation
    ) -> NativeHistogram? {
        do throws(IncompatibleBuckets) {
            // Hints that contradict each other are no matter: resets are looked for.
            let (result, conflicts) = try left.adding(right, times: factor)
            if conflicts.contains(.customBounds) { notes.append(.reconciledBounds(during: operation, at: place)) }
            return result
        } catch {
            addMixedSchemas()
            return nil
        }
    }
}
