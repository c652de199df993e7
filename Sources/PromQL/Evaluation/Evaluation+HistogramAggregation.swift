import Streams

extension Evaluation {
    /// `sum` and `avg` where some of the input are histograms: a group at a step has to be all of one kind.
    mutating func mixedReduced(
        _ plan: AggregationPlan, _ input: SeriesTable
    ) throws(EvaluationError) -> SeriesTable {
        let (ofRow, labels) = try groups(input, plan.grouping)
        try reserve(rows: labels.count, steps: input.steps)
        var rows = [[Int]](repeating: [], count: labels.count)
        for row in 0..<input.count { rows[ofRow[row]].append(row) }
        var result = SeriesTable(steps: input.steps)
        for group in labels.indices {
            result.appendRow(labels[group], dropsName: rows[group].contains { input.dropsName[$0] })
            for step in 0..<input.steps {
                try checkpoint(rows: rows[group].count * pool.meanWeight)
                result[group, step] = mixedValue(plan, input, rows[group], step)
            }
        }
        result.transform { _, _, value in value }
        return result
    }

    private mutating func mixedValue(
        _ plan: AggregationPlan, _ input: SeriesTable, _ rows: [Int], _ step: Int
    ) -> Double {
        var state = MixedGroup(isMean: plan.op == .avg)
        for row in rows where input[row, step].isPresent {
            let value = input[row, step]
            if !value.isHistogram {
                state.add(value)
                continue
            }
            guard let conflicts = state.add(pool[value]) else {
                let metric = input.labels[row].name ?? ""
                annotations.add(.mixedSchemas(of: metric, at: plan.innerPlace))
                continue
            }
            if conflicts.contains(.customBounds) {
                annotations.add(.reconciledBounds(during: .aggregation, at: plan.innerPlace))
            }
        }
        switch state.result {
        case .nothing: return Absent.value
        case .float(let value): return value
        case .mixed:
            annotations.add(.mixedAggregation(at: plan.innerPlace))
            return Absent.value
        case .histogram(let histogram, let hintsCollide):
            if hintsCollide { annotations.add(.counterResetCollision(during: .aggregation, at: plan.innerPlace)) }
            return pool.cell(of: histogram.compacted())
        }
    }
}

/// The sum or mean of floats or of histograms.
private struct MixedGroup {
    enum Result {
        case nothing
        case float(Double)
        case histogram(NativeHistogram, hintsCollide: Bool)
        case mixed
    }

    private let isMean: Bool
    private var floatSum = SumOfGroup()
    private var floatMean = MeanOfGroup()
    private var hasFloats = false
    private var hasHistograms = false
    private var histograms: HistogramAccumulator?
    private var isIncompatible = false

    init(isMean: Bool) { self.isMean = isMean }

    mutating func add(_ value: Double) {
        if isIncompatible { return }
        hasFloats = true
        if isMean { floatMean.add(value) } else { floatSum.add(value) }
    }

    /// Nil the first time that the histogram does not go with those before.
    mutating func add(_ histogram: NativeHistogram) -> HistogramConflicts? {
        if isIncompatible { return [] }
        hasHistograms = true
        guard var histograms else {
            // With floats already there, nothing comes of it.
            if hasFloats { return [] }
            self.histograms = HistogramAccumulator(histogram, isMean: isMean)
            return []
        }
        self.histograms = nil
        do throws(IncompatibleBuckets) {
            let conflicts = try histograms.add(histogram)
            self.histograms = histograms
            return conflicts
        } catch {
            self.histograms = histograms
            isIncompatible = true
            return nil
        }
    }

    var result: Result {
        if hasFloats, hasHistograms { return .mixed }
        guard let histograms else {
            return hasFloats ? .float(isMean ? floatMean.result : floatSum.result) : .nothing
        }
        return isIncompatible ? .nothing : .histogram(histograms.result, hintsCollide: histograms.hintsCollide)
    }
}
