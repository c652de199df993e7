package import PromQL
import Streams
package import YAML

extension RuleGroupSettings {
    /// Reads a whole rule file of Prometheus: its `groups`. An empty file has none.
    package static func decodeFile(
        _ root: Node, options: ParserOptions = .standard, diagnostics: Diagnostics
    ) -> [RuleGroupSettings] {
        let reader = MappingReader(root, "a rule file", diagnostics)
        let groups = reader.list("groups", of: Format<RuleGroupSettings>.group(file: root.source.file, options).located)
        reader.finish()
        var seen: [String: SourceLocation] = [:]
        for group in groups {
            if let first = seen[group.value.name] {
                diagnostics.report(
                    .conflict("group \(quoted(group.value.name)) is already in line \(first.line) of this file"),
                    at: group.node["name"] ?? group.node)
            }
            seen[group.value.name] = group.location
        }
        return groups.map(\.value)
    }

    fileprivate init(_ node: Node, file: String, options: ParserOptions, diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a rule group", diagnostics)
        let labels = reader.value("labels", .ruleLabels, default: [])
        self.init(
            name: reader.required("name", .nonEmptyText, or: ""), file: file,
            interval: reader.optional("interval", .duration()).flatMap { $0 == .zero ? nil : $0 },
            queryOffset: reader.optional("query_offset", .duration()),
            limit: max(0, reader.value("limit", .integer(), default: 0)),
            rules: reader.list("rules", of: .rule(labels, options)).compactMap { $0 },
            origin: Origin(node.location))
        reader.finish()
    }
}

extension Format where Value == RuleGroupSettings {
    fileprivate static func group(file: String, _ options: ParserOptions) -> Format<RuleGroupSettings> {
        .nested { RuleGroupSettings($0, file: file, options: options, diagnostics: $1) }
    }
}

extension Format where Value == RuleSettings? {
    /// A null item is no rule, as for Prometheus.
    fileprivate static func rule(_ groupLabels: [Label], _ options: ParserOptions) -> Format<RuleSettings?> {
        .nested { node, diagnostics in
            node.isNull ? nil : RuleSettings(node, groupLabels: groupLabels, options: options, diagnostics: diagnostics)
        }
    }
}
