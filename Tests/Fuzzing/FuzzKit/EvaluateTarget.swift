import PromQL
import Streams

/// The evaluator, over `FuzzData`: an expression gives a result or an error in time, results are well-formed, and a range
/// query says at each of its steps what an instant query says there.
package struct EvaluateTarget: FuzzTarget {
    package let name = "evaluate"

    package init() {}

    package func check(_ input: [UInt8]) async throws(FuzzFinding) {
        let text = String(decoding: input, as: UTF8.self)
        guard let expression = try? PromQLParser.parse(text, options: .everything) else { return }
        let draw = Self.hash(input)
        var settings = EvaluationSettings()
        settings.samplesMax = 200_000
        settings.delaysNameRemoval = draw & 1 == 0
        settings.usesStartTimestamps = draw & 2 == 0
        let deadline = ContinuousClock.now + .seconds(1)
        settings.isPastDeadline = { ContinuousClock.now > deadline }
        let start = Timestamp(milliseconds: Int64(draw >> 2 & 0xFFF) * 1000 - 200_000)
        let step = [1, 30, 60, 97, 600][Int(draw >> 16) % 5]
        let steps = [0, 1, 3, 12][Int(draw >> 20) % 4]
        let evaluator = Evaluator(reader: FuzzData.series, settings: settings)
        guard expression.type == .vector || expression.type == .scalar else {
            _ = try await instant(expression, start, evaluator)
            return
        }
        let end = start + .seconds(step * steps)
        let result: QueryResult
        do throws(EvaluationError) {
            result = try await evaluator.range(expression, from: start, through: end, step: .seconds(step))
        } catch {
            _ = try await instant(expression, start, evaluator)
            return
        }
        guard case .matrix(let matrix) = result.value else { throw FuzzFinding("a range query gave no matrix") }
        try checkForm(matrix)
        _ = (result.warnings(in: text), result.infos(in: text))
        if Self.maySayOtherwise(expression.description, settings) { return }
        for number in 0...steps {
            let time = start + .seconds(step * number)
            guard let elements = try await instant(expression, time, evaluator) else { continue }
            try compare(matrix, elements, time)
        }
    }

    /// Whether a range may differ from its instants: what asks when it is asked says another thing then; among equal values
    /// any are the first; sums depend on the order; and with names dropped at the end, rows meet that only differ in that.
    private static func maySayOtherwise(_ text: String, _ settings: EvaluationSettings) -> Bool {
        if settings.delaysNameRemoval, text.contains(" or ") { return true }
        return ["start()", "end()", "range()", "step()", "topk", "bottomk", "limitk", "sort", "count_values"].contains {
            text.contains($0)
        }
    }

    /// What an instant query gives; nothing where it fails.
    private func instant(
        _ expression: Expression, _ time: Timestamp, _ evaluator: Evaluator<MemorySeries>
    ) async throws(FuzzFinding) -> [VectorSample]? {
        let result: QueryResult
        do throws(EvaluationError) {
            result = try await evaluator.instant(expression, at: time)
        } catch {
            return nil
        }
        switch result.value {
        case .vector(let samples):
            var seen: Set<LabelSet> = []
            for sample in samples where !seen.insert(sample.labels).inserted {
                throw FuzzFinding("\(sample.labels) comes twice")
            }
            return samples
        case .scalar(let value, let at): return [VectorSample(labels: [:], value: value, timestamp: at)]
        case .matrix(let matrix):
            try checkForm(matrix)
            return nil
        case .string: return nil
        }
    }

    private func checkForm(_ matrix: [SeriesSamples]) throws(FuzzFinding) {
        var seen: Set<LabelSet> = []
        for series in matrix {
            if !seen.insert(series.labels).inserted { throw FuzzFinding("\(series.labels) comes twice") }
            if series.timestamps.count != series.values.count { throw FuzzFinding("columns of different lengths") }
            if zip(series.timestamps, series.timestamps.dropFirst()).contains(where: { $0 >= $1 }) {
                throw FuzzFinding("\(series.labels): timestamps that do not rise")
            }
            for value in series.values where value.isHistogram && value.histogramPlace >= series.histograms.count {
                throw FuzzFinding("\(series.labels): a histogram that is not there")
            }
        }
    }

    private func compare(
        _ matrix: [SeriesSamples], _ elements: [VectorSample], _ time: Timestamp
    ) throws(FuzzFinding) {
        var ranged: [LabelSet: String] = [:]
        for series in matrix {
            guard let place = series.timestamps.firstIndex(of: time.milliseconds) else { continue }
            let value = series.values[place]
            ranged[series.labels] = value.isHistogram ? series.histograms[value.histogramPlace].text : "\(value)"
        }
        for element in elements {
            let wanted = element.histogram?.text ?? "\(element.value)"
            let found = ranged.removeValue(forKey: element.labels)
            if found != wanted {
                throw FuzzFinding(
                    "at \(time.milliseconds) \(element.labels) is \(wanted), in a range \(found ?? "absent")")
            }
        }
        if let more = ranged.first { throw FuzzFinding("at \(time.milliseconds) a range has \(more) besides") }
    }

    /// FNV-1a.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
