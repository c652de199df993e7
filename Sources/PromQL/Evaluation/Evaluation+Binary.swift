import Streams

extension Evaluation {
    /// A vector and a scalar: each element by itself.
    mutating func combined(_ plan: VectorScalarPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var table = try vector(plan.vector, grid)
        let scalar = try scalars(plan.scalar, grid)
        if plan.op.isTrim || holdsHistograms(table) {
            combineCells(&table, scalar, plan)
            return plan.op.changesMetric || plan.returnsBool ? try named(table) : table
        }
        let op = plan.op
        if op.isComparison {
            table.transform { _, step, value in
                let holds =
                    plan.scalarIsLeft ? op.holds(scalar[step], value) : op.holds(value, scalar[step])
                if plan.returnsBool { return holds ? 1 : 0 }
                return holds ? value : Absent.value
            }
        } else if plan.scalarIsLeft {
            table.transform { _, step, value in op.arithmetic(scalar[step], value) }
        } else {
            table.transform { _, step, value in op.arithmetic(value, scalar[step]) }
        }
        return op.changesMetric || plan.returnsBool ? try named(table) : table
    }

    /// Cells that may be histograms with a scalar; a step tells no more than one thing.
    private mutating func combineCells(_ table: inout SeriesTable, _ scalar: [Double], _ plan: VectorScalarPlan) {
        var notes = StepNotes(steps: table.steps)
        table.transform { _, step, value in
            let left = plan.scalarIsLeft ? scalar[step] : value
            let right = plan.scalarIsLeft ? value : scalar[step]
            let combination = pool.combine(plan.op, left, right, at: plan.place)
            notes.add(combination.note, step)
            guard let cell = combination.cell else { return Absent.value }
            if !plan.op.isComparison { return cell }
            if plan.returnsBool { return combination.holds ? 1 : 0 }
            return combination.holds ? value : Absent.value
        }
        annotations.add(notes)
    }

    /// Which rows of both sides belong together: rows with the same signature have the same number.
    func signatures(
        _ left: SeriesTable, _ right: SeriesTable, _ matching: VectorMatching
    ) -> (left: [Int], right: [Int], count: Int) {
        var numbering = LabelNumbering(matching.labels, isWithout: !matching.isOn)
        let ofLeft = left.labels.map { numbering.number(of: $0) }
        let ofRight = right.labels.map { numbering.number(of: $0) }
        return (ofLeft, ofRight, numbering.keys.count)
    }

    /// `and`, `or`, `unless`.
    mutating func setCombined(_ plan: VectorMatchPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let left = try vector(plan.left, grid)
        let right = try vector(plan.right, grid)
        let signatures = signatures(left, right, plan.matching)
        let steps = grid.count
        try reserve(rows: signatures.count, steps: steps)
        if plan.op == .or {
            let present = presence(left, signatures.left, signatures.count)
            var rest = right
            rest.transform { row, step, value in
                present[signatures.right[row] * steps + step] ? Absent.value : value
            }
            var result = left
            try reserve(rows: left.count + rest.count, steps: steps)
            for row in 0..<rest.count {
                result.appendRow(rest.labels[row], dropsName: rest.dropsName[row], rest.row(row))
            }
            return try merged(result)
        }
        let present = presence(right, signatures.right, signatures.count)
        let wanted = plan.op == .and
        var result = left
        result.transform { row, step, value in
            present[signatures.left[row] * steps + step] == wanted ? value : Absent.value
        }
        return result
    }

    private func presence(_ table: SeriesTable, _ numbers: [Int], _ count: Int) -> [Bool] {
        var present = [Bool](repeating: false, count: count * table.steps)
        for row in 0..<table.count {
            for step in 0..<table.steps where table[row, step].isPresent {
                present[numbers[row] * table.steps + step] = true
            }
        }
        return present
    }
}

extension VectorMatching {
    /// The labels by which two series are found to belong together.
    func signature(of labels: LabelSet) -> LabelSet {
        isOn ? labels.only(self.labels) : labels.without(self.labels)
    }
}
