import PromQL
import Streams

/// One rule of a running group: how it is evaluated, and what it has brought about so far.
struct RuleRuntime: Sendable {
    let settings: RuleSettings
    let interest: InterestID
    let prepared: PreparedExpression
    /// The result of each input series depends on nothing else, so only those that changed need a look.
    let isElementWise: Bool
    /// The selectors whose samples can change the result.
    let selectors: [[Matcher]]
    let labels: [(name: String, template: RuleTemplate)]
    let annotations: [(name: String, template: RuleTemplate)]
    var alerts: ActiveAlerts
    var written = WrittenSeries()
    /// Series that changed and were not looked at yet.
    var pending: Touched.Series?
    /// Not before this time is the whole of it evaluated again between two intervals: an expensive rule waits longer.
    var notBefore = Timestamp.distantPast
    var lastError: String?
    var lastEvaluation: Timestamp?
    var lastDuration = Duration.zero

    init(_ settings: RuleSettings, interest: InterestID) throws {
        self.settings = settings
        self.interest = interest
        prepared = try PreparedExpression(settings.expression)
        let profile = ExpressionProfile(settings.expression)
        isElementWise = profile.isElementWise
        selectors = profile.selections.map(\.matchers)
        let isAlert = settings.isAlert
        labels = try settings.labels.map { ($0.name, try RuleTemplate($0.value, name: $0.name, isTemplate: isAlert)) }
        annotations = try settings.annotations.map {
            ($0.name, try RuleTemplate($0.value, name: $0.name, isTemplate: isAlert))
        }
        alerts = ActiveAlerts(holdDuration: settings.holdDuration, keepFiringFor: settings.keepFiringFor)
    }

    /// When this rule has to be looked at next, beside its group's interval.
    var nextDeadline: Timestamp? {
        let waiting = pending == nil ? nil : notBefore
        return [alerts.nextDeadline, waiting].compactMap(\.self).min()
    }

    /// The names of the metrics that it writes.
    var outputs: [String] {
        switch settings.kind {
        case .record(let name): [name]
        case .alert: ["ALERTS", "ALERTS_FOR_STATE"]
        }
    }

    /// Two rules that are the same to a user who edits another part of the file.
    func isSameRule(as other: RuleRuntime) -> Bool { settings == other.settings }
}
