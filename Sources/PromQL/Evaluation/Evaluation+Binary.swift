import Streams

extension Evaluation {
    /// A vector and a scalar: each element by itself.
    mutating func combined(_ plan: VectorScalarPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        try unnamedCombined(plan, grid).settled()
    }

    /// The same; where the vector's names are to be dropped, that is left to the caller.
    mutating func unnamedCombined(
        _ plan: VectorScalarPlan, _ grid: StepGrid
    ) throws(EvaluationError) -> UnnamedTable {
        var input = try unnamed(plan.vector, grid)
        let scalar = try scalars(plan.scalar, grid)
        let op = plan.op
        let isRenamed = op.changesMetric || plan.returnsBool
        if op.isTrim || holdsHistograms(input.table) {
            try combineCells(&input.table, scalar, plan)
        } else if op.isComparison, !plan.returnsBool {
            input.table = try filtered(input.table, scalar, plan)
        } else if op.isComparison {
            try input.table.transform(patience) { _, step, value in
                let holds =
                    plan.scalarIsLeft ? op.holds(scalar[step], value) : op.holds(value, scalar[step])
                return holds ? 1 : 0
            }
        } else if plan.scalarIsLeft {
            try input.table.transform(patience) { _, step, value in op.arithmetic(scalar[step], value) }
        } else {
            try input.table.transform(patience) { _, step, value in op.arithmetic(value, scalar[step]) }
        }
        // Names that are to be dropped anyway need not be dropped for another reason.
        return isRenamed && !input.hasNames
            ? UnnamedTable(table: try named(input.table), hasNames: false) : input
    }

    /// What a comparison lets through: mostly little, so that the rest is not touched.
    private mutating func filtered(
        _ table: SeriesTable, _ scalar: [Double], _ plan: VectorScalarPlan
    ) throws(EvaluationError) -> SeriesTable {
        let op = plan.op
        var result = SeriesTable(steps: table.steps)
        var column = [Double](repeating: Absent.value, count: table.steps)
        for row in 0..<table.count {
            try checkpoint(rows: 1 + table.steps / 64)
            var isEmpty = true
            for step in column.indices {
                let value = table[row, step]
                column[step] = Absent.value
                if value.isAbsent { continue }
                let holds = plan.scalarIsLeft ? op.holds(scalar[step], value) : op.holds(value, scalar[step])
                if !holds { continue }
                column[step] = value
                isEmpty = false
            }
            if !isEmpty { result.appendRow(table.labels[row], dropsName: table.dropsName[row], column) }
        }
        return result
    }

    /// Cells that may be histograms with a scalar; a step tells no more than one thing.
    private mutating func combineCells(
        _ table: inout SeriesTable, _ scalar: [Double], _ plan: VectorScalarPlan
    ) throws(EvaluationError) {
        var notes = StepNotes(steps: table.steps)
        try table.transform(patience) { _, step, value in
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
    ) throws(EvaluationError) -> (left: [Int], right: [Int], count: Int) {
        var numbering = LabelNumbering(matching.labels, isWithout: !matching.isOn)
        let ofLeft = try numbering.numbers(of: left.labels, patience)
        let ofRight = try numbering.numbers(of: right.labels, patience)
        return (ofLeft, ofRight, numbering.keys.count)
    }

    /// `and`, `or`, `unless`.
    mutating func setCombined(_ plan: VectorMatchPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let left = try vector(plan.left, grid)
        let right = try vector(plan.right, grid)
        let signatures = try signatures(left, right, plan.matching)
        let steps = grid.count
        try reserve(rows: signatures.count, steps: steps)
        if plan.op == .or {
            let present = try presence(left, signatures.left, signatures.count)
            var rest = right
            try rest.transform(patience) { row, step, value in
                present[signatures.right[row] * steps + step] ? Absent.value : value
            }
            var result = left
            try reserve(rows: left.count + rest.count, steps: steps)
            for row in 0..<rest.count {
                result.appendRow(rest.labels[row], dropsName: rest.dropsName[row], rest.row(row))
            }
            return try merged(result)
        }
        let present = try presence(right, signatures.right, signatures.count)
        let wanted = plan.op == .and
        var result = left
        try result.transform(patience) { row, step, value in
            present[signatures.left[row] * steps + step] == wanted ? value : Absent.value
        }
        return result
    }

    private func presence(
        _ table: SeriesTable, _ numbers: [Int], _ count: Int
    ) throws(EvaluationError) -> [Bool] {
        var present = [Bool](repeating: false, count: count * table.steps)
        var cellsSinceCheck = 0
        for row in 0..<table.count {
            cellsSinceCheck += table.steps
            if cellsSinceCheck >= Patience.cells {
                cellsSinceCheck = 0
                try patience.check()
            }
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
