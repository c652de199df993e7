package import Streams

/// One integration of one receiver, as far as the dispatcher needs to know it.
package struct IntegrationInfo: Hashable, Sendable {
    /// The kind: `webhook`.
    package var kind: String
    /// Its place among those of its kind in the receiver.
    package var position: Int
    package var sendsResolved: Bool

    package init(kind: String, position: Int, sendsResolved: Bool) {
        self.kind = kind
        self.position = position
        self.sendsResolved = sendsResolved
    }

    /// `webhook[0]`
    package var name: String { "\(kind)[\(position)]" }
}

/// The group that a route makes of the alerts with certain labels.
package struct GroupID: Hashable, Sendable {
    /// The route's place in the tree.
    package let route: Int
    package let labels: LabelSet
}

/// One notification on its way to one integration, and what the log is to say once it was accepted.
package struct Delivery: Sendable {
    package let notification: Notification
    package let group: GroupID
    /// The integration's place in the receiver.
    package let integration: Int
    package let logKey: NotificationLog.Key
    package let repeatInterval: Duration
    /// Trying ends here; the group's next flush tells what is true then.
    package let deadline: Timestamp
    let firing: Set<Fingerprint>
    let resolved: Set<Fingerprint>
    /// The resolved alerts of the group as they were: once everybody knows of them they are forgotten.
    let resolvedAlerts: [ResolvedAlert]
}

/// A resolved alert at a certain state: when it is updated later it is another.
struct ResolvedAlert: Hashable, Sendable {
    let fingerprint: Fingerprint
    private let startsAt: Timestamp
    private let endsAt: Timestamp?
    private let updatedAt: Timestamp

    init(_ fingerprint: Fingerprint, _ alert: Alert) {
        self.fingerprint = fingerprint
        startsAt = alert.startsAt
        endsAt = alert.endsAt
        updatedAt = alert.updatedAt
    }

    /// Whether the alert has not changed since.
    func isStill(_ alert: Alert?) -> Bool { alert.map { ResolvedAlert(fingerprint, $0) == self } ?? false }
}

/// How a delivery ended.
package enum DeliveryOutcome: Sendable, Hashable {
    case accepted
    /// Refused, or not accepted in time: the log says nothing, so the next flush tells it again.
    case failed
}
