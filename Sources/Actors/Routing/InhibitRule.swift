package import Streams

/// Alerts that match the target side are muted while another alert matches the source side and has the same values in
/// the labels of `equal`.
package struct InhibitRule: Hashable, Sendable {
    package var name: String
    package var sourceMatchers: [Matcher]
    package var targetMatchers: [Matcher]
    /// A label that both sides lack counts as equal.
    package var equal: [String]

    package init(name: String = "", sourceMatchers: [Matcher], targetMatchers: [Matcher], equal: [String] = []) {
        self.name = name
        self.sourceMatchers = sourceMatchers
        self.targetMatchers = targetMatchers
        self.equal = equal
    }

    /// The values of the labels of `equal`.
    func equalValues(_ labels: LabelSet) -> LabelSet { labels.keeping(equal) }
}
