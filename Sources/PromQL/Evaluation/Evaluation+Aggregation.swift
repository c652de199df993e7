import Streams

extension Evaluation {
    mutating func aggregated(_ plan: AggregationPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var parameters: [Double] = []
        if let parameter = plan.parameter { parameters = try scalars(parameter, grid) }
        let found =
            plan.looksAtNames
            ? UnnamedTable(table: try vector(plan.inner, grid), hasNames: false) : try unnamed(plan.inner, grid)
        var input = found.table
        if plan.op.ignoresHistograms {
            let place = plan.op.isRanking ? plan.place : plan.innerPlace
            // The best none of all are found without a look at the input.
            let looks = !plan.op.isRanking || parameters.contains { $0 >= 1 }
            input = looks ? floats(input, for: plan.op.rawValue, at: place) : floats(input)
        }
        switch plan.op {
        case .topk, .bottomk, .limitk, .limitRatio:
            let selection = try selected(plan, input, parameters)
            return found.hasNames ? selection.withoutNames() : selection
        case .sum, .avg:
            if holdsHistograms(input) { return try mixedReduced(plan, input) }
            return plan.op == .sum
                ? try reduced(plan, input, SumOfGroup.self) : try reduced(plan, input, MeanOfGroup.self)
        case .count: return try reduced(plan, input, CountOfGroup.self)
        case .group: return try reduced(plan, input, OneForGroup.self)
        case .min: return try reduced(plan, input, MinimumOfGroup.self)
        case .max: return try reduced(plan, input, MaximumOfGroup.self)
        case .stdvar: return try reduced(plan, input, VarianceOfGroup.self)
        case .stddev:
            var table = try reduced(plan, input, VarianceOfGroup.self)
            table.transform { _, _, variance in variance.squareRoot() }
            return table
        case .quantile: return try quantiles(plan, input, parameters)
        case .countValues: throw .execution("count_values without a label")
        }
    }

    /// Which group each row belongs to, and the labels of the groups, in the order of their first rows.
    func groups(
        _ input: SeriesTable, _ grouping: Grouping
    ) throws(EvaluationError) -> (ofRow: [Int], labels: [LabelSet]) {
        if !grouping.isWithout, grouping.labels.isEmpty {
            return (Array(repeating: 0, count: input.count), input.isEmpty ? [] : [LabelSet()])
        }
        var numbering = LabelNumbering(grouping.labels, isWithout: grouping.isWithout)
        let ofRow = try numbering.numbers(of: input.labels, patience)
        return (ofRow, numbering.keys)
    }

    /// One series a group, each step by itself: a row of accumulators for each group, filled row by row.
    private mutating func reduced<State: GroupState>(
        _ plan: AggregationPlan, _ input: SeriesTable, _: State.Type
    ) throws(EvaluationError) -> SeriesTable {
        let (ofRow, labels) = try groups(input, plan.grouping)
        let steps = input.steps
        try reserve(rows: labels.count, steps: steps)
        var states = [State](repeating: State(), count: labels.count * steps)
        var dropsName = [Bool](repeating: false, count: labels.count)
        for row in 0..<input.count {
            try checkpoint(rows: 1 + steps / 64)
            let base = ofRow[row] * steps
            if input.dropsName[row] { dropsName[ofRow[row]] = true }
            for step in 0..<steps {
                let value = input[row, step]
                if value.isPresent { states[base + step].add(value) }
            }
        }
        var result = SeriesTable(steps: steps)
        result.reserveCapacity(labels.count)
        for group in labels.indices {
            result.appendRow(
                labels[group], dropsName: dropsName[group],
                states[group * steps..<(group + 1) * steps].map(\.result))
        }
        return result
    }

    private mutating func quantiles(
        _ plan: AggregationPlan, _ input: SeriesTable, _ parameters: [Double]
    ) throws(EvaluationError) -> SeriesTable {
        for value in [parameters.first(where: \.isNaN), parameters.first { $0 > 1 }, parameters.first { $0 < 0 }] {
            if let value { annotations.add(.invalidQuantile(value, at: plan.parameterPlace)) }
        }
        let (ofRow, labels) = try groups(input, plan.grouping)
        try reserve(rows: labels.count, steps: input.steps)
        var rows = [[Int]](repeating: [], count: labels.count)
        for row in 0..<input.count { rows[ofRow[row]].append(row) }
        var result = SeriesTable(steps: input.steps)
        var values: [Double] = []
        for group in labels.indices {
            result.appendRow(labels[group], dropsName: rows[group].contains { input.dropsName[$0] })
            for step in 0..<input.steps {
                try checkpoint(rows: 1 + rows[group].count / 16)
                values.removeAll(keepingCapacity: true)
                for row in rows[group] where input[row, step].isPresent { values.append(input[row, step]) }
                if !values.isEmpty { result[group, step] = Quantile.of(&values, parameters[step]) }
            }
        }
        return result
    }

    mutating func valuesCounted(_ plan: CountValuesPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let input = try vector(plan.inner, grid)
        var result = SeriesTable(steps: input.steps)
        var places: [LabelSet: Int] = [:]
        for row in 0..<input.count {
            for step in 0..<input.steps where input[row, step].isPresent {
                try checkpoint()
                var labels = input.labels[row]
                let value = input[row, step]
                labels[plan.label] = value.isHistogram ? pool[value].text : formatFloat(value, .fixed)
                let key = plan.grouping.key(of: labels)
                let place: Int
                if let known = places[key] {
                    place = known
                } else {
                    place = result.count
                    places[key] = place
                    try reserve(rows: place + 1, steps: input.steps)
                    result.appendRow(key)
                }
                result[place, step] = (result[place, step].isPresent ? result[place, step] : 0) + 1
            }
        }
        return result
    }
}

extension AggregationPlan {
    /// Whether a metric's name is of importance: to the clause, or to the choice of the series.
    fileprivate var looksAtNames: Bool {
        op == .limitRatio || (!grouping.isWithout && grouping.labels.contains(LabelSet.metricName))
    }
}

extension AggregationOperator {
    fileprivate var isRanking: Bool { self == .topk || self == .bottomk }

    /// Only sees floats.
    fileprivate var ignoresHistograms: Bool {
        switch self {
        case .min, .max, .stddev, .stdvar, .quantile, .topk, .bottomk: true
        case .sum, .avg, .count, .group, .limitk, .limitRatio, .countValues: false
        }
    }
}
