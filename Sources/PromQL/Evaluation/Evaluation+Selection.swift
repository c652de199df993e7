import Streams

extension Evaluation {
    /// The aggregations that let some of their input through: `topk`, `bottomk`, `limitk`, `limit_ratio`.
    mutating func selected(
        _ plan: AggregationPlan, _ input: SeriesTable, _ parameters: [Double]
    ) throws(EvaluationError) -> SeriesTable {
        guard let first = parameters.first else { return SeriesTable(steps: input.steps) }
        let largest = parameters.dropFirst().reduce(first, goMaximum)
        let smallest = parameters.dropFirst().reduce(first, goMinimum)
        if plan.op == .limitRatio {
            if largest == 0, smallest == 0 { return SeriesTable(steps: input.steps) }
            if parameters.contains(where: \.isNaN) { throw .execution("Ratio value is NaN") }
            if largest > 1 { annotations.add(.invalidRatio(largest, cappedTo: 1, at: plan.parameterPlace)) }
            if smallest < -1 { annotations.add(.invalidRatio(smallest, cappedTo: -1, at: plan.parameterPlace)) }
            return try sampled(input, parameters)
        }
        if largest < 1 { return SeriesTable(steps: input.steps) }
        if parameters.contains(where: \.isNaN) { throw .execution("Parameter value is NaN") }
        if smallest <= -0x1p63 {
            throw .execution("Scalar value \(formatFloat(smallest, .general)) underflows int64")
        }
        if largest >= 0x1p63 {
            throw .execution("Scalar value \(formatFloat(largest, .general)) overflows int64")
        }
        return try best(plan, input, parameters)
    }

    /// Series by a hash of their labels, so that the same ones are taken each time.
    private func sampled(_ input: SeriesTable, _ ratios: [Double]) throws(EvaluationError) -> SeriesTable {
        let places = input.labels.map { Double($0.stableHash) / Double(UInt64.max) }
        var table = input
        try table.transform(patience) { row, step, value in
            let ratio = min(max(ratios[step], -1), 1)
            let isTaken = ratio >= 0 ? places[row] < ratio : places[row] >= 1 + ratio
            // A ratio of 0 is nothing at all, even for a series whose hash is 0.
            return ratio != 0 && isTaken ? value : Absent.value
        }
        return table
    }

    private mutating func best(
        _ plan: AggregationPlan, _ input: SeriesTable, _ parameters: [Double]
    ) throws(EvaluationError) -> SeriesTable {
        let (ofRow, labels) = try groups(input, plan.grouping)
        var rows = [[Int]](repeating: [], count: labels.count)
        for row in 0..<input.count { rows[ofRow[row]].append(row) }
        var result = SeriesTable(steps: input.steps)
        try reserve(rows: input.count, steps: input.steps)
        for row in 0..<input.count { result.appendRow(input.labels[row], dropsName: input.dropsName[row]) }
        var order: [Int] = []
        for step in 0..<input.steps {
            // Both ends were looked at above, so this can't trap.
            let count = min(Int(parameters[step]), input.count)
            if count < 1 { continue }
            for group in rows {
                try checkpoint(rows: 1 + group.count / 16)
                var candidates = BoundedHeap(plan.op, capacity: count)
                for row in group where input[row, step].isPresent { candidates.offer(input[row, step], row) }
                for row in candidates.sortedRows() {
                    result[row, step] = input[row, step]
                    order.append(row)
                }
            }
        }
        // For an instant the order of the elements is part of the result.
        if input.steps == 1 { return result.reordered(order) }
        result.transform { _, _, value in value }
        return result.reordered((0..<result.count).filter { result.presentCount($0) > 0 })
    }
}

/// The best so many values of a group, the worst of them at the root. Built like Go's `container/heap`, so that of
/// equal values the same ones stay as in Prometheus.
struct BoundedHeap {
    private let op: AggregationOperator
    private let capacity: Int
    private var items: [(value: Double, row: Int)] = []

    init(_ op: AggregationOperator, capacity: Int) {
        self.op = op
        self.capacity = capacity
    }

    mutating func offer(_ value: Double, _ row: Int) {
        if items.count < capacity {
            items.append((value, row))
            if op != .limitk { siftUp(items.count - 1) }
        } else if op != .limitk, isBetter(value, than: items[0].value) {
            items[0] = (value, row)
            siftDown(0)
        }
    }

    /// The best first; for `limitk` in the order they came.
    func sortedRows() -> [Int] {
        if op == .limitk { return items.map(\.row) }
        return items.enumerated().sorted { left, right in
            let (one, other) = (left.element.value, right.element.value)
            if one == other || (one.isNaN && other.isNaN) { return left.offset < right.offset }
            return isBelow(other, one)
        }.map(\.element.row)
    }

    private func isBetter(_ value: Double, than worst: Double) -> Bool {
        let isBeyond = op == .topk ? worst < value : worst > value
        return isBeyond || (worst.isNaN && !value.isNaN)
    }

    /// Nearer to the root: worse, NaN worst of all.
    private func isBelow(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN { return true }
        return op == .topk ? left < right : left > right
    }

    private mutating func siftUp(_ index: Int) {
        var child = index
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBelow(items[child].value, items[parent].value) else { return }
            items.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown(_ index: Int) {
        var parent = index
        while 2 * parent + 1 < items.count {
            var child = 2 * parent + 1
            if child + 1 < items.count, isBelow(items[child + 1].value, items[child].value) { child += 1 }
            guard isBelow(items[child].value, items[parent].value) else { return }
            items.swapAt(parent, child)
            parent = child
        }
    }
}
