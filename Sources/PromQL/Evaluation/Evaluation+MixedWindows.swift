import Streams

/// The windows of one step over a series with histograms.
struct MixedWindow {
    var all: SampleWindow
    var floats: SampleWindow?
    var histograms: SampleWindow?
}

extension Evaluation {
    /// A window function over a series that has histograms, or whose start timestamps count, at every step.
    mutating func mixedColumn(
        _ plan: WindowPlan, _ input: WindowInput, _ row: Int, _ parameters: [[Double]], _ grid: StepGrid
    ) throws(EvaluationError) -> [Double] {
        let usesStarts = settings.usesStartTimestamps && plan.function.usesStarts
        let series = MixedSeries(input.block, row, usesStarts: usesStarts)
        var all = SlidingWindows(range: plan.range, input: input, grid: grid)
        var floats = all
        var histograms = all
        all.begin(series.all.times.indices, series.all.values.span, nil)
        floats.begin(series.floats.times.indices, series.floats.values.span, plan.function, series.floats)
        histograms.begin(series.histograms.times.indices, series.histograms.values.span, nil)
        var column = [Double](repeating: Absent.value, count: grid.count)
        for step in 0..<grid.count {
            guard let window = all.advance(to: step, series.all.times.span) else { continue }
            try checkpoint(rows: 1 + window.samples.count * pool.meanWeight / 16)
            let windows = MixedWindow(
                all: window, floats: floats.advance(to: step, series.floats.times.span),
                histograms: histograms.advance(to: step, series.histograms.times.span))
            if plan.function == .doubleExponentialSmoothing || (plan.function == .quantile && windows.floats != nil) {
                try check(plan.function, parameters, step, plan.place)
            }
            let first = parameters.isEmpty ? 0 : parameters[0][step]
            let second = parameters.count < 2 ? 0 : parameters[1][step]
            column[step] = mixedValue(plan, series, windows) { function, window in
                floats.evaluate(
                    function, window, series.floats.times.span, series.floats.values.span, first, second)
            }
        }
        return column
    }

    /// - Parameter ofFloats: the function's result over a window of floats alone.
    private mutating func mixedValue(
        _ plan: WindowPlan, _ series: MixedSeries, _ windows: MixedWindow,
        ofFloats: (WindowFunction, SampleWindow) -> Double
    ) -> Double {
        let samples = windows.all.samples
        switch plan.function {
        case .count: return Double(samples.count)
        case .present, .absent: return 1
        case .first: return series.all.values[samples.lowerBound]
        case .last: return series.all.values[samples.upperBound - 1]
        case .timeOfFirst: return Double(series.all.times[samples.lowerBound]) / 1000
        case .timeOfLast: return Double(series.all.times[samples.upperBound - 1]) / 1000
        case .resets, .changes: return countDifferences(plan, series, windows.all)
        case .irate, .idelta: return instantRate(plan, series, windows.all)
        case .min, .max, .stddev, .stdvar, .quantile, .mad, .timeOfMax, .timeOfMin, .deriv, .predictLinear,
            .doubleExponentialSmoothing:
            guard let floats = windows.floats else { return Absent.value }
            if windows.histograms != nil {
                annotations.add(.ignoredHistograms(inRangeOf: series.name, at: plan.place))
            }
            return ofFloats(plan.function, floats)
        case .avg, .sum, .rate, .increase, .delta: break
        }
        // The rest takes floats or histograms, not both.
        guard let histograms = windows.histograms else {
            guard let floats = windows.floats else { return Absent.value }
            if plan.function.usesStarts, !series.floats.starts.isEmpty {
                return startedRate(plan, series, floats, ofFloats)
            }
            return ofFloats(plan.function, floats)
        }
        if windows.floats != nil {
            annotations.add(.mixedRange(of: series.name, at: plan.place))
            return Absent.value
        }
        if plan.function == .avg || plan.function == .sum { return accumulated(plan, series, histograms) }
        let result =
            selectorExtent(plan) == .samples
            ? histogramRate(plan, series, histograms) : borderedHistogramRate(plan, series, histograms)
        return result.map { pool.cell(of: $0) } ?? Absent.value
    }

    func selectorExtent(_ plan: WindowPlan) -> SelectorExtent {
        if case .selector(let number) = plan.source { return selectors[number].extent }
        return .samples
    }

    /// The histograms of a window.
    func points(_ series: MixedSeries, _ window: SampleWindow) -> [NativeHistogram] {
        series.histograms.values[window.samples].map { pool[$0] }
    }

    private mutating func accumulated(
        _ plan: WindowPlan, _ series: MixedSeries, _ window: SampleWindow
    ) -> Double {
        let points = points(series, window)
        var sum = HistogramAccumulator(points[0], isMean: plan.function == .avg)
        var conflicts: HistogramConflicts = []
        do throws(IncompatibleBuckets) {
            for point in points.dropFirst() { conflicts.formUnion(try sum.add(point)) }
        } catch {
            annotations.add(.mixedSchemas(of: series.name, at: plan.place))
            return Absent.value
        }
        if sum.hintsCollide { annotations.add(.counterResetCollision(during: .aggregation, at: plan.place)) }
        if conflicts.contains(.customBounds) {
            annotations.add(.reconciledBounds(during: .aggregation, at: plan.place))
        }
        return pool.cell(of: sum.result)
    }

    /// `resets` and `changes`: a float beside a histogram is a difference.
    private func countDifferences(_ plan: WindowPlan, _ series: MixedSeries, _ window: SampleWindow) -> Double {
        let columns = series.all
        var samples = window.samples
        if selectorExtent(plan) != .samples {
            // From the last sample at or before the start on, if one comes after it.
            guard let inside = samples.firstIndex(where: { columns.times[$0] > window.start }) else {
                return Absent.value
            }
            samples = max(inside - 1, samples.lowerBound)..<samples.upperBound
        }
        var count = 0
        for index in samples.dropFirst() {
            let (previous, value) = (columns.values[index - 1], columns.values[index])
            let isDifferent: Bool
            if value.isHistogram != previous.isHistogram {
                isDifferent = true
            } else if plan.function == .changes {
                isDifferent =
                    value.isHistogram
                    ? !pool[value].hasSameData(as: pool[previous])
                    : value != previous && !(value.isNaN && previous.isNaN)
            } else {
                isDifferent =
                    columns.isStartReset(at: index)
                    || (value.isHistogram ? pool[value].isReset(after: pool[previous]) : value < previous)
            }
            if isDifferent { count += 1 }
        }
        return Double(count)
    }
}
