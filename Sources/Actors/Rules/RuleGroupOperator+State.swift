import Logging
import PromQL
package import Streams

/// What a rule group has brought about, to be carried over a reload, or over a restart as far as alerts go.
package struct RuleGroupState: Sendable {
    package struct Rule: Sendable {
        package var settings: RuleSettings
        package var active: [ActiveAlerts.Active]
        var written: WrittenSeries
        var ordinal: Int
    }

    package var rules: [Rule]

    /// Whether there is something to mark stale.
    package var hasSeries: Bool { rules.contains { !$0.written.all.isEmpty } }
}

extension RuleGroupOperator {
    package func state() -> RuleGroupState {
        RuleGroupState(
            rules: rules.map {
                RuleGroupState.Rule(
                    settings: $0.settings, active: Array($0.alerts.active.values), written: $0.written,
                    ordinal: $0.ordinal)
            })
    }

    /// Goes on from where rules of a predecessor with the same names and labels were, as Prometheus does: of several, the
    /// first with the first. What others of its rules wrote is marked stale when this group has been evaluated.
    /// - Returns: the rules that no rule of this group goes on with; only their alerts are left to end.
    package func adopt(_ state: RuleGroupState) -> RuleGroupState {
        var left = state
        var moved: [(place: Int, before: RuleGroupState.Rule)] = []
        for place in rules.indices {
            let found = left.rules.firstIndex { $0.settings.isContinued(by: rules[place].settings) }
            guard let found else { continue }
            let predecessor = left.rules.remove(at: found)
            rules[place].alerts.restore(predecessor.active)
            rules[place].written = predecessor.written
            if predecessor.ordinal != rules[place].ordinal { moved.append((place, predecessor)) }
        }
        keepMoved(moved)
        for place in left.rules.indices {
            leftSeries += left.rules[place].written.all
            left.rules[place].written = WrittenSeries()
        }
        return left
    }

    /// Ends what rules that are gone have written.
    func endLeftSeries(at time: Timestamp) async {
        if leftSeries.isEmpty { return }
        let series = leftSeries
        leftSeries = []
        await markStale(series, at: time)
    }

    private func markStale(_ series: [LabelSet], at time: Timestamp) async {
        do {
            try await append(series.map { ($0, .float(StaleMarker.value)) }, at: time, by: nil)
        } catch {
            // The graph is full or closing; the series end by look-back.
            logger.debug("Series of removed rules were not marked stale.", metadata: ["reason": "\(error)"])
        }
    }

    /// Goes on with the alerts that an earlier run of the program had. Their samples have to come again first: none ends for
    /// want of them before a look-back has passed.
    /// - Parameter savedAt: when that run was last known to be well. The time since does not count for `for`.
    package func restore(_ saved: [SavedRule], savedAt: Timestamp) {
        let now = context.clock.now()
        let until = now + EvaluationSettings().lookback
        var left = saved
        for place in rules.indices where rules[place].settings.isAlert {
            guard let found = left.firstIndex(where: { $0.isContinued(by: rules[place].settings) }) else { continue }
            let alerts = left.remove(at: found).active.compactMap { $0.resumed(at: now, after: savedAt) }
            rules[place].alerts.restore(alerts, until: until)
        }
    }

    /// What an earlier run had of the alerts of this group and this one goes on with, as rows.
    package func restoredRows() -> StateChanges {
        var changes = StateChanges()
        for place in rules.indices { addStepped(of: place, to: &changes) }
        return changes
    }

    /// Tells that the alerts of rules that are gone have ended.
    package func endAlerts(of state: RuleGroupState, at time: Timestamp) async {
        let ticket = forget(state)
        var alerts: [Alert] = []
        var transitions: [AlertTransition] = []
        for rule in state.rules {
            for alert in rule.active {
                if alert.state == .firing { alerts.append(notice(alert, of: rule.settings, endsAt: time, at: time)) }
                transitions.append(
                    AlertTransition(
                        time: time, pipeline: context.pipeline, group: settings.name, rule: rule.settings.name,
                        from: alert.state, to: .inactive, labels: alert.labels, annotations: alert.annotations,
                        value: alert.value, activeSince: alert.activeSince))
            }
        }
        if !transitions.isEmpty { context.outputs.publish(transitions) }
        if !alerts.isEmpty { await context.outputs.notify(alerts) }
        if let ticket { await context.outputs.journal?.flush(ticket) }
    }

    /// How long a group that is gone leaves its series to others: a rule that has moved goes on with them meanwhile, and
    /// then has newer samples than the marker would be. Streaming groups begin at once.
    package var patience: Duration { context.mode == .interval ? interval * 2 : .zero }

    /// Marks the series of rules that are gone stale as of a time, where nobody has gone on with them.
    package func endSeries(of state: RuleGroupState, at time: Timestamp) async {
        await markStale(state.rules.flatMap(\.written.all), at: time)
    }
}

extension RuleSettings {
    /// Whether that rule is this one after a reload, changed perhaps.
    fileprivate func isContinued(by other: RuleSettings) -> Bool { kind == other.kind && labels == other.labels }
}

/// What is kept of an alerting rule from one run of the program to the next.
package struct SavedRule: Sendable {
    package var name: String
    /// As the rule has them, templates unexpanded.
    package var labels: [Label]
    package var active: [ActiveAlerts.Active]

    package init(name: String, labels: [Label], active: [ActiveAlerts.Active]) {
        self.name = name
        self.labels = labels
        self.active = active
    }

    fileprivate func isContinued(by rule: RuleSettings) -> Bool {
        rule.isAlert && rule.name == name && rule.labels == labels
    }
}

extension ActiveAlerts.Active {
    /// An outage that is longer leaves nothing of what was pending, as in Prometheus.
    private static let outageMax = Duration.seconds(3600)

    /// The alert after an outage. Nobody knows whether its expression held meanwhile, so that of a pending one does not
    /// count, and after a long one it begins anew.
    fileprivate func resumed(at now: Timestamp, after savedAt: Timestamp) -> Self? {
        let outage = max(.zero, now - savedAt)
        guard state == .pending else { return self }
        if outage > Self.outageMax { return nil }
        var alert = self
        alert.activeSince = activeSince + outage
        return alert
    }
}
