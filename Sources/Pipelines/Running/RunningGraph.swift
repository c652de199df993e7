package import Actors
import Logging
package import PromQL
import Sinks
package import Sources
package import Storage
import Streams
import Synchronization
import Templates

/// The graph that runs: sources, storage, rules, notification sides and sinks of all pipelines, as children of `run`.
///
/// A reload applies the difference of two plans: parts whose settings are equal run on, alerts and what was notified
/// carry over.
package actor RunningGraph {
    typealias Group = RuleGroupOperator<RuleReader>

    struct Component<Value: Sendable>: Sendable {
        var value: Value
        var handle: ComponentHandle
    }

    package nonisolated let store: SeriesStore
    package nonisolated let ingest: StoreIngest
    package nonisolated let alerts: AlertStreamHub
    package nonisolated let dispatch: RuleDispatch
    let settings: GraphSettings
    let host: ComponentHost
    let inboxes = AlertInboxes()
    let turn = AsyncTurn()
    var plan = Plan(pipelines: [])
    var sources: [String: (plan: SourcePlan, component: Component<any Source>)] = [:]
    var groups: [GroupID: (settings: RuleGroupSettings, component: Component<Group>)] = [:]
    var notifiers: [String: (plan: PipelinePlan, templates: [String], component: Component<Notifier>)] = [:]
    nonisolated let readiness = Latch()
    nonisolated let stopping = Latch()
    nonisolated let currentGateway = Mutex<PushGateway?>(nil)
    /// What the last run left, for the pipelines that come to use it.
    var saved = SavedState()
    /// Where what is known of alerts is kept; nil: nowhere.
    var state: StateStore?
    /// Whether the samples of the last run were read to their end; before that, their file must not be replaced.
    var hasReadSamples = false

    struct GroupID: Hashable {
        var pipeline: String
        var file: String
        var name: String
    }

    let startTime: Timestamp

    package init(_ settings: GraphSettings) {
        self.settings = settings
        startTime = settings.clock.now()
        var storage = settings.storage
        storage.hashSeed = settings.random()
        store = SeriesStore(settings: storage)
        dispatch = RuleDispatch(capacity: settings.batchesMax)
        ingest = StoreIngest(store, clock: settings.clock, listener: dispatch, telemetry: settings.telemetry)
        alerts = AlertStreamHub(
            epoch: String(settings.clock.now().milliseconds, radix: 36), telemetry: settings.telemetry)
        host = ComponentHost(
            Supervisor(clock: settings.clock, telemetry: settings.telemetry, logger: settings.logger))
        let gate = dispatch.gate
        let inboxes = inboxes
        settings.telemetry.collect { readings in
            EdgeReadings.add(gate, to: &readings)
            for inbox in inboxes.all { EdgeReadings.add(inbox, to: &readings) }
            for edge in inboxes.deliveryEdges { EdgeReadings.add(edge, to: &readings) }
        }
    }

    /// What of PromQL is switched on.
    package nonisolated var language: LanguageFeatures { settings.language }

    /// Whether everything of the plan runs and nothing has told it to stop.
    package nonisolated var isReady: Bool { readiness.isOpen && !stopping.isOpen }

    /// The Pushgateway API's groups; nil where no pipeline has a push source.
    package nonisolated var gateway: PushGateway? { currentGateway.withLock { $0 } }

    /// What is known of the targets of each scraped job.
    package var targets: [TargetStatus] {
        sources.values.compactMap { $0.component.value as? ScrapeSource }.flatMap(\.status.all)
    }

    /// Every alert of every rule that is pending or firing.
    package var activeAlerts: [ActiveAlerts.Active] {
        get async {
            var result: [ActiveAlerts.Active] = []
            for group in groups.values.map(\.component.value) {
                result += await group.state().rules.flatMap(\.active)
            }
            return result
        }
    }

    package var currentPlan: Plan { plan }

    /// Runs the plan until `shutDown`. Then, in order: sources stop, what they sent is evaluated, notifications on their
    /// way are sent or kept, samples are kept. Cancellation ends everything at once.
    package func run(_ first: Plan) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [host] in await host.run() }
            group.addTask { [store, clock = settings.clock] in
                while !Task.isCancelled {
                    // Ends early only by cancellation, which the loop sees.
                    try? await clock.sleep(for: .seconds(30))
                    _ = await store.trim(at: clock.now())
                }
            }
            defer { group.cancelAll() }
            try await openState()
            await readSamples()
            try await apply(first)
            saved.tables = StateTables()
            readiness.open()
            group.addTask { await self.beat() }
            await stopping.wait()
            // A reload under way comes to its end first; none begins any more.
            await turn.begin()
            defer { turn.end() }
            await drain()
            host.close()
        }
    }

    /// Asks `run` to come to its end.
    package nonisolated func shutDown() { stopping.open() }

    /// Goes over to another plan. One at a time; when it throws, what ran before runs on.
    package func reload(_ new: Plan) async throws {
        await turn.begin()
        defer { turn.end() }
        guard isReady else { throw NotRunning() }
        try await apply(new)
    }

    package struct NotRunning: Error, CustomStringConvertible {
        package var description: String { "the server is starting or shutting down" }
    }

    // MARK: from one plan to another

    /// What can fail comes first, and changes nothing that runs.
    private func apply(_ new: Plan) async throws {
        let newTemplates = try Dictionary(
            uniqueKeysWithValues: new.pipelines.filter { $0.routing != nil }.map {
                ($0.name, try TemplateFiles($0.templates, clock: settings.clock))
            })
        let newGroups = try prepareGroups(new)
        let newSources = try prepareSources(new)
        let before = plan
        let gone = await exchangeNotifiers(new, newTemplates)
        await exchangeGroups(newGroups)
        await tellAgain(new, before)
        await endNotifiers(gone)
        ingest.exemplars.resize(to: new.exemplarsMax)
        await exchangeSources(newSources)
        plan = new
    }

    /// The alerts of pipelines that are notified by another pipeline's routing now are new to it.
    private func tellAgain(_ new: Plan, _ old: Plan) async {
        for (id, group) in groups {
            guard let before = old.router(of: id.pipeline)?.name, old[id.pipeline] != nil else { continue }
            if before != new.router(of: id.pipeline)?.name { await group.component.value.tellAgain() }
        }
    }

    // MARK: the end

    private func drain() async {
        for (_, source) in sources { await source.component.handle.stop() }
        let deadline = settings.clock.now() + settings.drainTimeout
        while dispatch.gate.counts.queued > 0, settings.clock.now() < deadline, !Task.isCancelled {
            // Ends early only by cancellation, which the loop sees.
            try? await settings.clock.sleep(for: .milliseconds(5))
        }
        ingest.close()
        for (_, group) in groups { await group.component.handle.stop() }
        for inbox in inboxes.all { inbox.close() }
        let notifiers = notifiers.values.map(\.component)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for notifier in notifiers { await notifier.handle.ended() }
            }
            // The deadline, or cancellation.
            group.addTask { [clock = settings.clock] in try? await clock.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
        for notifier in notifiers { await notifier.handle.stop() }
        await closeState()
        await writeSamples()
        alerts.close()
    }
}
