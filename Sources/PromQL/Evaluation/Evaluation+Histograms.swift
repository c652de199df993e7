import Streams

extension Evaluation {
    /// Quantiles and fractions of histograms, native ones first. Classic series that differ in `le` alone are one
    /// histogram.
    mutating func histograms(_ plan: HistogramPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var parameters: [[Double]] = []
        for parameter in plan.question.parameters { parameters.append(try scalars(parameter, grid)) }
        let input = try vector(plan.inner, grid)
        checkQuantiles(plan, parameters)
        var classic = ClassicHistograms(input)
        for label in classic.badLabels {
            let metric = delaysNameRemoval ? label.metric : ""
            annotations.add(.badBucketLabel(label.value, metric: metric, at: plan.innerPlace))
        }
        let native = try separated(input, &classic, plan.innerPlace)
        let answers = plan.answers
        try reserve(rows: (classic.histograms.count + native.count) * max(answers, 1), steps: grid.count)
        var result = SeriesTable(steps: grid.count)
        for answer in 0..<answers {
            for row in 0..<native.count {
                try checkpoint()
                var places: [UInt64: Int] = [:]
                for step in 0..<grid.count where native[row, step].isPresent {
                    try checkpoint(rows: pool[native[row, step]].weight)
                    let parameters = parameters.map { $0[step] }
                    let place = try place(native.labels[row], plan, parameters, answer, &places, &result)
                    result[place, step] = self.answer(
                        plan, pool[native[row, step]], parameters, answer, native.labels[row])
                }
            }
            try answerClassic(plan, classic, input, parameters, answer, grid, &result)
        }
        return try merged(result)
    }

    private mutating func answerClassic(
        _ plan: HistogramPlan, _ classic: ClassicHistograms, _ input: SeriesTable, _ parameters: [[Double]],
        _ answer: Int, _ grid: StepGrid, _ result: inout SeriesTable
    ) throws(EvaluationError) {
        var buckets = ClassicBuckets()
        for histogram in classic.histograms {
            var places: [UInt64: Int] = [:]
            for step in 0..<grid.count where !histogram.isHidden(at: step) {
                try checkpoint(rows: histogram.rows.count)
                buckets.removeAll()
                for (row, bound) in zip(histogram.rows, histogram.bounds) {
                    let value = input[row, step]
                    if value.isPresent, !value.isHistogram { buckets.append(upperBound: bound, count: value) }
                }
                if buckets.isEmpty { continue }
                let parameters = parameters.map { $0[step] }
                let place = try place(histogram.labels, plan, parameters, answer, &places, &result)
                result[place, step] = self.answer(
                    plan, &buckets, parameters, answer, histogram.labels, grid.time(step))
            }
        }
    }

    /// The row for an answer about a histogram: always the same one, but where the quantile stands in a label and differs
    /// between steps.
    private func place(
        _ labels: LabelSet, _ plan: HistogramPlan, _ parameters: [Double], _ answer: Int, _ places: inout [UInt64: Int],
        _ result: inout SeriesTable
    ) throws(EvaluationError) -> Int {
        let quantile = plan.labelsQuantiles ? parameters[answer] : 0
        if let place = places[quantile.bitPattern] { return place }
        try reserve(rows: result.count + 1, steps: result.steps)
        result.appendRow(outputLabels(labels, plan, quantile), dropsName: delaysNameRemoval)
        places[quantile.bitPattern] = result.count - 1
        return result.count - 1
    }

    /// The native histograms of the input. Where one meets a classic one of the same labels, both are left out.
    private mutating func separated(
        _ input: SeriesTable, _ classic: inout ClassicHistograms, _ place: Place
    ) throws(EvaluationError) -> SeriesTable {
        guard holdsHistograms(input) else { return SeriesTable(steps: input.steps) }
        var native = input
        try native.transform(patience) { row, step, value in
            guard value.isHistogram else { return Absent.value }
            if classic.hide(input.labels[row], at: step, input) {
                let metric = delaysNameRemoval ? input.labels[row].name ?? "" : ""
                annotations.add(.mixedClassicAndNative(metric: metric, at: place))
                return Absent.value
            }
            return value
        }
        return native
    }

    private mutating func checkQuantiles(_ plan: HistogramPlan, _ parameters: [[Double]]) {
        let places: [Place]
        switch plan.question {
        case .quantile(_, let place): places = [place]
        case .quantiles(let plans, _): places = plans.map(\.1)
        case .fraction: return
        }
        for (values, place) in zip(parameters, places) {
            for value in values where !(value >= 0 && value <= 1) {
                annotations.add(.invalidQuantile(value, at: place))
            }
        }
    }

    private func outputLabels(_ labels: LabelSet, _ plan: HistogramPlan, _ quantile: Double) -> LabelSet {
        var labels = delaysNameRemoval ? labels : labels.droppingName()
        if case .quantiles(_, let name) = plan.question { labels[name] = Self.openMetricsText(quantile) }
        return labels
    }

    private mutating func answer(
        _ plan: HistogramPlan, _ histogram: NativeHistogram, _ parameters: [Double], _ answer: Int, _ labels: LabelSet
    ) -> Double {
        let (value, effect) =
            if case .fraction = plan.question {
                histogram.fraction(from: parameters[0], to: parameters[1])
            } else {
                histogram.quantile(parameters[answer])
            }
        if let effect {
            let metric = delaysNameRemoval ? labels.name ?? "" : ""
            annotations.add(.nanObservations(effect, metric: metric, at: plan.innerPlace))
        }
        return value
    }

    private mutating func answer(
        _ plan: HistogramPlan, _ buckets: inout ClassicBuckets, _ parameters: [Double], _ answer: Int,
        _ labels: LabelSet, _ time: Int64
    ) -> Double {
        if case .fraction = plan.question { return buckets.fraction(from: parameters[0], to: parameters[1]) }
        let (value, mending) = buckets.quantile(parameters[answer])
        if let mending {
            let detail = MonotonicityDetail(
                earliest: time, latest: time, lowestBound: mending.lowestBound, highestBound: mending.highestBound,
                differenceMax: mending.differenceMax)
            let metric = delaysNameRemoval ? labels.name ?? "" : ""
            annotations.add(.forcedMonotonicity(metric: metric, detail, at: plan.innerPlace))
        }
        return value
    }

    /// `1.0` for 1: floats in labels as OpenMetrics wants them.
    private static func openMetricsText(_ value: Double) -> String {
        let text = formatFloat(value, .general)
        let isPlain = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 >= 0x30 && $0 <= 0x39) }
        return isPlain ? text + ".0" : text
    }
}

/// The classic histograms of a table: which rows are their buckets.
struct ClassicHistograms {
    struct Histogram {
        /// Without `le`.
        let labels: LabelSet
        var rows: [Int] = []
        var bounds: [Double] = []
        /// Steps at which it is left out.
        fileprivate var hiddenSteps: Set<Int> = []

        func isHidden(at step: Int) -> Bool { !hiddenSteps.isEmpty && hiddenSteps.contains(step) }
    }

    private(set) var histograms: [Histogram] = []
    /// The rows whose `le` is none.
    private(set) var badLabels: [(metric: String, value: String)] = []
    private var places: [LabelSet: Int] = [:]

    init(_ table: SeriesTable) {
        for row in 0..<table.count where table.row(row).contains(where: { $0.isPresent && !$0.isHistogram }) {
            let text = table.labels[row][LabelSet.bucketLabel] ?? ""
            guard let bound = ClassicBuckets.bound(text) else {
                badLabels.append((table.labels[row].name ?? "", text))
                continue
            }
            let key = table.labels[row].without(LabelSet.bucketLabel)
            let place = places[key] ?? histograms.count
            if place == histograms.count {
                places[key] = place
                histograms.append(Histogram(labels: key))
            }
            histograms[place].rows.append(row)
            histograms[place].bounds.append(bound)
        }
    }

    /// Leaves out the histogram with these labels at a step, if it has buckets there; whether it has.
    fileprivate mutating func hide(_ labels: LabelSet, at step: Int, _ table: SeriesTable) -> Bool {
        guard let place = places[labels] else { return false }
        let isThere = histograms[place].rows.contains {
            table[$0, step].isPresent && !table[$0, step].isHistogram
        }
        if isThere { histograms[place].hiddenSteps.insert(step) }
        return isThere
    }
}

extension HistogramPlan {
    /// How many results each histogram gives.
    fileprivate var answers: Int {
        if case .quantiles(let plans, _) = question { return plans.count }
        return 1
    }

    /// Whether results bear their quantile in a label.
    fileprivate var labelsQuantiles: Bool {
        if case .quantiles = question { return true }
        return false
    }
}
