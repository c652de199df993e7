/// The times at which an expression is evaluated: `start`, `start + step`, ... in milliseconds. An instant query has
/// one.
struct StepGrid: Sendable, Hashable {
    let start: Int64
    let step: Int64
    let count: Int

    /// One step at `time`.
    init(at time: Int64) {
        start = time
        step = 1
        count = 1
    }

    /// The steps from `start` through `end`; none when `end` comes first.
    init(from start: Int64, through end: Int64, step: Int64) {
        let step = max(step, 1)
        let (length, overflow) = end.subtractingReportingOverflow(start)
        let count = overflow ? (end > start ? .max : 0) : length < 0 ? 0 : Int(length / step) + 1
        self.start = start
        self.count = count
        // Grids of the same times are equal: what was read for one is found for the other.
        self.step = count == 1 ? 1 : step
    }

    @inline(__always)
    func time(_ index: Int) -> Int64 { start &+ Int64(index) &* step }

    var end: Int64 { time(max(count - 1, 0)) }

    /// Only the first step.
    var first: StepGrid { StepGrid(at: start) }
}
