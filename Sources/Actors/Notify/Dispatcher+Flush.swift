package import Streams

extension Dispatcher {
    /// A group's state at one time, as it is told.
    private struct State {
        /// Sorted; without those that are muted.
        var alerts: [Alert] = []
        var firing: Set<Fingerprint> = []
        var resolved: Set<Fingerprint> = []
        /// Muted ones as well.
        var resolvedAlerts: [ResolvedAlert] = []
    }

    mutating func flush(_ id: GroupID, now: Timestamp) -> [Delivery] {
        let route = settings.routes.routes[id.route]
        groups[id]?.hasFlushed = true
        schedule(id, at: now + route.groupInterval)
        guard let state = state(of: id, now: now) else { return [] }
        let integrations = settings.integrations(of: route)
        var deliveries: [Delivery] = []
        for index in integrations.indices {
            if groups[id]?.outstanding.contains(index) ?? false {
                groups[id]?.due.insert(index)
                marks.groups.insert(id)
            } else if let delivery = tell(state, of: id, to: index, now: now) {
                deliveries.append(delivery)
            }
        }
        // A receiver without integrations hears nothing; its alerts come and go all the same.
        if integrations.isEmpty { for alert in state.resolvedAlerts { groups[id]?.forget(alert) } }
        removeIfDone(id)
        return deliveries
    }

    /// Takes note of how a delivery ended, and makes up for a flush that had to wait for it.
    package mutating func complete(_ delivery: Delivery, _ outcome: DeliveryOutcome, now: Timestamp) -> [Delivery] {
        if outcome == .accepted {
            log.record(
                delivery.logKey, firing: delivery.firing, resolved: delivery.resolved,
                repeatInterval: delivery.repeatInterval, at: now)
            marks.log.insert(delivery.logKey)
        }
        let (id, index) = (delivery.group, delivery.integration)
        leaveOutbox(OutboxSlot(group: id, integration: index))
        guard groups[id]?.outstanding.remove(index) != nil else { return [] }
        if outcome == .accepted { settle(delivery.resolvedAlerts, of: id, by: index) }
        var deliveries: [Delivery] = []
        if wasDue(index, of: id), let state = state(of: id, now: now),
            let delivery = tell(state, of: id, to: index, now: now)
        {
            deliveries.append(delivery)
        }
        removeIfDone(id)
        return deliveries
    }

    /// There was no room for a delivery: it is made anew by `takeUp` when there is, from what is true then.
    package mutating func postpone(_ delivery: Delivery) {
        let integration = Integration(receiver: delivery.notification.receiver, index: delivery.integration)
        backlogs[integration, default: Fifo()].append(delivery.group)
        leaveOutbox(OutboxSlot(group: delivery.group, integration: delivery.integration))
        marks.groups.insert(delivery.group)
    }

    private mutating func leaveOutbox(_ slot: OutboxSlot) {
        if outbox.removeValue(forKey: slot) != nil { marks.outbox.insert(slot) }
    }

    /// Whether a flush waited for the integration; it does no more.
    private mutating func wasDue(_ index: Int, of id: GroupID) -> Bool {
        guard groups[id]?.due.remove(index) != nil else { return false }
        marks.groups.insert(id)
        return true
    }

    /// The next delivery that was postponed for an integration; nil when none is left that has something to tell.
    package mutating func takeUp(receiver: String, integration index: Int, now: Timestamp) -> Delivery? {
        while let id = backlogs[Integration(receiver: receiver, index: index)]?.popFirst() {
            guard groups[id]?.outstanding.remove(index) != nil else { continue }
            _ = wasDue(index, of: id)
            marks.groups.insert(id)
            if let state = state(of: id, now: now), let delivery = tell(state, of: id, to: index, now: now) {
                return delivery
            }
            removeIfDone(id)
        }
        return nil
    }

    private func state(of id: GroupID, now: Timestamp) -> State? {
        guard let group = groups[id] else { return nil }
        let route = settings.routes.routes[id.route]
        let isMuted = settings.isMuted(route, at: now)
        var state = State()
        for (fingerprint, alert) in group.alerts {
            let isResolved = alert.isResolved(at: now)
            if isResolved { state.resolvedAlerts.append(ResolvedAlert(fingerprint, alert)) }
            if isMuted || inhibitor.inhibitor(of: alert.labels, at: now, in: registry) != nil { continue }
            if silences.mute(alert.labels, at: now) { continue }
            var told = alert
            // What fires now has no end yet, even where one is expected.
            if !isResolved { told.endsAt = nil }
            state.alerts.append(told)
            if isResolved { state.resolved.insert(fingerprint) } else { state.firing.insert(fingerprint) }
        }
        state.alerts.sort(by: Alert.isShownBefore)
        return state
    }

    /// The delivery that tells an integration of the state; nil where there is nothing new, which settles it.
    private mutating func tell(_ state: State, of id: GroupID, to index: Int, now: Timestamp) -> Delivery? {
        guard let group = groups[id] else { return nil }
        let route = settings.routes.routes[id.route]
        let integration = settings.integrations(of: route)[index]
        let key = NotificationLog.Key(groupKey: group.key, receiver: route.receiver, integration: integration.name)
        let reason = log.reason(
            toTell: key, firing: state.firing, resolved: state.resolved, sendsResolved: integration.sendsResolved,
            repeatInterval: route.repeatInterval, now: now)
        // Muted as a whole, or known.
        guard let reason, !state.alerts.isEmpty else {
            settle(state.resolvedAlerts, of: id, by: index)
            return nil
        }
        if !integration.sendsResolved, state.firing.isEmpty {
            // Not sent, but from now on known.
            log.record(
                key, firing: [], resolved: state.resolved, repeatInterval: route.repeatInterval, at: now)
            marks.log.insert(key)
            settle(state.resolvedAlerts, of: id, by: index)
            return nil
        }
        groups[id]?.outstanding.insert(index)
        let alerts = integration.sendsResolved ? state.alerts : state.alerts.filter { !$0.isResolved(at: now) }
        let notification = Notification(
            id: notificationID(key, state), pipeline: settings.pipeline, receiver: route.receiver, groupKey: group.key,
            groupLabels: id.labels, routeLabels: route.labels, alerts: alerts, time: now,
            externalURL: settings.externalURL, reason: reason.rawValue)
        let delivery = Delivery(
            notification: notification, group: id, integration: index, logKey: key,
            repeatInterval: route.repeatInterval, deadline: now + max(route.groupInterval, Self.deliveryTimeLeast),
            firing: state.firing, resolved: state.resolved, resolvedAlerts: state.resolvedAlerts)
        let slot = OutboxSlot(group: id, integration: index)
        outbox[slot] = delivery
        marks.outbox.insert(slot)
        return delivery
    }

    /// The same as long as the log says the same and the state is the same: a notification that was accepted without our
    /// hearing of it bears the same id when it comes again.
    private func notificationID(_ key: NotificationLog.Key, _ state: State) -> String {
        var hash = StableHash()
        for text in [settings.pipeline, key.groupKey, key.receiver, key.integration] { hash.add(text) }
        hash.add(UInt64(bitPattern: log[key]?.time.milliseconds ?? 0))
        for fingerprint in state.firing.sorted() { hash.add(fingerprint.rawValue) }
        hash.add(0 as UInt64)
        for fingerprint in state.resolved.sorted() { hash.add(fingerprint.rawValue) }
        // An alert that went and came back is another event.
        for start in state.alerts.map(\.startsAt.milliseconds).sorted() { hash.add(UInt64(bitPattern: start)) }
        return hash.description
    }

    private mutating func settle(_ alerts: [ResolvedAlert], of id: GroupID, by index: Int) {
        let count = settings.integrations(of: settings.routes.routes[id.route]).count
        groups[id]?.settle(alerts, by: index, of: count)
    }

    private mutating func removeIfDone(_ id: GroupID) {
        guard groups[id]?.isDone ?? false else { return }
        groups[id] = nil
        marks.groups.insert(id)
    }
}

extension Alert {
    /// Alertmanager's order in a notification: by job, by instance, fewer labels first, then label by label.
    static func isShownBefore(_ left: Alert, _ right: Alert) -> Bool {
        for name in ["job", "instance"] {
            switch (left.labels[name], right.labels[name]) {
            case (nil, nil): continue
            case (nil, _): return false
            case (_, nil): return true
            case (let first?, let second?):
                if first != second { return first.isBefore(second) }
            }
        }
        return left.labels.isShownBefore(right.labels)
    }
}

extension LabelSet {
    /// Alertmanager's order: fewer labels first, then label by label.
    func isShownBefore(_ other: LabelSet) -> Bool {
        if count != other.count { return count < other.count }
        for (first, second) in zip(self, other) where first != second {
            // The set that lacks the name which comes first is the lesser one.
            return first.name == second.name ? first.value.isBefore(second.value) : second.name.isBefore(first.name)
        }
        return false
    }
}

/// 128 bits of FNV-1a in two halves: the same in every run.
struct StableHash: CustomStringConvertible {
    private var high: UInt64 = 0xCBF2_9CE4_8422_2325
    private var low: UInt64 = 0x8422_2325_CBF2_9CE4

    mutating func add(_ byte: UInt8) {
        high = (high ^ UInt64(byte)) &* 0x100_0000_01B3
        low = (low ^ UInt64(byte ^ 0x5A)) &* 0x100_0000_01B3
    }

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(0xFF as UInt8)
    }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }

    var description: String { "\(Fingerprint(rawValue: high))\(Fingerprint(rawValue: low))" }
}
