import Actors
import PromQL
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
        var context = RuleContext(
            pipeline: name, mode: pipeline.evaluation,
            reader: RuleReader(store: store, beforeReads: settings.beforeRuleReads), ingest: ingest, dispatch: dispatch,
            clock: settings.clock, telemetry: settings.telemetry,
            outputs: RuleOutputs(
                notify: { [inboxes] in await inboxes.send($0, of: name) },
                publish: { [alerts] in alerts.publish($0) }, journal: state),
            interval: pipeline.global.evaluationInterval, queryOffset: pipeline.global.ruleQueryOffset,
            externalLabels: pipeline.global.externalLabels, externalURL: settings.externalURL)
        context.evaluation = settings.language.evaluation
        context.language = settings.language.parser
        return context
    }

    /// What a group left behind that no successor goes on with.
    private typealias Remains = (group: Group, state: RuleGroupState)

    /// Stops what is gone, starts what is new; rules of a changed group that are still there go on with their alerts.
    func exchangeGroups(_ prepared: [GroupID: PreparedGroup]) async {
        let before = groups
        let remains = await stopGroups(besides: prepared)
        let ended = settings.clock.now()
        await restore(prepared)
        for (_, group) in prepared {
            guard let made = group.made else { continue }
            if remains.contains(where: { $0.state.hasSeries }) { await made.begin(after: ended) }
        }
        // Told before they run, so that no batch falls between.
        var nodes: [RuleNode] = []
        for group in prepared.values {
            if let operation = group.made ?? group.running?.value { nodes += await operation.nodes() }
        }
        dispatch.replace(nodes)
        await store.setInterests(dispatch)
        groups = await startGroups(prepared)
        await end(remains, at: ended)
        func members(_ groups: [GroupID: (settings: RuleGroupSettings, component: Component<Group>)])
            -> [(pipeline: String, settings: RuleGroupSettings)]
        {
            groups.map { (pipeline: $0.key.pipeline, settings: $0.value.settings) }
        }
        RuleGroupMetrics.remove(
            of: members(before.filter { prepared[$0.key] == nil }), staying: members(groups), from: settings.telemetry)
    }

    /// Has new groups go on with what an earlier run of the program had of them. What nobody goes on with is forgotten, at
    /// the start: a pipeline that is not there any more then has no state.
    private func restore(_ prepared: [GroupID: PreparedGroup]) async {
        if saved.rules.isEmpty { return }
        var changes = StateChanges()
        for pipeline in Set(saved.rules.keys.map(\.pipeline)) { changes.clear(.rules, pipeline) }
        for (id, group) in prepared {
            let place = RuleGroupPlace(pipeline: id.pipeline, file: id.file, group: id.name)
            guard let made = group.made, let rules = saved.rules[place] else { continue }
            await made.restore(rules, savedAt: saved.savedAt)
            changes.append(await made.restoredRows())
        }
        saved.rules = [:]
        _ = state?.enqueue(changes)
    }

    private func stopGroups(besides prepared: [GroupID: PreparedGroup]) async -> [Remains] {
        var remains: [Remains] = []
        for (id, old) in groups where prepared[id]?.running == nil {
            await old.component.handle.stop()
            var state = await old.component.value.state()
            if let successor = prepared[id]?.made { state = await successor.adopt(state) }
            if !state.rules.isEmpty { remains.append((old.component.value, state)) }
        }
        return remains
    }

    private func startGroups(
        _ prepared: [GroupID: PreparedGroup]
    ) async -> [GroupID: (settings: RuleGroupSettings, component: Component<Group>)] {
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
        return next
    }

    /// Tells the ends of the alerts that are left, and marks the series that are left stale as of the time when their
    /// groups ended: after a while, where a rule that has moved may go on with them.
    private func end(_ remains: [Remains], at time: Timestamp) async {
        for (group, state) in remains {
            await group.endAlerts(of: state, at: time)
            guard state.hasSeries else { continue }
            let patience = await group.patience
            if patience == .zero {
                await group.endSeries(of: state, at: time)
                continue
            }
            _ = await host.start("rules/\(group.settings.name)/ended") { [clock = settings.clock] in
                // A shutdown comes first: then the series end by look-back.
                guard (try? await clock.sleep(for: patience)) != nil else { return }
                await group.endSeries(of: state, at: time)
            }
        }
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
