/// What a receiver is told about a group of alerts: the data of Alertmanager's `template.Data` and of its webhook.
package struct Notification: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable { case firing, resolved }

    /// Unique for each notification and the same on every try: what a receiver can tell repeats by.
    package var id: String
    package var pipeline: String
    /// The receiver's name.
    package var receiver: String
    /// The route and the values of `group_by`: `{}/{team="ml"}:{alertname="X"}`.
    package var groupKey: String
    package var groupLabels: LabelSet
    package var routeLabels: LabelSet
    /// Sorted as they are to be shown; resolved ones only where the sink wants them.
    package var alerts: [Alert]
    /// The time that tells firing alerts from resolved ones.
    package var time: Timestamp
    package var externalURL: String
    /// Why it is sent, in Alertmanager's words: "first notification", "new alerts in group", "repeat interval elapsed"...
    package var reason: String

    package init(
        id: String, pipeline: String, receiver: String, groupKey: String, groupLabels: LabelSet,
        routeLabels: LabelSet = LabelSet(), alerts: [Alert], time: Timestamp, externalURL: String, reason: String = ""
    ) {
        self.id = id
        self.pipeline = pipeline
        self.receiver = receiver
        self.groupKey = groupKey
        self.groupLabels = groupLabels
        self.routeLabels = routeLabels
        self.alerts = alerts
        self.time = time
        self.externalURL = externalURL
        self.reason = reason
    }

    package var firing: [Alert] { alerts.filter { !$0.isResolved(at: time) } }
    package var resolved: [Alert] { alerts.filter { $0.isResolved(at: time) } }
    /// Firing as long as one alert is.
    package var status: Status { alerts.contains { !$0.isResolved(at: time) } ? .firing : .resolved }

    /// The labels that all alerts share with the same value.
    package var commonLabels: LabelSet { Self.common(alerts.map(\.labels)) }
    package var commonAnnotations: LabelSet { Self.common(alerts.map(\.annotations)) }

    private static func common(_ sets: [LabelSet]) -> LabelSet {
        guard let first = sets.first else { return LabelSet() }
        return LabelSet(sorted: first.filter { label in sets.allSatisfy { $0[label.name] == label.value } })
    }
}
