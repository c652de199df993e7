package import Streams

/// Every alert that is known, once by its labels, with updates merged as Alertmanager merges them.
package struct AlertRegistry: Sendable {
    private var byFingerprint: [Fingerprint: Alert] = [:]
    private let alertsMax: Int

    /// - Parameter alertsMax: further alerts are refused, those already known are still updated.
    package init(alertsMax: Int) { self.alertsMax = alertsMax }

    package var count: Int { byFingerprint.count }
    package var alerts: Dictionary<Fingerprint, Alert>.Values { byFingerprint.values }

    package subscript(fingerprint: Fingerprint) -> Alert? { byFingerprint[fingerprint] }

    /// Takes a new or repeated alert; nil when there is no room for another one.
    package mutating func update(_ alert: Alert, now: Timestamp) -> Alert? {
        let fingerprint = alert.fingerprint
        guard let known = byFingerprint[fingerprint] else {
            guard byFingerprint.count < alertsMax else { return nil }
            byFingerprint[fingerprint] = alert
            return alert
        }
        let result: Alert
        if Self.overlaps(known, alert) {
            result = Self.merged(known, alert, now: now)
        } else {
            // What comes late, by another way, is old news.
            result = alert.updatedAt < known.updatedAt ? known : alert
        }
        byFingerprint[fingerprint] = result
        return result
    }

    /// Whether the new one begins or ends while the known one lasts: then both tell of the same event.
    private static func overlaps(_ known: Alert, _ new: Alert) -> Bool {
        (new.end > known.startsAt && new.end < known.end) || (new.startsAt > known.startsAt && new.startsAt < known.end)
    }

    /// The earliest start and, of the younger one, everything else; but an end that a sender named and that is later than
    /// what the younger one says stays, be both over or both going on.
    static func merged(_ first: Alert, _ second: Alert, now: Timestamp) -> Alert {
        if second.updatedAt < first.updatedAt { return merged(second, first, now: now) }
        var result = second
        result.startsAt = min(first.startsAt, second.startsAt)
        result.isPosted = first.isPosted || second.isPosted
        let isLonger = first.end > second.end
        if second.isResolved(at: now) {
            if isLonger, first.isResolved(at: now) { result.endsAt = first.endsAt }
        } else if isLonger, !first.endsByTimeout {
            result.endsAt = first.endsAt
        }
        return result
    }

    /// Forgets what is resolved and in no group any more.
    /// - Returns: what was forgotten.
    package mutating func removeResolved(at now: Timestamp, keeping kept: Set<Fingerprint>) -> [Fingerprint] {
        let gone = byFingerprint.filter { $0.value.isResolved(at: now) && !kept.contains($0.key) }.map(\.key)
        for fingerprint in gone { byFingerprint[fingerprint] = nil }
        return gone
    }
}

extension Alert {
    /// When it ends; one that nobody ended goes on for ever.
    fileprivate var end: Timestamp { endsAt ?? .distantFuture }
}
