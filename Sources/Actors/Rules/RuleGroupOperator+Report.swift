package import Streams

/// What a running rule group tells of itself.
package struct RuleGroupReport: Sendable {
    package struct Rule: Sendable {
        package var settings: RuleSettings
        package var active: [ActiveAlerts.Active]
        /// Why the last evaluation failed.
        package var lastError: String?
        /// Nil: it was not evaluated yet.
        package var lastEvaluation: Timestamp?
        package var lastDuration: Duration
    }

    package var pipeline: String
    package var name: String
    package var file: String
    package var interval: Duration
    package var limit: Int
    package var rules: [Rule]

    /// When one of its rules was evaluated last.
    package var lastEvaluation: Timestamp? { rules.compactMap(\.lastEvaluation).max() }
    /// How long the last evaluations of its rules took together.
    package var lastDuration: Duration { rules.reduce(.zero) { $0 + $1.lastDuration } }
}

extension RuleGroupOperator {
    /// Its rules in order, with their alerts, the oldest first.
    package func report() -> RuleGroupReport {
        RuleGroupReport(
            pipeline: context.pipeline, name: settings.name, file: settings.file, interval: interval,
            limit: settings.limit,
            rules: rules.map { rule in
                RuleGroupReport.Rule(
                    settings: rule.settings,
                    active: rule.alerts.active.values.sorted {
                        ($0.activeSince, $0.labels) < ($1.activeSince, $1.labels)
                    }, lastError: rule.lastError, lastEvaluation: rule.lastEvaluation,
                    lastDuration: rule.lastDuration)
            })
    }
}

private func < (left: (Timestamp, LabelSet), right: (Timestamp, LabelSet)) -> Bool {
    left.0 == right.0 ? left.1.lexicographicallyPrecedes(right.1) : left.0 < right.0
}
