import Streams

extension Evaluation {
    /// Quantiles and fractions of classic histograms: series that differ in `le` alone are one histogram.
    mutating func histograms(_ plan: HistogramPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var parameters: [[Double]] = []
        for parameter in plan.question.parameters { parameters.append(try scalars(parameter, grid)) }
        let input = try vector(plan.inner, grid)
        checkQuantiles(plan, parameters)
        let histograms = classicHistograms(input, plan.innerPlace)
        let answers = plan.answers
        try reserve(rows: histograms.count * max(answers, 1), steps: grid.count)
        var result = SeriesTable(steps: grid.count)
        var buckets = ClassicBuckets()
        for answer in 0..<answers {
            for histogram in histograms {
                try checkpoint(rows: histogram.rows.count)
                let labels = outputLabels(histogram.labels, plan, parameters, answer)
                result.appendRow(labels, dropsName: delaysNameRemoval)
                for step in 0..<grid.count {
                    buckets.removeAll()
                    for (row, bound) in zip(histogram.rows, histogram.bounds) where input[row, step].isPresent {
                        buckets.append(upperBound: bound, count: input[row, step])
                    }
                    if buckets.isEmpty { continue }
                    result[result.count - 1, step] = self.answer(
                        plan, &buckets, parameters.map { $0[step] }, answer, histogram.labels, grid.time(step))
                }
                result.dropLastRowIfEmpty()
            }
        }
        return try merged(result)
    }

    private struct ClassicHistogram {
        /// Without `le`.
        let labels: LabelSet
        var rows: [Int] = []
        var bounds: [Double] = []
    }

    private mutating func classicHistograms(_ input: SeriesTable, _ place: Place) -> [ClassicHistogram] {
        var histograms: [ClassicHistogram] = []
        var places: [LabelSet: Int] = [:]
        for row in 0..<input.count {
            let text = input.labels[row][LabelSet.bucketLabel] ?? ""
            guard let bound = Self.bound(text) else {
                let metric = delaysNameRemoval ? input.labels[row].name ?? "" : ""
                annotations.add(.badBucketLabel(text, metric: metric, at: place))
                continue
            }
            let key = input.labels[row].without(LabelSet.bucketLabel)
            let number: Int
            if let known = places[key] {
                number = known
            } else {
                number = histograms.count
                places[key] = number
                histograms.append(ClassicHistogram(labels: key))
            }
            histograms[number].rows.append(row)
            histograms[number].bounds.append(bound)
        }
        return histograms
    }

    /// A float as Go reads it.
    private static func bound(_ text: String) -> Double? {
        switch text {
        case "+Inf", "Inf": .infinity
        case "-Inf": -.infinity
        default: Double(text)
        }
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

    private func outputLabels(
        _ labels: LabelSet, _ plan: HistogramPlan, _ parameters: [[Double]], _ answer: Int
    ) -> LabelSet {
        var labels = delaysNameRemoval ? labels : labels.droppingName()
        if case .quantiles(_, let name) = plan.question {
            labels[name] = Self.openMetricsText(parameters[answer].first ?? .nan)
        }
        return labels
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

extension HistogramPlan {
    /// How many results each histogram gives.
    fileprivate var answers: Int {
        if case .quantiles(let plans, _) = question { return plans.count }
        return 1
    }
}
