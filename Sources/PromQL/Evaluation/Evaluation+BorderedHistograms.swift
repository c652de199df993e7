import Streams

/// Histograms under `anchored` and `smoothed`.
extension Evaluation {
    /// `rate`, `increase` and `delta` between the borders of a window whose samples reach beyond it.
    mutating func borderedHistogramRate(
        _ plan: WindowPlan, _ series: MixedSeries, _ window: SampleWindow
    ) -> NativeHistogram? {
        let isCounter = plan.function != .delta
        var notes = WindowNotes(metric: series.name, place: plan.place)
        defer { notes.notes.forEach { annotations.add($0) } }
        let isSmoothed = selectorExtent(plan) == .smoothed
        let times = series.histograms.times
        guard let borders = WindowBorders(window, times.span, isSmoothed: isSmoothed) else { return nil }
        // From the sample for the left border to the one for the right.
        let places = borders.first..<(borders.last + 1)
        let points = places.map { pool[series.histograms.values[$0]] }
        for point in points {
            guard point.usesCustomBuckets == points[0].usesCustomBuckets else {
                notes.addMixedSchemas()
                return nil
            }
            if isCounter, point.counterResetHint == .gauge { notes.addNotCounter() }
        }
        let run = BorderedPoints(points: points, times: Array(times[places]), isCounter: isCounter)
        var left = points[0]
        let beginsBefore = isSmoothed && run.times[0] < window.start
        if beginsBefore {
            // The sample after the left one may lie beyond the right border's.
            let next = min(borders.first + 1, times.count - 1)
            guard
                let value = notes.interpolated(
                    (left, run.times[0]), (pool[series.histograms.values[next]], times[next]), at: window.start,
                    isCounter: isCounter)
            else { return nil }
            left = value
        }
        var right = points[points.count - 1]
        if isSmoothed, borders.last > window.samples.lowerBound, times[borders.last] > window.end {
            let before = pool[series.histograms.values[borders.last - 1]]
            guard
                let value = notes.interpolated(
                    (before, times[borders.last - 1]), (right, times[borders.last]), at: window.end,
                    isCounter: isCounter)
            else { return nil }
            right = value
        }
        if !isCounter, left.counterResetHint != .gauge || right.counterResetHint != .gauge { notes.addNotGauge() }
        guard var change = notes.difference(right, left) else { return nil }
        if isCounter {
            guard let lost = run.lostInResets(left, right, beginsBefore: beginsBefore, &notes) else { return nil }
            if let total = lost.total {
                guard let sum = notes.sum(change, total) else { return nil }
                change = sum
            }
        }
        if plan.function == .rate { change = change.divided(by: window.seconds) }
        return change.hinted(.gauge).compacted()
    }

    /// A smoothed instant selector where samples are histograms: on the line between the ones around, else the last one.
    mutating func smoothedHistogram(
        _ block: SeriesBlock, _ row: Int, at reference: Int64, _ place: Place
    ) -> Double? {
        let times = block.timestamps
        let around = (block.bounds[row]..<block.bounds[row + 1]).filter {
            times[$0] > reference &- lookback && times[$0] <= reference &+ lookback
        }
        guard let first = around.first, let last = around.last else { return nil }
        let name = block.labels[row].name ?? ""
        let kinds = Set(around.map { block.values[$0].isHistogram })
        if kinds.count > 1 {
            annotations.add(.mixedRange(of: name, at: place))
            return nil
        }
        let next = around.first { times[$0] >= reference } ?? last + 1
        if kinds == [false] { return smoothedFloat(block, first..<(last + 1), next, at: reference) }
        if next <= last, times[next] == reference { return block.values[next] }
        if next == first { return nil }
        let before = pool[block.values[next - 1]]
        // A hint tells of the sample and the one before it, so it does not hold later.
        if next > last { return pool.cell(of: before.hinted(.unknown)) }
        let after = pool[block.values[next]]
        var notes = WindowNotes(metric: name, place: place)
        defer { notes.notes.forEach { annotations.add($0) } }
        if before.usesCustomBuckets != after.usesCustomBuckets {
            notes.addMixedSchemas()
            return nil
        }
        let isCounter = before.counterResetHint != .gauge || after.counterResetHint != .gauge
        return notes.interpolated(
            (before, times[next - 1]), (after, times[next]), at: reference, isCounter: isCounter
        ).map { pool.cell(of: $0) }
    }

    /// Without what hints say of resets: a subquery does not give every sample, and some more than once.
    mutating func forgettingResets(_ table: SeriesTable) throws(EvaluationError) -> SeriesTable {
        guard holdsHistograms(table) else { return table }
        var table = table
        try table.transform(patience) { _, _, value in
            guard value.isHistogram else { return value }
            let hint = pool[value].counterResetHint
            return hint == .reset || hint == .notReset ? pool.cell(of: pool[value].hinted(.unknown)) : value
        }
        return table
    }
}

/// The samples that a bordered window is about.
private struct BorderedPoints {
    let points: [NativeHistogram]
    let times: [Int64]
    let isCounter: Bool

    struct Loss {
        /// Nil: no reset.
        var total: NativeHistogram?
    }

    /// What resets between the borders took away; nil where histograms don't go together.
    func lostInResets(
        _ left: NativeHistogram, _ right: NativeHistogram, beginsBefore: Bool, _ notes: inout WindowNotes
    ) -> Loss? {
        var inner = points.dropFirst().dropLast()
        var previous = left
        if beginsBefore, points.count > 1, points[1].isReset(after: points[0]) {
            // The left border's value has that reset in it already.
            if points.count == 2 { return Loss() }
            previous = points[1]
            inner = inner.dropFirst()
        }
        if points.count < 2 { return Loss() }
        var loss = Loss()
        for point in inner + [right] {
            if point.isReset(after: previous) {
                guard let total = loss.total else {
                    loss.total = previous
                    previous = point
                    continue
                }
                guard let sum = notes.sum(total, previous) else { return nil }
                loss.total = sum
            }
            previous = point
        }
        return loss
    }
}

extension WindowNotes {
    /// The value on the line between two samples; a counter that was reset began at zero again. Nil, and noted, where the
    /// two don't go together.
    mutating func interpolated(
        _ before: (value: NativeHistogram, time: Int64), _ after: (value: NativeHistogram, time: Int64), at time: Int64,
        isCounter: Bool
    ) -> NativeHistogram? {
        if time == before.time { return before.value }
        if time == after.time { return after.value }
        let share = Double(time - before.time) / Double(after.time - before.time)
        if isCounter, after.value.isReset(after: before.value) { return after.value.multiplied(by: share) }
        guard let change = difference(after.value, before.value) else { return nil }
        return sum(change.multiplied(by: share), before.value)
    }
}
