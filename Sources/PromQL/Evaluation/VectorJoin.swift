import Streams

/// How cells are combined where some are histograms.
struct MixedCombination {
    var pool: HistogramPool
    var notes: StepNotes

    init(pool: HistogramPool, steps: Int) {
        self.pool = pool
        notes = StepNotes(steps: steps)
    }
}

/// The matching of two vectors, in the making: one row of the "many" side after another finds its partners on the
/// "one" side, for all steps at once.
struct VectorJoin {
    let many: SeriesTable
    private(set) var result: SeriesTable
    /// Nil where all cells are floats.
    var combination: MixedCombination?

    private let plan: VectorMatchPlan
    private let one: SeriesTable
    private let manyNumbers: [Int]
    private let oneNumbers: [Int]
    private let steps: Int
    private let delaysNameRemoval: Bool
    private let patience: Patience
    private var cellsSinceCheck = 0
    /// The row of the "one" side with a signature at a step; -1: none. By signature, then step.
    private var oneRows: [Int32]
    /// Which signatures had a match at a step.
    private var isMatched: [Bool]
    /// The signature (plus one) that came to each cell of the result, also where a comparison let nothing through.
    private var visitors: [Int32] = []
    private var places: [LabelSet: Int] = [:]

    init(
        _ plan: VectorMatchPlan, many: SeriesTable, one: SeriesTable, manyNumbers: [Int], oneNumbers: [Int],
        numberCount: Int, delaysNameRemoval: Bool, patience: Patience
    ) throws(EvaluationError) {
        self.plan = plan
        self.many = many
        self.one = one
        self.manyNumbers = manyNumbers
        self.oneNumbers = oneNumbers
        self.delaysNameRemoval = delaysNameRemoval
        self.patience = patience
        steps = many.steps
        result = SeriesTable(steps: steps)
        oneRows = Array(repeating: -1, count: numberCount * steps)
        isMatched = Array(repeating: false, count: numberCount * steps)
        for step in 0..<steps {
            try worked(on: one.count)
            var duplicate: (Int, Int)?
            for row in 0..<one.count where one[row, step].isPresent {
                let cell = oneNumbers[row] * steps + step
                if oneRows[cell] >= 0 {
                    duplicate = (row, Int(oneRows[cell]))
                    break
                }
                oneRows[cell] = Int32(truncatingIfNeeded: row)
            }
            // Where nothing stands opposite, nothing is ambiguous.
            if let duplicate, matters(step) { throw ambiguous(duplicate.0, duplicate.1) }
        }
    }

    private var matching: VectorMatching { plan.matching }
    private var isOneToOne: Bool { matching.cardinality == .oneToOne }

    private func matters(_ step: Int) -> Bool {
        if matching.fillLeft != nil || matching.fillRight != nil { return true }
        return (0..<many.count).contains { many[$0, step].isPresent }
    }

    private func ambiguous(_ row: Int, _ other: Int) -> EvaluationError {
        let labels = one.labels[row]
        let group = matching.signature(of: labels)
        let series = [labels.description, one.labels[other].description].sorted()
        let side = matching.cardinality == .oneToMany ? "left" : "right"
        return .execution(
            "found duplicate series for the match group \(group) on the \(side) hand-side of the operation: "
                + "[\(series[0]), \(series[1])];many-to-many matching not allowed: "
                + "matching labels must be unique on one side")
    }

    /// Combines a row of the "many" side with what it finds at each step.
    mutating func walk(_ row: Int) throws(EvaluationError) {
        let number = manyNumbers[row]
        var partner = Int32(-2)
        var place = 0
        for step in 0..<steps {
            try worked(on: 1)
            let value = many[row, step]
            if value.isAbsent { continue }
            let found = oneRows[number * steps + step]
            let other: Double
            if found >= 0 {
                other = one[Int(found), step]
            } else if let fill = matching.fillRight {
                other = fill
            } else {
                continue
            }
            if found != partner {
                partner = found
                let labels =
                    found >= 0 ? one.labels[Int(found)] : matching.signature(of: many.labels[row])
                place = self.place(of: resultLabels(many.labels[row], labels))
            }
            try put(value, other, number, place, step)
        }
    }

    /// With `fill_left`: the rows of the "one" side that found nobody.
    mutating func fillUnmatched() throws(EvaluationError) {
        guard let fill = matching.fillLeft else { return }
        for row in 0..<one.count {
            let number = oneNumbers[row]
            var place: Int?
            for step in 0..<steps where one[row, step].isPresent {
                try worked(on: 1)
                if isMatched[number * steps + step] { continue }
                let known =
                    place ?? self.place(of: resultLabels(matching.signature(of: one.labels[row]), one.labels[row]))
                place = known
                try put(fill, one[row, step], number, known, step)
            }
        }
    }

    /// The result, without rows that a comparison emptied.
    consuming func finished() -> SeriesTable {
        var table = result
        table.transform { _, _, value in value }
        var order: [Int] = []
        for row in 0..<table.count where table.presentCount(row) > 0 { order.append(row) }
        return order.count == table.count ? table : table.reordered(order)
    }

    /// Counts cells; combining histograms is the work of many.
    @inline(__always)
    private mutating func worked(on cells: Int) throws(EvaluationError) {
        cellsSinceCheck += combination == nil ? cells : 32 * cells
        if cellsSinceCheck >= Patience.cells {
            cellsSinceCheck = 0
            try patience.check()
        }
    }

    private mutating func place(of labels: LabelSet) -> Int {
        if let place = places[labels] { return place }
        let place = result.count
        places[labels] = place
        result.appendRow(labels, dropsName: plan.returnsBool && delaysNameRemoval)
        visitors.append(contentsOf: repeatElement(0, count: steps))
        return place
    }

    private mutating func put(
        _ manyValue: Double, _ oneValue: Double, _ number: Int, _ place: Int, _ step: Int
    ) throws(EvaluationError) {
        let swapped = matching.cardinality == .oneToMany
        let left = swapped ? oneValue : manyValue
        let right = swapped ? manyValue : oneValue
        let value: Double
        let holds: Bool
        if let combined = combination?.pool.combine(plan.op, left, right, at: plan.place) {
            combination?.notes.add(combined.note, step)
            // What can't be combined has not met.
            guard let cell = combined.cell else { return }
            value = cell
            holds = combined.holds
        } else if plan.op.isComparison {
            value = left
            holds = plan.op.holds(left, right)
        } else {
            value = plan.op.arithmetic(left, right)
            holds = true
        }
        let isNew = try visit(number, place, step)
        if !plan.returnsBool, !holds { return }
        if !isNew, result[place, step].isPresent { throw .equalLabels }
        result[place, step] = plan.returnsBool ? holds ? 1 : 0 : value
    }

    /// Notes that a signature has come to a cell of the result; whether it is the first.
    private mutating func visit(_ number: Int, _ place: Int, _ step: Int) throws(EvaluationError) -> Bool {
        let cell = number * steps + step
        if isOneToOne, isMatched[cell] {
            throw .execution(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
        }
        isMatched[cell] = true
        let visitor = visitors[place * steps + step]
        if visitor == Int32(truncatingIfNeeded: number + 1) {
            throw .execution("multiple matches for labels: grouping labels must ensure unique matches")
        }
        visitors[place * steps + step] = Int32(truncatingIfNeeded: number + 1)
        return visitor == 0
    }

    /// The labels of a result: those of the "many" side, less the name where the operation makes another quantity of
    /// it, less what was not matched on, plus what `group_left` or `group_right` takes over.
    private func resultLabels(_ many: LabelSet, _ one: LabelSet) -> LabelSet {
        var labels = many
        if plan.op.changesMetric || (plan.returnsBool && !delaysNameRemoval) { labels = labels.droppingName() }
        if isOneToOne {
            let names = matching.labels
            labels = LabelSet(sorted: labels.filter { names.contains($0.name) == matching.isOn })
        }
        for name in matching.include { labels[name] = one[name] }
        return labels
    }
}
