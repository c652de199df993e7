import Streams

/// The sum or the mean of histograms in the making. A mean is the sum over the count, until the sum would overflow; from
/// then on the mean itself is carried on.
struct HistogramAccumulator: Sendable {
    private let isMean: Bool
    private var state: CompensatedHistogram
    private var count = 1.0
    private var isIncremental = false
    private var sawReset: Bool
    private var sawNoReset: Bool

    init(_ first: NativeHistogram, isMean: Bool) {
        self.isMean = isMean
        state = CompensatedHistogram(first)
        sawReset = first.counterResetHint == .reset
        sawNoReset = first.counterResetHint == .notReset
    }

    /// Some counters are said to be reset, and others not.
    var hintsCollide: Bool { sawReset && sawNoReset }

    mutating func add(_ histogram: NativeHistogram) throws(IncompatibleBuckets) -> HistogramConflicts {
        if histogram.counterResetHint == .reset { sawReset = true }
        if histogram.counterResetHint == .notReset { sawNoReset = true }
        if !isMean { return try state.add(histogram) }
        count += 1
        var conflicts: HistogramConflicts = []
        if !isIncremental {
            var sum = state
            conflicts = try sum.add(histogram)
            if !sum.overflows {
                state = sum
                return conflicts
            }
            isIncremental = true
            state.divide(by: count - 1)
        }
        state.scale(by: (count - 1) / count)
        return conflicts.union(try state.add(histogram.divided(by: count)))
    }

    var result: NativeHistogram {
        guard isMean, !isIncremental else { return state.exact }
        var mean = state
        mean.divide(by: count)
        return mean.exact
    }
}
