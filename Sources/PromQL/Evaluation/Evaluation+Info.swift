import Streams

extension Evaluation {
    /// The labels by which a series and an info series belong together.
    private static let identifying = ["instance", "job"]

    /// `info`: the input with the labels of the info series that stand for the same target.
    mutating func enriched(_ plan: InfoPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let input = try vector(plan.inner, grid)
        try refuseHistograms(plan, grid)
        let times = try samples(of: plan.selector, grid, .time)
        let isInfo = input.labels.map { labels in plan.nameMatchers.allSatisfy { $0.accepts(labels.name ?? "") } }
        let info = infoSeries(times, for: input, isInfo)
        var result = SeriesTable(steps: grid.count)
        var places: [LabelSet: Int] = [:]
        for row in 0..<input.count {
            try checkpoint()
            let key = input.labels[row].only(Self.identifying)
            for step in 0..<grid.count where input[row, step].isPresent {
                var labels = input.labels[row]
                if !isInfo[row] {
                    guard let enriched = try enrich(labels, with: info[key] ?? [:], times, step, plan.dataMatchers)
                    else { continue }
                    labels = enriched
                }
                let place: Int
                if let known = places[labels] {
                    place = known
                } else {
                    place = result.count
                    places[labels] = place
                    result.appendRow(labels, dropsName: input.dropsName[row])
                }
                if result[place, step].isPresent { throw .equalLabels }
                result[place, step] = input[row, step]
            }
        }
        return result
    }

    private mutating func refuseHistograms(_ plan: InfoPlan, _ grid: StepGrid) throws(EvaluationError) {
        if pool.isEmpty { return }
        let info = try samples(of: plan.selector, grid, .value)
        for row in 0..<info.count where info.row(row).contains(where: \.isHistogram) {
            throw .execution("this should be an info metric, with float samples: \(info.labels[row])")
        }
    }

    /// The rows of the info series, by what they identify and by metric.
    private func infoSeries(
        _ table: SeriesTable, for input: SeriesTable, _ isInfo: [Bool]
    ) -> [LabelSet: [ByteText: [Int]]] {
        var wanted: [String: Set<ByteText>] = [:]
        for row in 0..<input.count where !isInfo[row] {
            for name in Self.identifying {
                if let value = input.labels[row][name] { wanted[name, default: []].insert(ByteText(value)) }
            }
        }
        if wanted.isEmpty { return [:] }
        var result: [LabelSet: [ByteText: [Int]]] = [:]
        for row in 0..<table.count {
            let labels = table.labels[row]
            guard wanted.allSatisfy({ $0.value.contains(ByteText(labels[$0.key] ?? "")) }) else { continue }
            result[labels.only(Self.identifying), default: [:]][ByteText(labels.name ?? ""), default: []].append(row)
        }
        return result
    }

    /// The labels with those of the newest info series of each metric; nil where none is there though the call demands
    /// one.
    private func enrich(
        _ labels: LabelSet, with info: [ByteText: [Int]], _ table: SeriesTable, _ step: Int, _ matchers: [Matcher]
    ) throws(EvaluationError) -> LabelSet? {
        var added = LabelSet()
        var found = false
        for name in info.keys.sorted() {
            guard let row = try newest(info[name] ?? [], table, step) else { continue }
            found = true
            for label in table.labels[row] where label.name != LabelSet.metricName {
                if !matchers.isEmpty, !matchers.contains(where: { $0.name.hasSameBytes(as: label.name) }) { continue }
                if let other = added[label.name], !other.hasSameBytes(as: label.value) {
                    throw .execution("conflicting label: \(label.name)")
                }
                if labels[label.name] == nil { added[label.name] = label.value }
            }
        }
        if !found, !matchers.allSatisfy({ $0.accepts("") }) { return nil }
        return labels.merging(added)
    }

    private func newest(_ rows: [Int], _ table: SeriesTable, _ step: Int) throws(EvaluationError) -> Int? {
        var best: Int?
        for row in rows where table[row, step].isPresent {
            guard let current = best else {
                best = row
                continue
            }
            if table[row, step] > table[current, step] { best = row }
            if table[row, step] == table[current, step] {
                let time = Int64(table[row, step] * 1000)
                throw .execution(
                    "found duplicate series for info metric: existing \(table.labels[current]) @ \(time), "
                        + "new \(table.labels[row]) @ \(time)")
            }
        }
        return best
    }
}
