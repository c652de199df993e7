import Streams

extension Evaluation {
    /// Two vectors under an arithmetic operator or a comparison.
    mutating func matched(_ plan: VectorMatchPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let left = try vector(plan.left, grid)
        let right = try vector(plan.right, grid)
        if plan.op == .trimLower || plan.op == .trimUpper {
            if !left.isEmpty, !right.isEmpty { annotations.add(.incompatibleTypes(plan.op, at: plan.place)) }
            return SeriesTable(steps: grid.count)
        }
        let signatures = signatures(left, right, plan.matching)
        // The "one" side is looked up, the "many" side walked over.
        let swapped = plan.matching.cardinality == .oneToMany
        var join = try VectorJoin(
            plan, many: swapped ? right : left, one: swapped ? left : right,
            manyNumbers: swapped ? signatures.right : signatures.left,
            oneNumbers: swapped ? signatures.left : signatures.right, numberCount: signatures.count,
            delaysNameRemoval: delaysNameRemoval)
        try reserve(rows: signatures.count, steps: grid.count)
        for row in 0..<join.many.count {
            try checkpoint()
            try join.walk(row)
            try reserve(rows: join.result.count, steps: grid.count)
        }
        try join.fillUnmatched()
        return join.finished()
    }
}
