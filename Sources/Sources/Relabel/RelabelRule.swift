package import Streams

/// One step of `relabel_configs` or `metric_relabel_configs`, with the semantics of Prometheus's `model/relabel`.
package struct RelabelRule: Hashable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase
    }

    package var action: Action
    package var sourceLabels: [String]
    package var separator: String
    /// Matches the whole text; the peers print it anchored.
    package var regex: RegularExpression
    package var modulus: UInt64
    package var targetLabel: String
    package var replacement: String
    /// Names that are no classic label names (`[a-zA-Z_][a-zA-Z0-9_]*`) are not written.
    package var usesLegacyNames: Bool

    package static let defaultSeparator = ";"
    package static let defaultPattern = "(.*)"
    package static let defaultReplacement = "$1"

    package init(
        _ action: Action = .replace, sourceLabels: [String] = [], separator: String = defaultSeparator,
        regex: RegularExpression, modulus: UInt64 = 0, targetLabel: String = "",
        replacement: String = defaultReplacement, usesLegacyNames: Bool = false
    ) {
        self.action = action
        self.sourceLabels = sourceLabels
        self.separator = separator
        self.regex = regex
        self.modulus = modulus
        self.targetLabel = targetLabel
        self.replacement = replacement
        self.usesLegacyNames = usesLegacyNames
    }

    /// Changes the labels, or says that what they stand for is dropped.
    /// - Returns: false: dropped; what became of the labels means nothing then.
    package func apply(to labels: inout LabelSet) -> Bool {
        switch action {
        case .keep: return regex.matches(source(in: labels))
        case .drop: return !regex.matches(source(in: labels))
        case .keepequal: return source(in: labels) == labels[targetLabel] ?? ""
        case .dropequal: return source(in: labels) != labels[targetLabel] ?? ""
        case .replace: replace(in: &labels)
        case .hashmod: labels[targetLabel] = String(md5Tail(source(in: labels)) % modulus)
        case .lowercase: labels[targetLabel] = source(in: labels).mappingScalars(\.lowercaseMapping)
        case .uppercase: labels[targetLabel] = source(in: labels).mappingScalars(\.uppercaseMapping)
        case .labelmap: mapNames(in: &labels)
        case .labeldrop: labels = LabelSet(sorted: labels.filter { !regex.matches($0.name) })
        case .labelkeep: labels = LabelSet(sorted: labels.filter { regex.matches($0.name) })
        }
        return true
    }

    private func source(in labels: LabelSet) -> String {
        if sourceLabels.count == 1 { return labels[sourceLabels[0]] ?? "" }
        return sourceLabels.map { labels[$0] ?? "" }.joined(separator: separator)
    }

    private func replace(in labels: inout LabelSet) {
        let text = source(in: labels)
        guard let match = regex.wholeMatch(text) else { return }
        let target = regex.expand(targetLabel, match: match, of: text)
        guard isLabelName(target) else { return }
        // An empty value removes the label.
        labels[target] = regex.expand(replacement, match: match, of: text)
    }

    private func mapNames(in labels: inout LabelSet) {
        for label in labels {
            guard let match = regex.wholeMatch(label.name) else { continue }
            labels[regex.expand(replacement, match: match, of: label.name)] = label.value
        }
    }

    private func isLabelName(_ name: String) -> Bool {
        usesLegacyNames ? LabelSet.isLegacyLabelName(name) : !name.isEmpty
    }
}

extension String {
    /// As Go's `strings.ToLower` and `ToUpper`: scalar by scalar; one that would become several stays as it is.
    fileprivate func mappingScalars(_ mapping: KeyPath<Unicode.Scalar.Properties, String>) -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            let mapped = scalar.properties[keyPath: mapping].unicodeScalars
            result.append(mapped.count == 1 ? mapped[mapped.startIndex] : scalar)
        }
        return String(result)
    }
}

extension Sequence where Element == RelabelRule {
    /// The labels after all rules in order; nil: dropped.
    package func relabel(_ labels: LabelSet) -> LabelSet? {
        var labels = labels
        for rule in self where !rule.apply(to: &labels) { return nil }
        return labels
    }
}
