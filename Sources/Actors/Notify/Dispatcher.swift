package import Streams

/// Groups the alerts of a pipeline and decides who is told what, and when, as Alertmanager does. A value without a clock:
/// it is told the time, and says when it wants to be woken.
///
/// Unlike there, each integration of a receiver goes its own way: while a delivery to one is being retried, flushes of
/// its group wait for that integration alone.
package struct Dispatcher: Sendable {
    package let settings: DispatcherSettings
    package internal(set) var registry: AlertRegistry
    package internal(set) var log: NotificationLog
    /// Who is muted by a person.
    package internal(set) var silences: Silences
    var inhibitor: Inhibitor
    var groups: [GroupID: AlertGroup] = [:]
    var deadlines = DeadlineHeap<GroupID>()
    /// Groups that could not be told to an integration for want of room in its queue, in order.
    var backlogs: [Integration: Fifo<GroupID>] = [:]
    /// What is on its way, as it is sent.
    var outbox: [OutboxSlot: Delivery] = [:]
    /// Of it, what an earlier run of the program has begun and this one has not gone on with yet.
    var restored: [Delivery] = []
    var marks = StateMarks()
    var nextSweep: Timestamp
    var posted = PostedAlertEnds()
    /// What became of alerts from outside, until it is taken.
    var transitions: [AlertTransition] = []
    /// Alerts that found no room in the registry, and places in a group that found none.
    package internal(set) var refusedCount: UInt64 = 0

    /// An integration by its place.
    struct Integration: Hashable, Sendable {
        let receiver: String
        let index: Int
    }

    /// How often what is over is forgotten.
    static let sweepInterval = Duration.seconds(15 * 60)
    /// A delivery is tried at least that long, however short the group interval is.
    package static let deliveryTimeLeast = Duration.seconds(10)

    package init(_ settings: DispatcherSettings, now: Timestamp) {
        self.settings = settings
        registry = AlertRegistry(alertsMax: settings.alertsMax)
        log = NotificationLog()
        silences = Silences(settings.silences)
        inhibitor = Inhibitor(settings.inhibitRules)
        nextSweep = now + Self.sweepInterval
    }

    package var groupCount: Int { groups.count }

    /// When `advance` has something to do, unless more alerts come first.
    package var nextDeadline: Timestamp {
        min(deadlines.first?.time ?? .distantFuture, nextSweep, posted.next ?? .distantFuture)
    }

    /// Takes alerts and does what is due: without a group wait they are on their way at once.
    package mutating func process(_ alerts: [Alert], now: Timestamp) -> [Delivery] {
        endPosted(now: now)
        for alert in alerts {
            let known = registry[alert.fingerprint]
            guard let current = registry.update(alert, now: now) else {
                refusedCount += 1
                continue
            }
            if !current.isSame(as: known) { marks.alerts.insert(current.fingerprint) }
            inhibitor.observe(current)
            notePosted(current, now: now)
            for route in settings.routes.match(current.labels) { insert(current, route, now: now) }
        }
        return advance(to: now)
    }

    mutating func insert(_ alert: Alert, _ route: Route, now: Timestamp) {
        let id = GroupID(route: route.index, labels: route.groupLabels(of: alert.labels))
        if groups[id] == nil {
            guard groups.count < settings.groupsMax else {
                refusedCount += 1
                return
            }
            let flush = max(now + route.groupWait, settings.firstFlush)
            groups[id] = AlertGroup(id, key: route.groupKey(id.labels), nextFlush: flush)
            deadlines.insert(flush, id)
            marks.groups.insert(id)
        }
        groups[id]?.insert(alert)
        // It has waited long enough elsewhere.
        if let group = groups[id], !group.hasFlushed, alert.startsAt + route.groupWait < now {
            schedule(id, at: max(now, settings.firstFlush))
        }
    }

    mutating func schedule(_ id: GroupID, at time: Timestamp) {
        guard groups[id]?.nextFlush != time else { return }
        groups[id]?.nextFlush = time
        marks.groups.insert(id)
        deadlines.insert(time, id)
    }

    /// Does everything that is due.
    package mutating func advance(to now: Timestamp) -> [Delivery] {
        endPosted(now: now)
        var deliveries: [Delivery] = []
        while let (time, id) = deadlines.first, time <= now {
            deadlines.removeFirst()
            guard groups[id]?.nextFlush == time else { continue }
            deliveries += flush(id, now: now)
        }
        if nextSweep <= now { sweep(now) }
        return deliveries
    }

    private mutating func sweep(_ now: Timestamp) {
        nextSweep = now + Self.sweepInterval
        marks.alerts.formUnion(
            registry.removeResolved(at: now, keeping: Set(groups.values.lazy.flatMap(\.alerts.keys))))
        inhibitor.rebuild(from: registry)
        marks.log.formUnion(log.removeExpired(at: now))
        marks.silences.formUnion(silences.removeExpired(at: now))
    }

    /// Makes or changes a silence. Groups hear of it at their next flush.
    package mutating func set(
        _ draft: SilenceDraft, now: Timestamp, newID: () -> String
    ) throws(SilenceError) -> Silences.Change {
        let change = try silences.set(draft, at: now, newID: newID)
        marks.silences.formUnion(change.silences.map(\.id))
        return change
    }

    /// Ends a silence. What it muted is told at the next flush of its group.
    package mutating func expire(silence id: String, now: Timestamp) throws(SilenceError) -> Silences.Change {
        let change = try silences.expire(id, at: now)
        marks.silences.formUnion(change.silences.map(\.id))
        return change
    }
}

extension Alert {
    /// Whether the two say the same, whenever they were said.
    fileprivate func isSame(as other: Alert?) -> Bool {
        guard var other else { return false }
        other.updatedAt = updatedAt
        return self == other
    }
}
