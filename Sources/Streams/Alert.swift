/// An alert as the notification side knows it: who it is (labels), what to tell (annotations), since and until when.
package struct Alert: Sendable, Hashable {
    /// Identity: two alerts with equal labels are the same alert.
    package var labels: LabelSet
    package var annotations: LabelSet
    package var startsAt: Timestamp
    /// When it ended, or when it will count as ended unless it is reported again. Nil: until it is reported as ended.
    package var endsAt: Timestamp?
    package var updatedAt: Timestamp
    /// Where the expression can be looked at.
    package var generatorURL: String
    /// `endsAt` was set by the receiving side's resolve timeout, not by the sender.
    package var endsByTimeout: Bool
    /// It came from outside, not from a rule of this program: only its sender and the clock can end it.
    package var isPosted: Bool

    package init(
        labels: LabelSet, annotations: LabelSet = LabelSet(), startsAt: Timestamp, endsAt: Timestamp? = nil,
        updatedAt: Timestamp? = nil, generatorURL: String = "", endsByTimeout: Bool = false, isPosted: Bool = false
    ) {
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.updatedAt = updatedAt ?? startsAt
        self.generatorURL = generatorURL
        self.endsByTimeout = endsByTimeout
        self.isPosted = isPosted
    }

    package var fingerprint: Fingerprint { labels.fingerprint }
    package var name: String { labels["alertname"] ?? "" }

    package func isResolved(at time: Timestamp) -> Bool { endsAt.map { $0 <= time } ?? false }
}

/// The life of an alert of a rule.
package enum AlertState: String, Sendable, Hashable, CaseIterable {
    case inactive, pending, firing
}

/// One change of one alert's state, as the rules saw it or as it was posted: what the SSE stream and the history are made
/// of.
package struct AlertTransition: Sendable, Hashable {
    package var time: Timestamp
    package var pipeline: String
    /// Empty for an alert from outside, as its rule is.
    package var group: String
    package var rule: String
    package var from: AlertState
    package var to: AlertState
    /// With `alertname`, without external labels.
    package var labels: LabelSet
    package var annotations: LabelSet
    /// The expression's value at that time. Nil for an alert from outside.
    package var value: Double?
    /// Since when the expression has held.
    package var activeSince: Timestamp

    package init(
        time: Timestamp, pipeline: String, group: String, rule: String, from: AlertState, to: AlertState,
        labels: LabelSet, annotations: LabelSet, value: Double?, activeSince: Timestamp
    ) {
        self.time = time
        self.pipeline = pipeline
        self.group = group
        self.rule = rule
        self.from = from
        self.to = to
        self.labels = labels
        self.annotations = annotations
        self.value = value
        self.activeSince = activeSince
    }
}
