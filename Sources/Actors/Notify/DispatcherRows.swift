package import Streams

/// A place in the outbox: what is on its way to one integration about one group. There is never more than one.
struct OutboxSlot: Hashable, Sendable {
    let group: GroupID
    let integration: Int
}

/// What has changed since it was kept.
struct StateMarks: Sendable {
    /// Everything: what was kept before is another's.
    var isReset = false
    var alerts: Set<Fingerprint> = []
    var groups: Set<GroupID> = []
    var log: Set<NotificationLog.Key> = []
    var outbox: Set<OutboxSlot> = []
    var silences: Set<String> = []
}

extension Dispatcher {
    /// What has changed since this was asked for the last time, as rows of the pipeline.
    package mutating func takeChanges() -> StateChanges {
        let marks = marks
        self.marks = StateMarks()
        var changes = StateChanges()
        if marks.isReset {
            for table in [StateTable.alerts, .groups, .notifications, .outbox, .silences] {
                changes.clear(table, settings.pipeline)
            }
            for alert in registry.alerts { put(alert.fingerprint, in: &changes) }
            for id in groups.keys { put(id, in: &changes) }
            for key in log.entries.keys { put(key, in: &changes) }
            for slot in outbox.keys { put(slot, in: &changes) }
            for silence in silences.all { put(silence: silence.id, in: &changes) }
            return changes
        }
        for fingerprint in marks.alerts { put(fingerprint, in: &changes) }
        for id in marks.groups { put(id, in: &changes) }
        for key in marks.log { put(key, in: &changes) }
        for slot in marks.outbox { put(slot, in: &changes) }
        for id in marks.silences { put(silence: id, in: &changes) }
        return changes
    }

    /// Forgets what has changed: nobody keeps it.
    package mutating func dropChanges() { marks = StateMarks() }

    private func put(_ fingerprint: Fingerprint, in changes: inout StateChanges) {
        let value = registry[fingerprint].map { alert in StateWriter.value { $0.write(alert) } }
        changes.put(value, for: StateWriter.key { $0.writeFixed(fingerprint.rawValue) }, in: .alerts, settings.pipeline)
    }

    private func put(_ id: GroupID, in changes: inout StateChanges) {
        let value = groups[id].map { group in
            StateWriter.value {
                $0.write(group.nextFlush)
                $0.write(group.hasFlushed)
                $0.write(isUndelivered(group))
            }
        }
        changes.put(value, for: StateWriter.key { write(id, to: &$0) }, in: .groups, settings.pipeline)
    }

    /// Something has to be told again that the outbox does not have.
    func isUndelivered(_ group: AlertGroup) -> Bool {
        !group.due.isEmpty
            || group.outstanding.contains { outbox[OutboxSlot(group: group.id, integration: $0)] == nil }
    }

    private func put(_ key: NotificationLog.Key, in changes: inout StateChanges) {
        let value = log[key].map { entry in
            StateWriter.value {
                $0.write(entry.firing)
                $0.write(entry.resolved)
                $0.write(entry.time)
                $0.write(entry.expiresAt)
            }
        }
        let bytes = StateWriter.key {
            $0.write(key.groupKey)
            $0.write(key.receiver)
            $0.write(key.integration)
        }
        changes.put(value, for: bytes, in: .notifications, settings.pipeline)
    }

    private func put(_ slot: OutboxSlot, in changes: inout StateChanges) {
        let key = StateWriter.key {
            write(slot.group, to: &$0)
            $0.write(settings.integrations(of: settings.routes.routes[slot.group.route])[slot.integration].name)
        }
        let value = outbox[slot].map { delivery in
            StateWriter.value {
                $0.write(delivery.notification)
                $0.write(delivery.repeatInterval)
                $0.write(delivery.deadline)
                $0.write(delivery.firing)
                $0.write(delivery.resolved)
            }
        }
        changes.put(value, for: key, in: .outbox, settings.pipeline)
    }

    private func put(silence id: String, in changes: inout StateChanges) {
        let value = silences[id].map { silence in StateWriter.value { $0.write(silence) } }
        changes.put(value, for: StateWriter.key { $0.write(id) }, in: .silences, settings.pipeline)
    }

    private func write(_ id: GroupID, to writer: inout StateWriter) {
        writer.write(settings.routes.routes[id.route].id)
        writer.write(id.labels)
    }
}

extension DispatcherState {
    /// Reads what was kept of a pipeline. Rows that can't be read are left out, and counted.
    package init(_ tables: StateTables, pipeline: String, savedAt: Timestamp, unreadable: inout Int) {
        self.init(savedAt: savedAt)
        func read<Item>(_ table: StateTable, _ item: (inout StateReader, inout StateReader) -> Item?) -> [Item] {
            var items: [Item] = []
            for row in tables.rows(table, pipeline) {
                var key = StateReader(key: row.key)
                guard var value = StateReader(value: row.value), let item = item(&key, &value) else {
                    unreadable += 1
                    continue
                }
                items.append(item)
            }
            return items
        }
        alerts = read(.alerts) { $1.readAlert() }
        groups = read(.groups) { key, value in
            guard let routeID = key.readText(), let labels = key.readLabels(), let nextFlush = value.readTimestamp(),
                let hasFlushed = value.readFlag(), let isUndelivered = value.readFlag()
            else { return nil }
            return Group(
                routeID: routeID, labels: labels, nextFlush: nextFlush, hasFlushed: hasFlushed,
                isUndelivered: isUndelivered)
        }
        let entries = read(.notifications) { key, value -> (NotificationLog.Key, NotificationLog.Entry)? in
            guard let groupKey = key.readText(), let receiver = key.readText(), let integration = key.readText(),
                let firing = value.readFingerprints(), let resolved = value.readFingerprints(),
                let time = value.readTimestamp(), let expiresAt = value.readTimestamp()
            else { return nil }
            return (
                NotificationLog.Key(groupKey: groupKey, receiver: receiver, integration: integration),
                NotificationLog.Entry(firing: firing, resolved: resolved, time: time, expiresAt: expiresAt)
            )
        }
        log = Dictionary(entries) { first, _ in first }
        silences = read(.silences) { $1.readSilence() }
        outbox = read(.outbox) { key, value in
            guard let routeID = key.readText(), let labels = key.readLabels(), let integration = key.readText(),
                let notification = value.readNotification(pipeline), let repeatInterval = value.readDuration(),
                let deadline = value.readTimestamp(), let firing = value.readFingerprints(),
                let resolved = value.readFingerprints()
            else { return nil }
            return Outgoing(
                routeID: routeID, labels: labels, integration: integration, notification: notification,
                repeatInterval: repeatInterval, deadline: deadline, firing: firing, resolved: resolved)
        }
    }
}

extension StateWriter {
    fileprivate mutating func write(_ notification: Notification) {
        write(notification.id)
        write(notification.receiver)
        write(notification.groupKey)
        write(notification.groupLabels)
        write(notification.routeLabels)
        write(notification.alerts) { $0.write($1) }
        write(notification.time)
        write(notification.externalURL)
        write(notification.reason)
    }
}

extension StateReader {
    fileprivate mutating func readNotification(_ pipeline: String) -> Notification? {
        guard let id = readText(), let receiver = readText(), let groupKey = readText(),
            let groupLabels = readLabels(), let routeLabels = readLabels(), let alerts = readList({ $0.readAlert() }),
            let time = readTimestamp(), let externalURL = readText(), let reason = readText()
        else { return nil }
        return Notification(
            id: id, pipeline: pipeline, receiver: receiver, groupKey: groupKey, groupLabels: groupLabels,
            routeLabels: routeLabels, alerts: alerts, time: time, externalURL: externalURL, reason: reason)
    }
}
