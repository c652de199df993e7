package import Streams

/// What a dispatcher remembers, as it is carried over a restart or a reload: alerts, groups with their timers, the
/// notification log, silences, and what was on its way.
package struct DispatcherState: Sendable, Hashable {
    package struct Group: Sendable, Hashable {
        package var routeID: String
        package var labels: LabelSet
        package var nextFlush: Timestamp
        package var hasFlushed: Bool
        /// Something has to be told that is not in the outbox.
        package var isUndelivered: Bool
    }

    /// What was on its way to an integration, and not known to have been accepted.
    package struct Outgoing: Sendable, Hashable {
        package var routeID: String
        package var labels: LabelSet
        package var integration: String
        package var notification: Notification
        package var repeatInterval: Duration
        package var deadline: Timestamp
        package var firing: Set<Fingerprint>
        package var resolved: Set<Fingerprint>
    }

    package var savedAt: Timestamp
    package var alerts: [Alert]
    package var groups: [Group]
    package var log: [NotificationLog.Key: NotificationLog.Entry]
    package var outbox: [Outgoing]
    package var silences: [Silence]

    package var isEmpty: Bool { alerts.isEmpty && groups.isEmpty && log.isEmpty && outbox.isEmpty && silences.isEmpty }

    init(savedAt: Timestamp) {
        self.savedAt = savedAt
        alerts = []
        groups = []
        log = [:]
        outbox = []
        silences = []
    }
}

extension Dispatcher {
    /// Where a state comes from, and so what still holds of it.
    package enum Continuation: Sendable, Hashable {
        /// The process has started anew. Group timers go on; what the program was not there to hear of is given
        /// `grace` before it counts as over: alerts whose end nobody named, and those from outside, whose senders name an
        /// end and move it on as long as they fire. An alert of a rule that no rule has any more is over: the program ended
        /// before this side heard of its end.
        /// - `claimed`: the alerts that rules have; nil: all.
        case restart(grace: Duration, claimed: Set<Fingerprint>? = nil)
        /// The settings are new, as after Alertmanager's reload: alerts are routed afresh and timers begin again; what was
        /// notified is not notified again.
        case reload
    }

    package func state(at now: Timestamp) -> DispatcherState {
        var state = DispatcherState(savedAt: now)
        state.alerts = Array(registry.alerts)
        state.log = log.entries
        state.silences = silences.all.sorted { $0.id < $1.id }
        state.groups = groups.values.map { group in
            DispatcherState.Group(
                routeID: settings.routes.routes[group.id.route].id, labels: group.id.labels,
                nextFlush: group.nextFlush, hasFlushed: group.hasFlushed, isUndelivered: isUndelivered(group))
        }
        state.outbox = outbox.map { slot, delivery in
            let route = settings.routes.routes[slot.group.route]
            return DispatcherState.Outgoing(
                routeID: route.id, labels: slot.group.labels,
                integration: settings.integrations(of: route)[slot.integration].name,
                notification: delivery.notification, repeatInterval: delivery.repeatInterval,
                deadline: delivery.deadline, firing: delivery.firing, resolved: delivery.resolved)
        }
        return state
    }

    package init(
        _ settings: DispatcherSettings, continuing state: DispatcherState, by way: Continuation, now: Timestamp
    ) {
        self.init(settings, now: now)
        log = NotificationLog(entries: state.log)
        silences = Silences(settings.silences, continuing: state.silences)
        marks.isReset = true
        var toldFiring: [String: Set<Fingerprint>] = [:]
        for (key, entry) in state.log { toldFiring[key.groupKey, default: []].formUnion(entry.firing) }
        // Who may have accepted it without our hearing of it.
        for outgoing in state.outbox {
            toldFiring[outgoing.notification.groupKey, default: []].formUnion(outgoing.firing)
        }
        for saved in state.alerts {
            let alert = Self.carriedOver(saved, state.savedAt, way, now)
            guard let current = registry.update(alert, now: now) else {
                refusedCount += 1
                continue
            }
            inhibitor.observe(current)
            if current.isPosted, !saved.isResolved(at: state.savedAt) { adoptPosted(current) }
            for route in settings.routes.match(current.labels) {
                // One that is over joins a group only where somebody believes, or may believe, that it fires.
                let isTold = toldFiring[route.groupKey(route.groupLabels(of: current.labels))]?
                    .contains(current.fingerprint)
                if !current.isResolved(at: now) || isTold ?? false { insert(current, route, now: now) }
            }
        }
        guard case .restart = way else { return }
        let groupsBefore = Dictionary(state.groups.map { (SavedGroup($0), $0) }) { first, _ in first }
        var routes: [SavedGroup: GroupID] = [:]
        for id in Array(groups.keys) {
            let key = SavedGroup(routeID: settings.routes.routes[id.route].id, labels: id.labels)
            routes[key] = id
            guard let group = groupsBefore[key] else { continue }
            groups[id]?.hasFlushed = group.hasFlushed
            schedule(id, at: max(group.isUndelivered ? now : group.nextFlush, now, settings.firstFlush))
        }
        for outgoing in state.outbox {
            guard let id = routes[SavedGroup(routeID: outgoing.routeID, labels: outgoing.labels)] else { continue }
            takeBack(outgoing, of: id, now: now)
        }
    }

    /// Puts what was on its way back there, where there still is such a way; else the next flush tells what is true then.
    private mutating func takeBack(_ outgoing: DispatcherState.Outgoing, of id: GroupID, now: Timestamp) {
        let route = settings.routes.routes[id.route]
        let integrations = settings.integrations(of: route)
        guard route.receiver == outgoing.notification.receiver,
            let index = integrations.firstIndex(where: { $0.name == outgoing.integration })
        else { return }
        let notification = outgoing.notification
        let delivery = Delivery(
            notification: notification, group: id, integration: index,
            logKey: NotificationLog.Key(
                groupKey: notification.groupKey, receiver: notification.receiver, integration: outgoing.integration),
            repeatInterval: outgoing.repeatInterval, deadline: max(outgoing.deadline, now + Self.deliveryTimeLeast),
            firing: outgoing.firing, resolved: outgoing.resolved,
            resolvedAlerts: notification.resolved.map { ResolvedAlert($0.fingerprint, $0) })
        groups[id]?.outstanding.insert(index)
        outbox[OutboxSlot(group: id, integration: index)] = delivery
        restored.append(delivery)
    }

    /// What was on its way when the program ended, once: it is to be sent as it was.
    package mutating func takeRestored() -> [Delivery] {
        defer { restored = [] }
        return restored
    }

    private struct SavedGroup: Hashable {
        let routeID: String
        let labels: LabelSet

        init(routeID: String, labels: LabelSet) {
            self.routeID = routeID
            self.labels = labels
        }

        init(_ group: DispatcherState.Group) { self.init(routeID: group.routeID, labels: group.labels) }
    }

    private static func carriedOver(
        _ alert: Alert, _ savedAt: Timestamp, _ way: Continuation, _ now: Timestamp
    ) -> Alert {
        guard case .restart(let grace, let claimed) = way, !alert.isResolved(at: savedAt) else { return alert }
        var alert = alert
        if !alert.isPosted, let claimed, !claimed.contains(alert.fingerprint) {
            alert.endsAt = now
            alert.updatedAt = now
            return alert
        }
        if alert.endsAt == nil {
            alert.endsAt = now + grace
            alert.endsByTimeout = true
        } else if alert.endsByTimeout || alert.isPosted, let end = alert.endsAt, end < now + grace {
            // Its sender could not renew it.
            alert.endsAt = now + grace
            alert.endsByTimeout = true
        }
        return alert
    }
}
