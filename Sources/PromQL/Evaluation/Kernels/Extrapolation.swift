/// How far a change between samples is drawn out towards the borders of its window.
///
/// Times stay in milliseconds, where they are exact. What follows from the distance of the samples is kept from window to
/// window, since it is the same for most windows of a series; a division takes longer than all the rest.
struct Extrapolation {
    /// What was worked out for samples so far apart, so many intervals of them, in windows of that length.
    private var sampled: Int64 = -1
    private var intervals = 0
    private var length: Int64 = 0
    /// A border at least that far away is one up to which the series probably did not go on.
    private var tooFar: Int64 = 0
    /// Half the distance of two samples.
    private var half = 0.0
    private var seconds = 0.0

    /// What the change has to be multiplied by.
    /// - Parameters:
    ///   - first, last: the times of the first and the last sample.
    ///   - intervals: how many lie between.
    ///   - start: where the count began, if that was inside of the window: it was zero there, and nothing has to be guessed.
    ///   - value: the first sample's.
    @inline(__always)
    mutating func factor(
        _ rate: Rate, _ window: SampleWindow, first: Int64, last: Int64, intervals: Int, start: Int64? = nil,
        value: Double, change: Double
    ) -> Double {
        let length = window.end &- window.start
        if last &- first != sampled || intervals != self.intervals || length != self.length {
            adapt(to: last &- first, intervals, length)
        }
        var covered = Double(last &- first)
        var toStart = 0.0
        if let start {
            covered = Double(last &- start)
        } else {
            toStart = first &- window.start >= tooFar ? half : Double(first &- window.start)
            if rate.isCounter, change > 0, value >= 0 {
                // A counter never was below zero, so the line is not drawn beyond that.
                let reach = toStart * change
                if value * covered < reach || !reach.isFinite { toStart = min(toStart, covered * (value / change)) }
            }
        }
        let toEnd = window.end &- last >= tooFar ? half : Double(window.end &- last)
        let factor = covered == 0 ? 1 : (covered + toStart + toEnd) / (rate.isPerSecond ? covered * seconds : covered)
        return covered == 0 && rate.isPerSecond ? factor / seconds : factor
    }

    private mutating func adapt(to sampled: Int64, _ intervals: Int, _ length: Int64) {
        self.sampled = sampled
        self.intervals = intervals
        self.length = length
        seconds = Double(length) / 1000
        // In seconds, as Prometheus compares them: a border just at the threshold must fall to the same side.
        let distance = intervals > 0 ? Double(sampled) / 1000 / Double(intervals) : 0
        half = distance * 500
        let threshold = distance * 1.1
        tooFar = max(Int64(threshold * 1000) - 1, 0)
        while Double(tooFar) / 1000 < threshold { tooFar += 1 }
    }
}
