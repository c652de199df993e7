package import Streams

/// What each integration was last told about each group, and when: decides whether there is something new to tell, as
/// Alertmanager's deduplication does.
package struct NotificationLog: Sendable, Hashable {
    package struct Key: Hashable, Sendable {
        package var groupKey: String
        package var receiver: String
        /// Kind and place in the receiver: `webhook[0]`.
        package var integration: String

        package init(groupKey: String, receiver: String, integration: String) {
            self.groupKey = groupKey
            self.receiver = receiver
            self.integration = integration
        }

        /// Group keys hold values of labels.
        package static func == (left: Self, right: Self) -> Bool {
            left.groupKey.hasSameBytes(as: right.groupKey) && left.receiver == right.receiver
                && left.integration == right.integration
        }

        package func hash(into hasher: inout Hasher) {
            groupKey.hashBytes(into: &hasher)
            hasher.combine(receiver)
            hasher.combine(integration)
        }
    }

    package struct Entry: Hashable, Sendable {
        package var firing: Set<Fingerprint>
        package var resolved: Set<Fingerprint>
        package var time: Timestamp
        package var expiresAt: Timestamp

        package init(firing: Set<Fingerprint>, resolved: Set<Fingerprint>, time: Timestamp, expiresAt: Timestamp) {
            self.firing = firing
            self.resolved = resolved
            self.time = time
            self.expiresAt = expiresAt
        }
    }

    /// Why a notification is sent, in Alertmanager's words.
    package enum Reason: String, Sendable {
        case first = "first notification"
        case newAlerts = "new alerts in group"
        case allResolved = "all alerts resolved"
        case newResolved = "new resolved alerts"
        case repeated = "repeat interval elapsed"
    }

    /// Longer than that nothing is remembered; a shorter repeat interval forgets sooner.
    package static let retention = Duration.seconds(120 * 3600)

    package private(set) var entries: [Key: Entry] = [:]

    package init(entries: [Key: Entry] = [:]) { self.entries = entries }

    package subscript(key: Key) -> Entry? { entries[key] }

    /// Why the integration has to be told of this state of the group; nil when it knows.
    package func reason(
        toTell key: Key, firing: Set<Fingerprint>, resolved: Set<Fingerprint>, sendsResolved: Bool,
        repeatInterval: Duration, now: Timestamp
    ) -> Reason? {
        // Nobody is told that something has ended which he never heard of.
        guard let entry = entries[key] else { return firing.isEmpty ? nil : .first }
        if !firing.isSubset(of: entry.firing) { return .newAlerts }
        // Also where resolved alerts are not sent: the log has to learn that nothing fires any more.
        if firing.isEmpty { return entry.firing.isEmpty ? nil : .allResolved }
        if sendsResolved, !resolved.isSubset(of: entry.resolved) { return .newResolved }
        return entry.time < now - repeatInterval ? .repeated : nil
    }

    package mutating func record(
        _ key: Key, firing: Set<Fingerprint>, resolved: Set<Fingerprint>, repeatInterval: Duration, at now: Timestamp
    ) {
        // What a clock that was set back calls earlier is not newer.
        if let entry = entries[key], entry.time > now { return }
        entries[key] = Entry(
            firing: firing, resolved: resolved, time: now, expiresAt: now + min(Self.retention, repeatInterval * 2))
    }

    /// - Returns: what was forgotten.
    package mutating func removeExpired(at now: Timestamp) -> [Key] {
        let gone = entries.filter { $0.value.expiresAt <= now }.map(\.key)
        for key in gone { entries[key] = nil }
        return gone
    }
}
