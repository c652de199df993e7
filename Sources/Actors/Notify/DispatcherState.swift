package import Streams

/// What a dispatcher remembers, as it is carried over a restart or a reload: alerts, groups with their timers, the
/// notification log, silences. What was on its way and not accepted needs no place of its own: its group is flushed again.
package struct DispatcherState: Sendable, Hashable {
    package struct Group: Sendable, Hashable {
        package var routeID: String
        package var labels: LabelSet
        package var nextFlush: Timestamp
        package var hasFlushed: Bool
        /// Something was on its way to somebody.
        package var isUndelivered: Bool
        package var members: [Fingerprint]
    }

    package var savedAt: Timestamp
    package var alerts: [Alert]
    package var groups: [Group]
    package var log: [NotificationLog.Key: NotificationLog.Entry]
    package var silences: [Silence] = []
}

extension Dispatcher {
    /// Where a state comes from, and so what still holds of it.
    package enum Continuation: Sendable, Hashable {
        /// The process has started anew. Group timers go on; what the program was not there to hear of is given
        /// `grace` before it counts as over: alerts whose end nobody named, and those from outside, whose senders name an
        /// end and move it on as long as they fire.
        case restart(grace: Duration)
        /// The settings are new, as after Alertmanager's reload: alerts are routed afresh and timers begin again; what was
        /// notified is not notified again.
        case reload
    }

    package func state(at now: Timestamp) -> DispatcherState {
        DispatcherState(
            savedAt: now, alerts: Array(registry.alerts),
            groups: groups.values.map { group in
                DispatcherState.Group(
                    routeID: settings.routes.routes[group.id.route].id, labels: group.id.labels,
                    nextFlush: group.nextFlush, hasFlushed: group.hasFlushed,
                    isUndelivered: !group.outstanding.isEmpty || !group.due.isEmpty,
                    members: Array(group.alerts.keys))
            }, log: log.entries,
            silences: silences.all.sorted { $0.id < $1.id })
    }

    package init(
        _ settings: DispatcherSettings, continuing state: DispatcherState, by way: Continuation, now: Timestamp
    ) {
        self.init(settings, now: now)
        log = NotificationLog(entries: state.log)
        silences = Silences(settings.silences, continuing: state.silences)
        let groupsBefore = Dictionary(state.groups.map { (SavedGroup($0), $0) }) { first, _ in first }
        let members = Set(state.groups.lazy.flatMap(\.members))
        for saved in state.alerts {
            let alert = Self.carriedOver(saved, state.savedAt, way, now)
            guard let current = registry.update(alert, now: now) else {
                refusedCount += 1
                continue
            }
            inhibitor.observe(current)
            if current.isPosted, !saved.isResolved(at: state.savedAt) { adoptPosted(current) }
            // One that is over and known to be over joins no group again.
            guard !current.isResolved(at: now) || members.contains(current.fingerprint) else { continue }
            for route in settings.routes.match(current.labels) { insert(current, route, now: now) }
        }
        guard case .restart = way else { return }
        for id in Array(groups.keys) {
            let key = SavedGroup(routeID: settings.routes.routes[id.route].id, labels: id.labels)
            guard let group = groupsBefore[key] else { continue }
            groups[id]?.hasFlushed = group.hasFlushed
            schedule(id, at: max(group.isUndelivered ? now : group.nextFlush, now, settings.firstFlush))
        }
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
        guard case .restart(let grace) = way, !alert.isResolved(at: savedAt) else { return alert }
        var alert = alert
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
