import Actors
import Storage
import Streams

extension RunningGraph {
    /// A group of the new plan: one that runs already, or one that was made for it.
    struct PreparedGroup {
        var settings: RuleGroupSettings
        var running: Component<Group>?
        var made: Group?
    }

    /// Makes the operators that the new plan needs; changes nothing that runs.
    func prepareGroups(_ new: Plan) throws -> [GroupID: PreparedGroup] {
        var prepared: [GroupID: PreparedGroup] = [:]
        for pipeline in new.pipelines {
            let isSame = plan[pipeline.name].map { $0.evaluatesLike(pipeline) } ?? false
            for group in pipeline.ruleGroups {
                let id = GroupID(pipeline: pipeline.name, file: group.file, name: group.name)
                if isSame, let running = groups[id], running.settings == group {
                    prepared[id] = PreparedGroup(settings: group, running: running.component)
                } else {
                    let made = try Group(group, context: context(pipeline), logger: settings.logger)
                    prepared[id] = PreparedGroup(settings: group, made: made)
                }
            }
        }
        return prepared
    }

    private func context(_ pipeline: PipelinePlan) -> RuleContext<RuleReader> {
        let name = pipeline.name
        return RuleContext(
            pipeline: name, mode: pipeline.evaluation,
            reader: RuleReader(store: store, beforeReads: settings.beforeRuleReads), ingest: ingest, dispatch: dispatch,
            clock: settings.clock, telemetry: settings.telemetry,
            outputs: RuleOutputs(
                notify: { [inboxes] in await inboxes.send($0, of: name) },
                publish: { [alerts] in alerts.publish($0) }),
            interval: pipeline.global.evaluationInterval, queryOffset: pipeline.global.ruleQueryOffset,
            externalLabels: pipeline.global.externalLabels, externalURL: settings.externalURL)
    }

    /// Stops what is gone, starts what is new; equal rules of a changed group go on with their alerts.
    func exchangeGroups(_ prepared: [GroupID: PreparedGroup]) async {
        var left: [(group: Group, state: RuleGroupState)] = []
        for (id, old) in groups where prepared[id]?.running == nil {
            await old.component.handle.stop()
            var state = await old.component.value.state()
            if let successor = prepared[id]?.made { state = await successor.adopt(state) }
            left.append((old.component.value, state))
        }
        for (id, group) in prepared {
            if let made = group.made, let alerts = saved.alerts.removeValue(forKey: id) { await made.restore(alerts) }
        }
        // Told before they run, so that no batch falls between.
        var nodes: [RuleNode] = []
        for group in prepared.values {
            if let operation = group.made ?? group.running?.value { nodes += await operation.nodes() }
        }
        dispatch.replace(nodes)
        await store.setInterests(dispatch)
        var next: [GroupID: (settings: RuleGroupSettings, component: Component<Group>)] = [:]
        for (id, group) in prepared {
            if let running = group.running {
                next[id] = (group.settings, running)
            } else if let made = group.made {
                // After a start there is nothing to look at yet.
                if readiness.isOpen { await made.evaluateAtOnce() }
                let handle = await host.start("rules/\(id.pipeline)/\(id.name)") { await made.run() }
                next[id] = (group.settings, Component(value: made, handle: handle))
            }
        }
        groups = next
        for (group, state) in left where !state.rules.isEmpty { await group.end(state) }
    }
}

extension PipelinePlan {
    /// Whether what surrounds the rules of two plans is the same.
    fileprivate func evaluatesLike(_ other: PipelinePlan) -> Bool {
        evaluation == other.evaluation && global.evaluationInterval == other.global.evaluationInterval
            && global.ruleQueryOffset == other.global.ruleQueryOffset
            && global.externalLabels == other.global.externalLabels
    }
}
