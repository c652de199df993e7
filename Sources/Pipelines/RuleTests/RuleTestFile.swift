package import Streams
package import YAML

/// A file of unit tests of rules as it is written: the language of `promtool test rules`, Prometheus 3.14.
package struct RuleTestFile: Sendable {
    package var path: String
    /// Patterns of the rule files, relative to this file.
    package var ruleFiles: [Located<String>]
    /// How often all groups are evaluated, whatever intervals they have.
    package var evaluationInterval: Duration
    /// The names of groups in the order of their evaluation; groups that are not listed come with the first.
    package var groupOrder: [String]
    /// Values may differ by the least step of a float.
    package var isFuzzy: Bool
    package var tests: [RuleTest]
}

/// One of the `tests`: series, and what the rules make of them. Times count from `start`.
package struct RuleTest: Sendable {
    /// Empty where it has none.
    package var name: String
    /// Its place in the file, from 0.
    package var number: Int
    package var location: SourceLocation
    /// The time between two values of a series.
    package var interval: Duration
    package var start: Timestamp
    package var series: [Series]
    package var alertChecks: [AlertCheck]
    package var expressionChecks: [ExpressionCheck]
    package var externalLabels: LabelSet
    package var externalURL: String

    /// What it is called in reports.
    package var title: String { name.isEmpty ? "unnamed#\(number)" : name }

    /// The last time that something is checked at.
    package var duration: Duration {
        max(alertChecks.map(\.time).max() ?? .zero, expressionChecks.map(\.time).max() ?? .zero)
    }

    /// An input series: its labels, and its values in series notation.
    package struct Series: Sendable {
        package var labels: Located<String>
        package var values: Located<String>?
    }

    /// The alerts of that name that fire at a time.
    package struct AlertCheck: Sendable {
        package var location: SourceLocation
        package var time: Duration
        package var alert: String
        package var expected: [Alert]
    }

    /// An alert that fires. Both by name, empty values kept, as they are written.
    package struct Alert: Sendable, Hashable {
        package var labels: [String: String]
        package var annotations: [String: String]

        /// By bytes, as promtool compares.
        package static func == (left: Self, right: Self) -> Bool {
            left.labels.mapValues(ByteText.init) == right.labels.mapValues(ByteText.init)
                && left.annotations.mapValues(ByteText.init) == right.annotations.mapValues(ByteText.init)
        }

        package func hash(into hasher: inout Hasher) { hasher.combine(labels.mapValues(ByteText.init)) }
    }

    /// What an expression gives at a time.
    package struct ExpressionCheck: Sendable {
        package var location: SourceLocation
        package var time: Duration
        package var expression: Located<String>
        package var expected: [Sample]
    }

    package struct Sample: Sendable {
        package var location: SourceLocation
        /// The labels in series notation; nil for none.
        package var labels: Located<String>?
        package var value: Double
        /// A native histogram in series notation, in place of the value.
        package var histogram: Located<String>?
    }
}
