import Logging
import PromQL
import Streams

/// What a rule group has brought about, to be carried over a reload, or over a restart as far as alerts go.
package struct RuleGroupState: Sendable {
    package struct Rule: Sendable {
        package var settings: RuleSettings
        package var active: [ActiveAlerts.Active]
        var written: WrittenSeries
    }

    package var rules: [Rule]
}

extension RuleGroupOperator {
    package func state() -> RuleGroupState {
        RuleGroupState(
            rules: rules.map {
                RuleGroupState.Rule(
                    settings: $0.settings, active: Array($0.alerts.active.values), written: $0.written)
            })
    }

    /// Goes on from where equal rules of a predecessor were.
    /// - Returns: what no rule of this group goes on with.
    package func adopt(_ state: RuleGroupState) -> RuleGroupState {
        var left = state
        for place in rules.indices {
            guard let found = left.rules.firstIndex(where: { $0.settings == rules[place].settings }) else { continue }
            let predecessor = left.rules.remove(at: found)
            rules[place].alerts.restore(predecessor.active)
            rules[place].written = predecessor.written
        }
        return left
    }

    /// Goes on with the alerts that an earlier run of the program had, by the rules' names. Their samples have to come
    /// again first: none ends for want of them before a look-back has passed.
    package func restore(_ alerts: [String: [ActiveAlerts.Active]]) {
        let until = context.clock.now() + EvaluationSettings().lookback
        for place in rules.indices where rules[place].settings.isAlert {
            if let active = alerts[rules[place].settings.name] { rules[place].alerts.restore(active, until: until) }
        }
    }

    /// Ends what rules that are gone have left: their series are marked stale, their firing alerts end.
    package func end(_ state: RuleGroupState) async {
        let time = context.clock.now()
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
        let series = state.rules.flatMap(\.written.all).map { WrittenSeries.Entry($0, .float(StaleMarker.value)) }
        do {
            try await append(series, at: time, by: nil)
        } catch {
            // The graph is full or closing; the series end by look-back.
            logger.debug("Series of removed rules were not marked stale.", metadata: ["reason": "\(error)"])
        }
    }
}
