/// A running sum with Neumaier's compensation: what PromQL's sums and means are made of, so that the order of the
/// terms hardly matters.
struct CompensatedSum {
    private(set) var sum: Double
    private(set) var compensation: Double

    init(_ sum: Double = 0, compensation: Double = 0) {
        self.sum = sum
        self.compensation = compensation
    }

    @inline(__always)
    mutating func add(_ term: Double) {
        let total = sum + term
        if total.isInfinite {
            compensation = 0
        } else if abs(sum) >= abs(term) {
            compensation += (sum - total) + term
        } else {
            compensation += (term - total) + sum
        }
        sum = total
    }

    /// The sum with what was lost to rounding.
    var value: Double { sum + compensation }
}

/// A running mean: sum over count while the sum is finite; once it would overflow, the mean itself is carried on
/// (Prometheus does the same, so the results agree to the last bits).
struct CompensatedMean {
    private var state: CompensatedSum
    private var count = 1.0
    private var isIncremental = false

    init(first: Double) { state = CompensatedSum(first) }

    @inline(__always)
    mutating func add(_ term: Double) {
        count += 1
        if !isIncremental {
            var next = state
            next.add(term)
            if !next.sum.isInfinite {
                state = next
                return
            }
            isIncremental = true
            state = CompensatedSum(state.sum / (count - 1), compensation: state.compensation / (count - 1))
        }
        let share = (count - 1) / count
        state = CompensatedSum(share * state.sum, compensation: share * state.compensation)
        state.add(term / count)
    }

    var value: Double {
        isIncremental ? state.value : state.sum / count + state.compensation / count
    }
}
