import Streams

extension Evaluation {
    /// Two vectors under an arithmetic operator or a comparison.
    mutating func matched(_ plan: VectorMatchPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let left = try plan.dropsLeftNames ? unnamed(plan.left, grid).table : vector(plan.left, grid)
        let right = try vector(plan.right, grid)
        let signatures = try signatures(left, right, plan.matching)
        try reserve(rows: signatures.count, steps: grid.count)
        // The "one" side is looked up, the "many" side walked over.
        let swapped = plan.matching.cardinality == .oneToMany
        var join = try VectorJoin(
            plan, many: swapped ? right : left, one: swapped ? left : right,
            manyNumbers: swapped ? signatures.right : signatures.left,
            oneNumbers: swapped ? signatures.left : signatures.right, numberCount: signatures.count,
            delaysNameRemoval: delaysNameRemoval, patience: patience)
        if plan.op.isTrim || holdsHistograms(left) || holdsHistograms(right) {
            join.combination = MixedCombination(pool: pool, steps: grid.count)
            // The join alone holds it meanwhile, so that it is not copied.
            pool = HistogramPool(weightMax: settings.samplesMax)
        }
        for row in 0..<join.many.count {
            try checkpoint()
            try join.walk(row)
            try reserve(rows: join.result.count, steps: grid.count)
        }
        try join.fillUnmatched()
        if let combination = join.combination {
            pool = combination.pool
            annotations.add(combination.notes)
        }
        return join.finished()
    }
}

extension VectorMatchPlan {
    /// Whether the names on the left side are dropped from the results, are not matched on, and show in no error.
    fileprivate var dropsLeftNames: Bool {
        op.changesMetric && matching.cardinality != .oneToMany && !matching.labels.contains(LabelSet.metricName)
    }
}
