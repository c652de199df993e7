/// Functions over the samples of one series in a window, to one float.
enum WindowFunction: String, Sendable, CaseIterable {
    case rate, increase, delta, irate, idelta, resets, changes, deriv
    case predictLinear = "predict_linear"
    case doubleExponentialSmoothing = "double_exponential_smoothing"
    case avg = "avg_over_time"
    case sum = "sum_over_time"
    case min = "min_over_time"
    case max = "max_over_time"
    case count = "count_over_time"
    case first = "first_over_time"
    case last = "last_over_time"
    case stddev = "stddev_over_time"
    case stdvar = "stdvar_over_time"
    case quantile = "quantile_over_time"
    case mad = "mad_over_time"
    case present = "present_over_time"
    case absent = "absent_over_time"
    case timeOfFirst = "ts_of_first_over_time"
    case timeOfLast = "ts_of_last_over_time"
    case timeOfMax = "ts_of_max_over_time"
    case timeOfMin = "ts_of_min_over_time"

    /// The result is a value of the metric itself, so it keeps the metric's name.
    var keepsName: Bool { self == .first || self == .last }

    /// The input should be a counter.
    var wantsCounter: Bool { self == .rate || self == .increase }

    /// Looks at falls of the value as resets of a counter.
    var countsResets: Bool { self == .rate || self == .increase || self == .resets }

    /// The selectors with borders of their own (`anchored`, `smoothed`) that it can work on.
    func allows(_ extent: SelectorExtent) -> Bool {
        switch extent {
        case .samples: true
        case .anchored: Self.anchorable.contains(self)
        case .smoothed: Self.smoothable.contains(self)
        }
    }

    /// By name, as errors list them.
    static let anchorable: [WindowFunction] = [.changes, .delta, .increase, .rate, .resets]
    static let smoothable: [WindowFunction] = [.delta, .increase, .rate]
}

/// The window of one series at one step: left-open, right-closed.
struct SampleWindow {
    /// Excluded.
    var start: Int64
    /// Included.
    var end: Int64
    /// The time of evaluation, which differs from `end` by offset and `@`.
    var stepTime: Int64
    /// Indices into the columns; never empty.
    var samples: Range<Int>

    var seconds: Double { Double(end - start) / 1000 }
}

extension WindowFunction {
    /// The result over one window, or `Absent.value` where the samples don't suffice.
    /// - first, second: the scalar parameters, 0 where the function has none.
    /// - resets: where the counter was reset inside the window; only filled for functions that count resets.
    /// - scratch: reused memory for functions that sort.
    /// - extrapolation: what it found out about the windows before.
    func evaluate(
        _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>, resets: Range<Int>, _ resetPlaces: [Int],
        _ first: Double, _ second: Double, scratch: inout [Double], _ extrapolation: inout Extrapolation
    ) -> Double {
        let samples = window.samples
        switch self {
        case .rate, .increase, .delta:
            return Rate(isCounter: self != .delta, isPerSecond: self == .rate)
                .extrapolated(window, times, values, resets, resetPlaces, &extrapolation)
        case .irate: return Rate.instant(samples, times, values, isCounter: true)
        case .idelta: return Rate.instant(samples, times, values, isCounter: false)
        case .resets: return Double(resets.count)
        case .changes: return Self.changes(values, samples)
        case .deriv:
            if samples.count < 2 { return Absent.value }
            return LinearRegression(samples, times, values, origin: times[samples.lowerBound]).slope
        case .predictLinear:
            if samples.count < 2 { return Absent.value }
            let line = LinearRegression(samples, times, values, origin: window.stepTime)
            return line.slope * first + line.intercept
        case .doubleExponentialSmoothing:
            return Self.smoothed(values, samples, smoothing: first, trend: second)
        case .avg: return Self.mean(values, samples)
        case .sum: return Self.sum(values, samples)
        case .min: return values[Self.place(values, samples, newestWins: false, isBetter: <)]
        case .max: return values[Self.place(values, samples, newestWins: false, isBetter: >)]
        case .count: return Double(samples.count)
        case .first: return values[samples.lowerBound]
        case .last: return values[samples.upperBound - 1]
        case .stddev: return Self.variance(values, samples).squareRoot()
        case .stdvar: return Self.variance(values, samples)
        case .quantile:
            Self.copy(values, samples, to: &scratch)
            return Quantile.of(&scratch, first)
        case .mad:
            Self.copy(values, samples, to: &scratch)
            return Self.medianDeviation(&scratch)
        case .present, .absent: return 1
        case .timeOfFirst: return Double(times[samples.lowerBound]) / 1000
        case .timeOfLast: return Double(times[samples.upperBound - 1]) / 1000
        case .timeOfMax: return Double(times[Self.place(values, samples, newestWins: true, isBetter: >)]) / 1000
        case .timeOfMin: return Double(times[Self.place(values, samples, newestWins: true, isBetter: <)]) / 1000
        }
    }
}
