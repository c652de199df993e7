import Actors
import Logging
import PromQL
import Sinks
import Streams
import Synchronization
import Templates

extension RunningGraph {
    /// Exchanges the notification sides whose settings changed; their state goes over to their successors.
    ///
    /// - Returns: those of pipelines that have none any more, still running: the alerts of rules that are gone end there.
    func exchangeNotifiers(
        _ new: Plan, _ templates: [String: TemplateFiles]
    ) async -> [String: Component<Notifier>] {
        var next: [String: (plan: PipelinePlan, templates: [String], component: Component<Notifier>)] = [:]
        var routed: [String: Edge<[Alert]>] = [:]
        var exchanged: [(old: Component<Notifier>, inbox: Edge<[Alert]>?)] = []
        for pipeline in new.pipelines {
            guard let routing = pipeline.routing, let files = templates[pipeline.name] else { continue }
            let old = notifiers[pipeline.name]
            if let old, old.templates == files.texts, old.plan.notifiesLike(pipeline) {
                next[pipeline.name] = (pipeline, files.texts, old.component)
                routed[pipeline.name] = old.component.value.inbox
                continue
            }
            // The predecessor ends before its state is read, so that nothing is told by both.
            await old?.component.handle.stop()
            let state = await old?.component.value.state()
            let notifier = notifier(pipeline, routing, files, of: new, continuing: state)
            let handle = await host.start("notify/\(pipeline.name)") { await notifier.run() }
            next[pipeline.name] = (pipeline, files.texts, Component(value: notifier, handle: handle))
            routed[pipeline.name] = notifier.inbox
            if let old { exchanged.append((old.component, notifier.inbox)) }
        }
        let gone = notifiers.filter { next[$0.key] == nil }.mapValues(\.component)
        notifiers = next
        // Pipelines without a routing of their own go to the default one.
        var inboxes = routed
        for pipeline in new.pipelines where inboxes[pipeline.name] == nil {
            inboxes[pipeline.name] = new.router(of: pipeline.name).flatMap { routed[$0.name] }
        }
        // Rules that are still to be told of their end find the notification side that knows their alerts.
        for (name, component) in gone where new[name] == nil { inboxes[name] = component.value.inbox }
        self.inboxes.replaceAll(
            inboxes, entrances: entrances(new, inboxes), standard: new.defaultPipeline?.name,
            deliveries: next.values.flatMap { $0.component.value.deliveryEdges })
        // What was sent to a predecessor that had stopped taking it.
        for (old, inbox) in exchanged {
            old.value.inbox.close()
            for alerts in await old.value.inbox.receiveAll() ?? [] {
                // The successor is new and has room; if it were closed already the graph would be ending.
                try? inbox?.trySend(alerts)
            }
        }
        return gone
    }

    /// Alerts from outside come in wherever those of a pipeline's rules do.
    private func entrances(_ new: Plan, _ inboxes: [String: Edge<[Alert]>]) -> [String: AlertEntrance] {
        var entrances: [String: AlertEntrance] = [:]
        for pipeline in new.pipelines {
            guard let inbox = inboxes[pipeline.name] else { continue }
            entrances[pipeline.name] = AlertEntrance(
                inbox: inbox, resolveTimeout: pipeline.global.resolveTimeout,
                telemetry: AlertEntranceTelemetry(settings.telemetry, pipeline: pipeline.name))
        }
        return entrances
    }

    /// Ends notification sides that no pipeline has any more: what they hold is sent, within the time of a drain.
    func endNotifiers(_ gone: [String: Component<Notifier>]) async {
        guard !gone.isEmpty else { return }
        for component in gone.values { component.value.inbox.close() }
        let deadline = settings.clock.now() + settings.drainTimeout
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for component in gone.values { await component.handle.ended() }
            }
            // The deadline, or cancellation.
            group.addTask { [clock = settings.clock] in try? await clock.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
        for component in gone.values { await component.handle.stop() }
    }

    /// What alerts from outside may take while they wait, measured as they were sent.
    private static let postedBytesMax = 64 << 20
    /// Longer than a restored alert may wait for its samples: a look-back, and an interval.
    private static let restartGrace = EvaluationSettings().lookback + .seconds(120)

    /// Counts them, and logs a failure when it is another than the last.
    private func templateFailures(of pipeline: String) -> @Sendable (String) -> Void {
        let counter = settings.telemetry.counter(
            "tocsin_template_failures_total", help: "Templates of receivers that could not be filled in.",
            labels: ["pipeline": pipeline])
        let last = Mutex("")
        let logger = settings.logger
        return { reason in
            counter.add()
            let isNew = last.withLock { last in
                defer { last = reason }
                return last != reason
            }
            guard isNew else { return }
            logger.error(
                "A template could not be filled in; plain words stand in for it.",
                metadata: ["pipeline": "\(pipeline)", "reason": "\(reason)"])
        }
    }

    /// The alerts that rules had when the program ended, as a pipeline's notification side knows them.
    private func claims(on pipeline: String, _ new: Plan) -> Set<Fingerprint> {
        var claims: Set<Fingerprint> = []
        for (place, rules) in saved.rules where new.router(of: place.pipeline)?.name == pipeline {
            let external = new[place.pipeline]?.global.externalLabels ?? LabelSet()
            for alert in rules.lazy.flatMap(\.active) where alert.state == .firing {
                claims.insert(external.merging(alert.labels).fingerprint)
            }
        }
        return claims
    }

    private func notifier(
        _ pipeline: PipelinePlan, _ routing: RoutingSettings, _ files: TemplateFiles, of new: Plan,
        continuing state: DispatcherState?
    ) -> Notifier {
        let context = SinkContext(
            http: settings.http, connector: settings.connector,
            renderer: TemplateRenderer(files.templates, failed: templateFailures(of: pipeline.name)),
            clock: settings.clock, random: settings.random,
            allowsCommands: settings.allowsCommands)
        let receivers = pipeline.receivers.map { receiver in
            Notifier.Receiver(name: receiver.name, sinks: receiver.sinks.map { $0.sink(context) })
        }
        var continuation = state.map { Notifier.Continuation($0, by: .reload) }
        if continuation == nil, let saved = saved.notifications(of: pipeline.name) {
            continuation = Notifier.Continuation(
                saved, by: .restart(grace: Self.restartGrace, claimed: claims(on: pipeline.name, new)))
        }
        var surroundings = Notifier.Surroundings(
            clock: settings.clock, telemetry: settings.telemetry, logger: settings.logger)
        surroundings.journal = self.state
        surroundings.beforeAlerts = settings.beforeAlerts
        return Notifier(
            pipeline: pipeline.name, routing: routing, receivers: receivers,
            externalURL: settings.externalURL,
            inbox: Edge(
                EdgeName(pipeline: pipeline.name, from: "rules", to: "notify"),
                capacity: .init(elements: settings.alertBatchesMax, bytes: Self.postedBytesMax)),
            // Counted from the start: a reload puts nothing off.
            firstFlush: startTime + settings.dispatchDelay, silences: settings.silences,
            continuing: continuation, publish: { [alerts] in alerts.publish($0) },
            in: surroundings)
    }
}

extension PipelinePlan {
    /// Whether the notification sides of two plans would do the same.
    fileprivate func notifiesLike(_ other: PipelinePlan) -> Bool {
        routing == other.routing && receivers == other.receivers && global.sinks == other.global.sinks
    }
}
