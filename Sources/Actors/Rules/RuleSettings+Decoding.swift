package import PromQL
package import Streams
package import YAML

extension RuleSettings {
    /// What rules a place takes.
    package enum Accepted: Sendable {
        case any
        case recording
        case alerting
    }

    /// Reads one rule, with the checks of Prometheus's `rulefmt`.
    /// - Parameters:
    ///   - groupLabels: laid under the rule's own labels.
    /// - Returns: nil when something is wrong with it, which is reported.
    package init?(
        _ node: Node, groupLabels: [Label] = [], accepting accepted: Accepted = .any,
        options: ParserOptions = .standard,
        diagnostics: Diagnostics
    ) {
        let reader = MappingReader(node, "a rule", diagnostics)
        defer { reader.finish() }
        let kind = Self.kind(reader, accepted)
        let expression = Self.expression(reader, options)
        let labels = Self.labels(reader, groupLabels)
        let annotations = reader.value("annotations", .labelList, default: [])
        let holdDuration = reader.value("for", .duration(), default: .zero)
        let keepFiringFor = reader.value("keep_firing_for", .duration(), default: .zero)
        if case .record(let name) = kind {
            Self.checkRecording(reader, name, holdDuration, keepFiringFor, hasAnnotations: !annotations.isEmpty)
        } else if case .alert = kind {
            Self.checkTemplates(reader)
        }
        guard let kind, let (parsed, text) = expression else { return nil }
        self.init(
            kind: kind, expression: parsed, expressionText: text, holdDuration: holdDuration,
            keepFiringFor: keepFiringFor, labels: labels, annotations: annotations.sorted(),
            origin: Origin(node.location))
    }

    private static func kind(_ reader: MappingReader, _ accepted: Accepted) -> Kind? {
        let record = reader.text("record") ?? ""
        let alert = reader.text("alert") ?? ""
        switch (record.isEmpty, alert.isEmpty, accepted) {
        case (false, false, _):
            reader.report(.conflict("a rule has either \"record\" or \"alert\", not both"), at: "alert")
        case (true, true, .any):
            if reader.node.entries != nil {
                reader.report(.invalid("a rule needs \"record\" or \"alert\" with a name"), at: "")
            }
        case (false, true, .alerting):
            reader.report(.invalid("a recording rule belongs under \"windows\""), at: "record")
        case (true, false, .recording):
            reader.report(.invalid("an alerting rule belongs under \"rules\""), at: "alert")
        case (_, true, .alerting): reader.report(.missingKey("alert", in: "an alerting rule"), at: "")
        case (true, _, .recording): reader.report(.missingKey("record", in: "a recording rule"), at: "")
        case (false, true, _): return .record(record)
        case (true, false, _): return .alert(alert)
        }
        return nil
    }

    private static func expression(_ reader: MappingReader, _ options: ParserOptions) -> (Expression, String)? {
        guard let node = reader.required("expr", Format<String>.nonEmptyText.located)?.node, let text = node.text else {
            return nil
        }
        do throws(ParseError) {
            let parsed = try PromQLParser.parse(text, options: options)
            return (parsed, text.trimmingBlanks)
        } catch {
            reader.diagnostics.report(
                .expression(ExpressionProblem.text(error, in: text)), at: node.location(ofByte: error.place.start))
            return nil
        }
    }

    private static func labels(_ reader: MappingReader, _ groupLabels: [Label]) -> [Label] {
        let own = reader.value("labels", .ruleLabels, default: [])
        let names = Set(own.map(\.name))
        return (own + groupLabels.filter { !names.contains($0.name) }).sorted()
    }

    private static func checkRecording(
        _ reader: MappingReader, _ name: String, _ hold: Duration, _ keep: Duration, hasAnnotations: Bool
    ) {
        func refuse(_ key: String) {
            reader.report(.invalid("a recording rule has no \(quoted(key)); only alerting rules do"), at: key)
        }
        if hold > .zero { refuse("for") }
        if keep > .zero { refuse("keep_firing_for") }
        if hasAnnotations { refuse("annotations") }
        if name.contains(where: { $0 == "{" || $0 == "}" }) {
            reader.report(
                .invalid("\(quoted(name)) is no metric's name; braces belong into \"expr\" or \"labels\""),
                at: "record")
        }
    }

    /// Labels and annotations of an alerting rule have to parse as templates.
    private static func checkTemplates(_ reader: MappingReader) {
        for key in ["labels", "annotations"] {
            for entry in reader.node(key)?.entries ?? [] {
                guard let text = entry.value.text else { continue }
                if let (message, offset) = RuleTemplateSyntax.problem(text) {
                    reader.diagnostics.report(
                        .expression("bad template: \(message)"), at: entry.value.location(ofByte: offset))
                }
            }
        }
    }
}

extension Format where Value == [Label] {
    /// Labels that a rule or a group of rules sets: any name but the metric's.
    package static var ruleLabels: Format<[Label]> {
        Format { node, diagnostics in
            guard let labels = labelList.decode(node, diagnostics) else { return nil }
            for entry in node.entries ?? [] where entry.key.scalar?.text == LabelSet.metricName {
                diagnostics.report(
                    .invalid("a rule cannot set the label \"__name__\"; \"record\" names the metric"), at: entry.key)
            }
            return labels
        }
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        func isBlank(_ character: Character) -> Bool { character.isWhitespace }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
