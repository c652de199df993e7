package import Streams

/// Where a rule group is defined: what its alerts are kept under.
package struct RuleGroupPlace: Hashable, Sendable {
    package var pipeline: String
    package var file: String
    package var group: String

    package init(pipeline: String, file: String, group: String) {
        self.pipeline = pipeline
        self.file = file
        self.group = group
    }
}

/// The active alerts of alerting rules as they are kept, a row each.
extension RuleGroupOperator {
    /// Hands over what took a step; nil where nothing did, or nobody keeps it.
    func keepStepped(of place: Int) -> StateTicket? {
        var changes = StateChanges()
        addStepped(of: place, to: &changes)
        return changes.isEmpty ? nil : context.outputs.journal?.enqueue(changes)
    }

    func addStepped(of place: Int, to changes: inout StateChanges) {
        let stepped = rules[place].alerts.takeStepped()
        guard context.outputs.journal != nil else { return }
        let rule = rules[place]
        for (labels, alert) in stepped {
            put(alert, labels, of: rule.settings, ordinal: rule.ordinal, in: &changes)
        }
    }

    /// Keeps the alerts of rules of which there are several that look the same, and whose order has changed.
    func keepMoved(_ moved: [(place: Int, before: RuleGroupState.Rule)]) {
        guard let journal = context.outputs.journal, !moved.isEmpty else { return }
        var changes = StateChanges()
        for (_, before) in moved {
            for alert in before.active {
                put(nil, alert.labels, of: before.settings, ordinal: before.ordinal, in: &changes)
            }
        }
        for (place, before) in moved {
            let rule = rules[place]
            for alert in before.active {
                put(alert, alert.labels, of: rule.settings, ordinal: rule.ordinal, in: &changes)
            }
        }
        _ = journal.enqueue(changes)
    }

    /// Removes the alerts of rules that are gone.
    func forget(_ state: RuleGroupState) -> StateTicket? {
        guard let journal = context.outputs.journal else { return nil }
        var changes = StateChanges()
        for rule in state.rules {
            for alert in rule.active { put(nil, alert.labels, of: rule.settings, ordinal: rule.ordinal, in: &changes) }
        }
        return changes.isEmpty ? nil : journal.enqueue(changes)
    }

    private func put(
        _ alert: ActiveAlerts.Active?, _ labels: LabelSet, of rule: RuleSettings, ordinal: Int,
        in changes: inout StateChanges
    ) {
        let key = StateWriter.key {
            $0.write(settings.file)
            $0.write(settings.name)
            $0.write(rule.name)
            $0.write(UInt64(ordinal))
            $0.write(rule.labels) { writer, label in
                writer.write(label.name)
                writer.write(label.value)
            }
            $0.write(labels)
        }
        let value = alert.map { alert in StateWriter.value { $0.write(alert) } }
        changes.put(value, for: key, in: .rules, context.pipeline)
    }
}

extension SavedRule {
    private struct Place: Hashable {
        var group: RuleGroupPlace
        var name: String
        var labels: [Label]
        var ordinal: UInt64
    }

    /// Reads the alerts of all rules. Rows that can't be read are left out, and counted.
    package static func read(_ tables: StateTables, unreadable: inout Int) -> [RuleGroupPlace: [SavedRule]] {
        var active: [Place: [ActiveAlerts.Active]] = [:]
        for pipeline in tables.scopes(.rules) {
            for row in tables.rows(.rules, pipeline) {
                var key = StateReader(key: row.key)
                guard let place = place(&key, pipeline), var value = StateReader(value: row.value),
                    let alert = value.readActive()
                else {
                    unreadable += 1
                    continue
                }
                active[place, default: []].append(alert)
            }
        }
        // Of rules that look the same, the first goes on with what the first had.
        var rules: [RuleGroupPlace: [SavedRule]] = [:]
        for (place, alerts) in active.sorted(by: { $0.key.ordinal < $1.key.ordinal }) {
            rules[place.group, default: []].append(SavedRule(name: place.name, labels: place.labels, active: alerts))
        }
        return rules
    }

    private static func place(_ key: inout StateReader, _ pipeline: String) -> Place? {
        guard let file = key.readText(), let group = key.readText(), let name = key.readText(),
            let ordinal = key.readNumber(),
            let labels = key.readList({ reader -> Label? in
                guard let name = reader.readText(), let value = reader.readText() else { return nil }
                return Label(name, value)
            })
        else { return nil }
        return Place(
            group: RuleGroupPlace(pipeline: pipeline, file: file, group: group), name: name, labels: labels,
            ordinal: ordinal)
    }
}

extension StateWriter {
    fileprivate mutating func write(_ alert: ActiveAlerts.Active) {
        write(alert.source)
        write(alert.labels)
        write(alert.annotations)
        writeFixed(alert.value.bitPattern)
        write(alert.state.rawValue)
        write(alert.activeSince)
        write(alert.firedAt)
        write(alert.keptSince)
        write(alert.lastSent)
        write(alert.isOutdated)
    }
}

extension StateReader {
    fileprivate mutating func readActive() -> ActiveAlerts.Active? {
        guard let source = readLabels(), let labels = readLabels(), let annotations = readAnnotations(),
            let value = readFixed(), let state = readText().flatMap(AlertState.init(rawValue:)),
            let activeSince = readTimestamp(), let firedAt = readOptionalTimestamp(),
            let keptSince = readOptionalTimestamp(), let lastSent = readOptionalTimestamp(), let isOutdated = readFlag()
        else { return nil }
        return ActiveAlerts.Active(
            source: source, labels: labels, annotations: annotations, value: Double(bitPattern: value), state: state,
            activeSince: activeSince, firedAt: firedAt, keptSince: keptSince, lastSent: lastSent,
            isOutdated: isOutdated)
    }
}
