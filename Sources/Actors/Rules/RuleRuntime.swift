import PromQL
import Streams

/// One rule of a running group: how it is evaluated, and what it has brought about so far.
struct RuleRuntime: Sendable {
    let settings: RuleSettings
    let interest: InterestID
    /// Its place among the rules of its group that have the same name and labels.
    let ordinal: Int
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
    /// Not before this time does a deadline of its alerts call for an evaluation.
    var deadlineNotBefore = Timestamp.distantPast
    /// Series with samples of a time still to come, and the first and the last of these times.
    private var ahead: (series: Touched.Series, first: Timestamp, last: Timestamp)?
    var lastError: String?
    var lastEvaluation: Timestamp?
    var lastDuration = Duration.zero
    /// How many samples its last evaluation gave.
    var lastSamples = 0

    init(_ settings: RuleSettings, ordinal: Int, interest: InterestID) throws {
        self.settings = settings
        self.ordinal = ordinal
        self.interest = interest
        prepared = try PreparedExpression(settings.expression)
        let profile = ExpressionProfile(settings.expression)
        isElementWise = profile.isElementWise
        selectors = profile.selections.map(\.matchers)
        let isAlert = settings.isAlert
        func templates(_ labels: [Label]) throws -> [(name: String, template: RuleTemplate)] {
            try labels.map { ($0.name, try RuleTemplate($0.value, rule: settings.name, isTemplate: isAlert)) }
        }
        labels = try templates(settings.labels)
        annotations = try templates(settings.annotations)
        alerts = ActiveAlerts(holdDuration: settings.holdDuration, keepFiringFor: settings.keepFiringFor)
    }

    /// When this rule has to be looked at next, beside its group's interval.
    var nextDeadline: Timestamp? {
        let waiting = pending == nil ? nil : notBefore
        return [alertDeadline, waiting, ahead?.first].compactMap(\.self).min()
    }

    /// When time alone changes one of its alerts.
    var alertDeadline: Timestamp? { alerts.nextDeadline.map { max($0, deadlineNotBefore) } }

    /// Notes samples that can be seen from `time` on.
    mutating func expect(_ series: Touched.Series, at time: Timestamp) {
        guard let known = ahead else { return ahead = (series, time, time) }
        ahead = (GroupInbox.merged(known.series, series), min(known.first, time), max(known.last, time))
    }

    /// Makes what can be seen by now pending. Of times in between, the last one is waited for once more.
    mutating func admitAhead(at time: Timestamp) {
        guard let known = ahead, known.first <= time else { return }
        pending = pending.map { GroupInbox.merged($0, known.series) } ?? known.series
        ahead = known.last <= time ? nil : (known.series, known.last, known.last)
    }

    /// The names of the metrics that it writes.
    var outputs: [String] {
        switch settings.kind {
        case .record(let name): [name]
        case .alert: ["ALERTS", "ALERTS_FOR_STATE"]
        }
    }
}
