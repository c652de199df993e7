import Streams
package import YAML

extension Format where Value == RelabelRule {
    /// One entry of `relabel_configs`.
    /// - Parameter legacyNames: names follow the classic rule (`metric_name_validation_scheme: legacy`).
    package static func relabelRule(legacyNames: Bool = false) -> Format {
        Format { node, diagnostics in RelabelRule(node, legacyNames: legacyNames, diagnostics) }
    }
}

extension RelabelRule {
    package init?(_ node: Node, legacyNames: Bool, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a relabel config", diagnostics)
        let before = diagnostics.errors.count
        let name = reader.text("action", default: Action.replace.rawValue)
        let sources = reader.list("source_labels", of: .text)
        let separator = reader.value("separator", .text, default: Self.defaultSeparator)
        let pattern = reader.optional("regex", .text)
        let modulus = reader.optional("modulus", .unsigned) ?? 0
        let target = reader.value("target_label", .text, default: "")
        let replacement = reader.value("replacement", .text, default: Self.defaultReplacement)
        reader.finish()

        guard let action = Action(rawValue: name.lowercased()) else {
            let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
            reader.report(.invalid("unknown relabel action \(quoted(name)); known are \(known)"), at: "action")
            return nil
        }
        let expression: RegularExpression
        do throws(RegularExpression.SyntaxError) {
            expression = try RegularExpression(pattern ?? Self.defaultPattern)
        } catch {
            reader.report(.invalid(error.description), at: "regex")
            return nil
        }
        self.init(
            action, sourceLabels: sources, separator: separator, regex: expression, modulus: modulus,
            targetLabel: target, replacement: replacement, usesLegacyNames: legacyNames)
        check(reader)
        if diagnostics.errors.count > before { return nil }
    }

    /// What must be set, and what must not, for the action.
    private func check(_ reader: MappingReader) {
        let verb = action.rawValue
        switch action {
        case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
            if targetLabel.isEmpty {
                reader.report(.invalid("a relabel config with action \(verb) needs \"target_label\""), at: "action")
            } else if !isValidTarget {
                reader.report(
                    .invalid("\(quoted(targetLabel)) is no label name for the action \(verb)"), at: "target_label")
            }
        default: break
        }
        if action == .hashmod, modulus == 0 {
            reader.report(.invalid("a relabel config with action hashmod needs a \"modulus\" above 0"), at: "modulus")
        }
        if action == .labelmap, !isValidMapping {
            reader.report(
                .invalid("\(quoted(replacement)) is no label name for the action labelmap"), at: "replacement")
        }
        if action == .labeldrop || action == .labelkeep {
            forbid(["source_labels", "target_label", "modulus", "separator", "replacement"], only: "\"regex\"", reader)
        }
        if action == .keepequal || action == .dropequal {
            forbid(
                ["regex", "modulus", "separator", "replacement"], only: "\"source_labels\" and \"target_label\"", reader
            )
        }
    }

    private func forbid(_ keys: [String], only allowed: String, _ reader: MappingReader) {
        for key in keys where reader.isPresent(key) {
            reader.report(.conflict("the action \(action.rawValue) takes only \(allowed), not \(quoted(key))"), at: key)
        }
    }

    /// `replace` expands the target; the other actions take it as it is.
    private var isValidTarget: Bool {
        guard usesLegacyNames else { return true }
        return action == .replace ? Self.isLegacyTemplate(targetLabel) : LabelSet.isLegacyLabelName(targetLabel)
    }

    private var isValidMapping: Bool {
        usesLegacyNames ? Self.isLegacyTemplate(replacement) : !replacement.isEmpty
    }

    // Sound: an immutable value, and RE2 is safe to share.
    private static let legacyTemplate = try? RegularExpression(
        #"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+"#)

    private static func isLegacyTemplate(_ text: String) -> Bool { legacyTemplate?.matches(text) ?? false }
}

extension Format where Value == UInt64 {
    /// A whole number up to 2^64 - 1.
    static var unsigned: Format { .scalar("a whole number that is not negative") { UInt64($0.text) } }
}
