package import Streams

/// Finds out whether an alert is muted by another one. Looks at the alerts of the registry that match a rule's source
/// side, found by their values of the rule's `equal` labels.
package struct Inhibitor: Sendable {
    private struct Indexed {
        let rule: InhibitRule
        var sources: [LabelSet: Set<Fingerprint>] = [:]
    }

    private var rules: [Indexed]

    package init(_ rules: [InhibitRule]) { self.rules = rules.map { Indexed(rule: $0) } }

    /// Notes an alert that is new in the registry.
    package mutating func observe(_ alert: Alert) {
        for index in rules.indices where rules[index].rule.sourceMatchers.accept(alert.labels) {
            rules[index].sources[rules[index].rule.equalValues(alert.labels), default: []].insert(alert.fingerprint)
        }
    }

    /// Starts over with what the registry still holds.
    package mutating func rebuild(from registry: AlertRegistry) {
        for index in rules.indices { rules[index].sources = [:] }
        for alert in registry.alerts { observe(alert) }
    }

    /// The alert that mutes one with these labels, or nil. Who matches both sides of a rule is not muted by others that
    /// do so too, thus never by itself.
    package func inhibitor(of labels: LabelSet, at now: Timestamp, in registry: AlertRegistry) -> Fingerprint? {
        for indexed in rules where indexed.rule.targetMatchers.accept(labels) {
            guard let candidates = indexed.sources[indexed.rule.equalValues(labels)] else { continue }
            let isTwoSided = indexed.rule.sourceMatchers.accept(labels)
            let found = candidates.first { fingerprint in
                guard let source = registry[fingerprint], !source.isResolved(at: now) else { return false }
                return !isTwoSided || !indexed.rule.targetMatchers.accept(source.labels)
            }
            if let found { return found }
        }
        return nil
    }
}
