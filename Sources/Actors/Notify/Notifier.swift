package import Logging
package import Streams

/// The operator between the rules of a pipeline and its sinks: takes alerts from its inbox, groups and deduplicates them,
/// and hands notifications to one delivery queue for each integration.
///
/// - Holds: alerts, groups and the notification log, bounded by the dispatcher's settings; see `DeliveryQueue` for what
///   is on its way.
/// - Waits: for alerts, never for a sink.
/// - Ends: with its inbox, once the queues have finished what was on its way. `state()` then has what was not accepted.
package actor Notifier {
    /// A receiver with its sinks in the order of the file.
    package struct Receiver: Sendable {
        package var name: String
        package var sinks: [any Sink]

        package init(name: String, sinks: [any Sink]) {
            self.name = name
            self.sinks = sinks
        }
    }

    /// A saved state to go on with.
    package struct Continuation: Sendable {
        package var state: DispatcherState
        package var way: Dispatcher.Continuation

        package init(_ state: DispatcherState, by way: Dispatcher.Continuation) {
            self.state = state
            self.way = way
        }
    }

    /// What surrounds it.
    package struct Surroundings: Sendable {
        package var clock: any WallClock
        package var random: RandomSource
        package var telemetry: Telemetry
        package var logger: Logger
        /// Where what it knows is kept before anybody is told of it. Nil: nowhere.
        package var journal: (any StateJournal)?
        /// Waited for before alerts that have come are looked at. Nil: nothing; tests make the notifier slow with it.
        package var beforeAlerts: (@Sendable () async -> Void)?

        package init(clock: any WallClock, random: RandomSource = RandomSource(), telemetry: Telemetry, logger: Logger)
        {
            self.clock = clock
            self.random = random
            self.telemetry = telemetry
            self.logger = logger
        }
    }

    package nonisolated let inbox: Edge<[Alert]>
    private let clock: any WallClock
    private let timer: DeadlineTimer
    /// By receiver, in the order of its sinks.
    private let queues: [String: [DeliveryQueue]]
    private var dispatcher: Dispatcher
    private var telemetry: NotifierTelemetry
    private let random: RandomSource
    private let logger: Logger
    private let beforeAlerts: (@Sendable () async -> Void)?
    private let publish: @Sendable ([AlertTransition]) -> Void
    private let journal: (any StateJournal)?
    private var isDraining = false

    /// - Parameters:
    ///   - inbox: alerts of the rules and of the API; its receiver is this operator alone.
    ///   - continuing: the state of an earlier run, if there is one.
    ///   - publish: is told what becomes of alerts from outside; never waits.
    package init(
        pipeline: String, routing: RoutingSettings, receivers: [Receiver], externalURL: String, inbox: Edge<[Alert]>,
        queue: DeliveryQueue.Settings = .init(), firstFlush: Timestamp = .distantPast,
        silences: Silences.Limits = .init(), continuing: Continuation? = nil,
        publish: @escaping @Sendable ([AlertTransition]) -> Void = { _ in },
        in surroundings: Surroundings
    ) {
        var infos: [String: [IntegrationInfo]] = [:]
        var queues: [String: [DeliveryQueue]] = [:]
        for receiver in receivers {
            let integrations = Self.integrations(of: receiver)
            infos[receiver.name] = integrations
            queues[receiver.name] = zip(integrations, receiver.sinks).map { integration, sink in
                var logger = surroundings.logger
                logger[metadataKey: "receiver"] = "\(receiver.name)"
                logger[metadataKey: "integration"] = "\(integration.name)"
                return DeliveryQueue(
                    EdgeName(
                        pipeline: pipeline, from: "notify", to: "\(receiver.name)/\(integration.name)"),
                    to: sink, receiver: receiver.name, integration: integration.name, settings: queue,
                    in: Surroundings(
                        clock: surroundings.clock, random: surroundings.random, telemetry: surroundings.telemetry,
                        logger: logger))
            }
        }
        self.inbox = inbox
        self.queues = queues
        self.publish = publish
        journal = surroundings.journal
        beforeAlerts = surroundings.beforeAlerts
        random = surroundings.random
        logger = surroundings.logger
        clock = surroundings.clock
        telemetry = NotifierTelemetry(surroundings.telemetry, pipeline: pipeline, logger: surroundings.logger)
        timer = DeadlineTimer(clock: surroundings.clock)
        let settings = DispatcherSettings(
            pipeline: pipeline, routing: routing, receivers: infos, externalURL: externalURL, firstFlush: firstFlush,
            silences: silences)
        let now = surroundings.clock.now()
        dispatcher =
            if let continuing {
                Dispatcher(settings, continuing: continuing.state, by: continuing.way, now: now)
            } else {
                Dispatcher(settings, now: now)
            }
    }

    /// Each sink's kind is its key without `_configs`; kinds are counted apart, as Alertmanager does.
    private static func integrations(of receiver: Receiver) -> [IntegrationInfo] {
        var counts: [String: Int] = [:]
        return receiver.sinks.map { sink in
            let key = type(of: sink).key
            let kind = key.hasSuffix("_configs") ? String(key.dropLast("_configs".count)) : key
            defer { counts[kind, default: 0] += 1 }
            return IntegrationInfo(kind: kind, position: counts[kind, default: 0], sendsResolved: sink.sendsResolved)
        }
    }

    /// The edges to the sinks, for their counters.
    package nonisolated var deliveryEdges: [Edge<Delivery>] { queues.values.joined().map(\.inbox) }

    /// What has to be kept for the next run.
    package func state() -> DispatcherState { dispatcher.state(at: clock.now()) }

    /// What is known now, to be asked about alerts by others without holding up notifications.
    package func snapshot() -> Dispatcher { dispatcher }

    /// Makes or changes a silence, and returns once it is kept.
    /// - Returns: its id, which is another than the draft's where a new one had to take its place.
    package func set(_ draft: SilenceDraft) async throws(SilenceError) -> String {
        let change = try dispatcher.set(draft, now: clock.now(), newID: random.uuid)
        log(change)
        await keep()
        return change.id
    }

    /// Ends a silence, and returns once that is kept.
    package func expire(silence id: String) async throws(SilenceError) {
        log(try dispatcher.expire(silence: id, now: clock.now()))
        await keep()
    }

    private func log(_ change: Silences.Change) {
        guard let kind = change.kind, let silence = change.silences.last else { return }
        logger.info(
            "A silence has changed.",
            metadata: [
                "pipeline": "\(dispatcher.settings.pipeline)", "silence": "\(change.id)", "change": "\(kind.rawValue)",
                "matchers": "\(silence.matchers.alertmanagerText)", "author": "\(silence.createdBy)",
            ])
    }

    package func run() async {
        await withDiscardingTaskGroup { timers in
            timers.addTask { [timer] in await timer.run { await self.tick() } }
            await withDiscardingTaskGroup { deliveries in
                for queue in queues.values.joined() {
                    deliveries.addTask {
                        await queue.run { delivery, outcome in await self.complete(delivery, outcome) }
                    }
                }
                await send(dispatcher.takeRestored())
                await tick()
                while let batches = await inbox.receiveAll(max: 256) {
                    await beforeAlerts?()
                    let alerts = batches.flatMap(\.self)
                    await send(dispatcher.process(alerts, now: clock.now()))
                    telemetry.noteReceived(alerts.count)
                }
                isDraining = true
                for queue in queues.values.joined() { queue.close() }
            }
            timers.cancelAll()
        }
    }

    private func tick() async {
        if !isDraining { await send(dispatcher.advance(to: clock.now())) }
    }

    private func complete(_ delivery: Delivery, _ outcome: DeliveryOutcome) async {
        let now = clock.now()
        await send(dispatcher.complete(delivery, outcome, now: now))
        let (receiver, index) = (delivery.notification.receiver, delivery.integration)
        while !isDraining, let queue = queues[receiver]?[index], queue.hasRoom,
            let next = dispatcher.takeUp(receiver: receiver, integration: index, now: clock.now())
        {
            await send([next])
        }
    }

    /// Returns once what has changed is kept.
    private func keep() async {
        guard let journal else { return dispatcher.dropChanges() }
        let changes = dispatcher.takeChanges()
        if !changes.isEmpty { await journal.commit(changes) }
    }

    /// Keeps what has changed, and then sends: what was sent is known after a restart, whenever the program ends.
    private func send(_ deliveries: [Delivery]) async {
        let transitions = dispatcher.takeTransitions()
        timer.set(dispatcher.nextDeadline)
        telemetry.note(dispatcher)
        await keep()
        if !transitions.isEmpty { publish(transitions) }
        for delivery in deliveries {
            guard let queue = queues[delivery.notification.receiver]?[delivery.integration] else { continue }
            guard queue.hasRoom else {
                dispatcher.postpone(delivery)
                continue
            }
            // There is room. While draining the edge is closed: it stays undelivered, and is kept as such.
            try? queue.inbox.trySend(delivery)
        }
    }
}
