import PromQL
import Streams
import Templates

/// What the templates of a rule are expanded with.
struct RuleTemplateData<Reader: SeriesReader>: Sendable {
    /// What the alert comes from.
    var sample: VectorSample
    var externalLabels: LabelSet
    var externalURL: String
    var time: Timestamp
    /// Where `query` reads, and how it is read and evaluated.
    var reader: Reader
    var language: ParserOptions
    var evaluation: EvaluationSettings
}

/// A label's or annotation's value of a rule: a template for alerting rules, plain text for recording rules.
struct RuleTemplate: Sendable {
    let text: String
    private let name: String
    private let template: AnnotationTemplate?

    /// - Parameter rule: the rule's name, which errors tell.
    init(_ text: String, rule: String, isTemplate: Bool) throws {
        self.text = text
        name = "__alert_" + rule
        template = isTemplate ? try AnnotationTemplate(text, name: name) : nil
    }

    /// The text for one alert. A template that fails never loses the alert: the text then says what is wrong, as
    /// Prometheus's does.
    func expand<Reader>(_ data: RuleTemplateData<Reader>, _ telemetry: RuleTelemetry) async -> String {
        guard let template, !template.isConstant else { return text }
        let context = AnnotationTemplate.Context(
            labels: data.sample.labels, value: data.sample.value, valueText: data.sample.histogram?.text,
            externalLabels: data.externalLabels, externalURL: data.externalURL, time: data.time)
        do {
            let expanded = try await template.expand(context) { text in try await query(text, data) }
            telemetry.expanded(failed: false)
            return expanded
        } catch {
            telemetry.expanded(failed: true)
            return "<error expanding template: error executing template \(name): \(error)>"
        }
    }

    private func query<Reader>(_ text: String, _ data: RuleTemplateData<Reader>) async throws -> [QuerySample] {
        let expression = try PromQLParser.parse(text, options: data.language)
        let evaluator = Evaluator(reader: data.reader, settings: data.evaluation)
        switch try await evaluator.instant(expression, at: data.time).value {
        case .vector(let samples):
            return samples.map { QuerySample(labels: $0.labels, value: $0.value, valueText: $0.histogram?.text) }
        case .scalar(let value, _): return [QuerySample(labels: LabelSet(), value: value)]
        case .string(let text, _): return [QuerySample(labels: LabelSet([Label("__value__", text)]), value: 0)]
        case .matrix: throw QueryFailure()
        }
    }

    private struct QueryFailure: Error, CustomStringConvertible {
        var description: String { "query result is not a vector, scalar or string" }
    }
}
