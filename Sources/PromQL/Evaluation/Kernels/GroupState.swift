/// What an aggregation remembers of the values of one group at one step.
protocol GroupState {
    init()
    mutating func add(_ value: Double)
    /// `Absent.value` when nothing was added.
    var result: Double { get }
}

struct SumOfGroup: GroupState {
    private var sum = CompensatedSum()
    private var isEmpty = true

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) {
        if isEmpty {
            // Not 0 + value: the first value stands as it is, -0 and infinities too.
            sum = CompensatedSum(value)
            isEmpty = false
        } else {
            sum.add(value)
        }
    }

    var result: Double { isEmpty ? Absent.value : sum.value }
}

struct MeanOfGroup: GroupState {
    private var mean: CompensatedMean?

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) {
        if mean == nil { mean = CompensatedMean(first: value) } else { mean?.add(value) }
    }

    var result: Double { mean?.value ?? Absent.value }
}

struct CountOfGroup: GroupState {
    private var count = 0

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) { count += 1 }

    var result: Double { count == 0 ? Absent.value : Double(count) }
}

struct OneForGroup: GroupState {
    private(set) var result = Absent.value

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) { result = 1 }
}

/// The smallest value; NaN only where there is nothing else.
struct MinimumOfGroup: GroupState {
    private(set) var result = Absent.value

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) { if result > value || result.isNaN { result = value } }
}

/// The largest value; NaN only where there is nothing else.
struct MaximumOfGroup: GroupState {
    private(set) var result = Absent.value

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) { if result < value || result.isNaN { result = value } }
}

/// Welford's running variance of the whole group; NaN when the first value is not finite.
struct VarianceOfGroup: GroupState {
    private var count = 0.0
    private var mean = 0.0
    private var squares = 0.0

    init() {}

    @inline(__always)
    mutating func add(_ value: Double) {
        count += 1
        if count == 1 {
            mean = value
            squares = value.isFinite ? 0 : .nan
            return
        }
        let difference = value - mean
        mean += difference / count
        squares += difference * (value - mean)
    }

    var result: Double { count == 0 ? Absent.value : squares / count }
}
