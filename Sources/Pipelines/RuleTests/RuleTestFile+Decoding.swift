internal import Streams
internal import YAML

extension RuleTestFile {
    /// Reads a test file's document; what is wrong is reported.
    init(_ root: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(root, "a file of rule tests", diagnostics)
        let interval = reader.value("evaluation_interval", .duration(), default: .zero)
        let isNothing = interval == .zero
        let evaluationInterval = isNothing ? .seconds(60) : interval
        self.init(
            path: root.source.file, ruleFiles: reader.list("rule_files", of: Format<String>.text.located),
            evaluationInterval: evaluationInterval,
            groupOrder: Self.groupOrder(reader), isFuzzy: reader.bool("fuzzy_compare", default: false),
            tests: reader.list("tests", of: .anything).enumerated().map { number, node in
                RuleTest(node, number: number, interval: evaluationInterval, diagnostics)
            })
        reader.finish()
    }

    private static func groupOrder(_ reader: MappingReader) -> [String] {
        var seen: Set<String> = []
        for group in reader.list("group_eval_order", of: Format<String>.text.located)
        where !seen.insert(group.value).inserted {
            reader.diagnostics.report(
                .conflict("group \(quoted(group.value)) is repeated in the order of evaluation"), at: group.node)
        }
        return reader.list("group_eval_order", of: .text)
    }
}

extension RuleTest {
    fileprivate init(_ node: Node, number: Int, interval fallback: Duration, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a rule test", diagnostics)
        let interval = reader.value("interval", .duration(), default: .zero)
        self.init(
            name: reader.text("name", default: ""), number: number, location: node.location,
            interval: interval == .zero ? fallback : interval,
            start: reader.value("start_timestamp", .startTime, default: Timestamp(milliseconds: 0)),
            series: reader.list("input_series", of: .anything).map { Series($0, diagnostics) },
            alertChecks: reader.list("alert_rule_test", of: .anything).map { AlertCheck($0, diagnostics) },
            expressionChecks: reader.list("promql_expr_test", of: .anything).map { ExpressionCheck($0, diagnostics) },
            externalLabels: reader.value("external_labels", .labels, default: LabelSet()),
            externalURL: reader.text("external_url", default: ""))
        reader.finish()
    }
}

extension RuleTest.Series {
    fileprivate init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an input series", diagnostics)
        self.init(
            labels: reader.optional("series", Format<String>.text.located) ?? Located("", node),
            values: reader.optional("values", Format<String>.text.located))
        reader.finish()
    }
}

extension RuleTest.AlertCheck {
    fileprivate init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an alert test", diagnostics)
        let time = reader.value("eval_time", .duration(), default: .zero)
        let alert = reader.text("alertname", default: "")
        self.init(
            location: node.location, time: time, alert: alert,
            expected: reader.list("exp_alerts", of: .anything).map { RuleTest.Alert($0, named: alert, diagnostics) })
        reader.finish()
    }
}

extension RuleTest.Alert {
    fileprivate init(_ node: Node, named name: String, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an expected alert", diagnostics)
        func pairs(_ key: String) -> [String: String] {
            let list = reader.value(key, Format<[Label]>.labelList, default: [])
            return Dictionary(list.map { ($0.name, $0.value) }) { _, last in last }
        }
        self.init(
            labels: pairs("exp_labels").merging(["alertname": name]) { _, name in name },
            annotations: pairs("exp_annotations"))
        reader.finish()
    }
}

extension RuleTest.ExpressionCheck {
    fileprivate init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an expression test", diagnostics)
        self.init(
            location: node.location, time: reader.value("eval_time", .duration(), default: .zero),
            expression: reader.optional("expr", Format<String>.text.located) ?? Located("", node),
            expected: reader.list("exp_samples", of: .anything).map { RuleTest.Sample($0, diagnostics) })
        reader.finish()
    }
}

extension RuleTest.Sample {
    fileprivate init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an expected sample", diagnostics)
        func text(_ key: String) -> Located<String>? {
            reader.optional(key, Format<String>.text.located).flatMap { $0.value.isEmpty ? nil : $0 }
        }
        self.init(
            location: node.location, labels: text("labels"), value: reader.value("value", .number, default: 0),
            histogram: text("histogram"))
        reader.finish()
    }
}

extension Format where Value == Node {
    /// A mapping, or nothing, which is a mapping without keys.
    fileprivate static var anything: Format { Format { node, _ in node } }
}

extension Format where Value == Timestamp {
    /// RFC 3339, or seconds since the epoch.
    fileprivate static var startTime: Format {
        .scalar("a time such as 2026-01-01T00:00:00Z, or seconds since the epoch") { scalar in
            if let seconds = Double(scalar.text) {
                return seconds.magnitude < 1e11 ? Timestamp(milliseconds: Int64((seconds * 1000).rounded(.down))) : nil
            }
            return Timestamp(rfc3339: scalar.text)
        }
    }
}
