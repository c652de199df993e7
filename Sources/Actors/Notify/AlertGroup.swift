import Streams

/// The alerts that one route sends together, and who has been told what of them.
struct AlertGroup: Sendable {
    let id: GroupID
    let key: String
    private(set) var alerts: [Fingerprint: Alert] = [:]
    var hasFlushed = false
    var nextFlush: Timestamp
    /// Integrations that a delivery is on its way to.
    var outstanding: Set<Int> = []
    /// Integrations for which a flush came while a delivery was on its way: it takes place when that has ended.
    var due: Set<Int> = []
    /// Who knows of which resolved alert.
    private var settled: [ResolvedAlert: Set<Int>] = [:]

    init(_ id: GroupID, key: String, nextFlush: Timestamp) {
        self.id = id
        self.key = key
        self.nextFlush = nextFlush
    }

    /// Nothing left to tell and nothing on its way.
    var isDone: Bool { alerts.isEmpty && outstanding.isEmpty }

    mutating func insert(_ alert: Alert) {
        let fingerprint = alert.fingerprint
        if let known = alerts[fingerprint], !settled.isEmpty { settled[ResolvedAlert(fingerprint, known)] = nil }
        alerts[fingerprint] = alert
    }

    /// The integration knows that these are over, or need not know. What all `count` integrations know is forgotten.
    mutating func settle(_ resolved: [ResolvedAlert], by integration: Int, of count: Int) {
        for alert in resolved {
            guard alert.isStill(alerts[alert.fingerprint]) else { continue }
            settled[alert, default: []].insert(integration)
            if settled[alert]?.count == count { forget(alert) }
        }
    }

    mutating func forget(_ alert: ResolvedAlert) {
        settled[alert] = nil
        if alert.isStill(alerts[alert.fingerprint]) { alerts[alert.fingerprint] = nil }
    }
}
