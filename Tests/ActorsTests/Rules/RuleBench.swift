import Logging
import PromQL
import Storage
import Streams
import Synchronization
import TestKit
import YAML

@testable import Actors

/// Reads through to a store, and counts; can be told to fail.
struct WatchedReader: SeriesReader {
    final class Watch: Sendable {
        let requests = Mutex<[SelectRequest]>([])
        let failure = Mutex<ReadError?>(nil)
    }

    let store: SeriesStore
    let watch: Watch

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        watch.requests.withLock { $0.append(request) }
        if let failure = watch.failure.withLock({ $0 }) { throw failure }
        return try await store.select(request)
    }
}

/// Rule groups over a real store, in virtual time, on the thread of the test.
final class RuleBench {
    let clock: ManualClock
    let simulation: SimulatedExecutor
    let telemetry = Telemetry()
    let log = LogRecorder()
    let store: SeriesStore
    let dispatch: RuleDispatch
    let ingest: StoreIngest
    let watch = WatchedReader.Watch()
    let notified = Recorder<Alert>()
    let transitions = Recorder<AlertTransition>()
    let start: Timestamp
    private(set) var groups: [RuleGroupOperator<WatchedReader>] = []
    private let context: RuleContext<WatchedReader>
    private var running: [Task<Void, Never>] = []

    /// - Parameter rules: a rule file's groups.
    init(
        _ rules: String, mode: EvaluationMode = .streaming, interval: Duration = .seconds(60), seed: UInt64? = nil,
        queryOffset: Duration = .zero, capacity: Int = 64, clock: ManualClock = ManualClock(),
        restoring: [String: [ActiveAlerts.Active]] = [:],
        outage: Duration = .zero
    ) throws {
        self.clock = clock
        simulation = SimulatedExecutor(seed: seed)
        start = clock.now()
        store = SeriesStore(shardCount: 2)
        dispatch = RuleDispatch(capacity: capacity)
        ingest = StoreIngest(store, clock: clock, listener: dispatch, telemetry: telemetry)
        let settings = try Self.read(rules)
        context = RuleContext(
            pipeline: "p", mode: mode, reader: WatchedReader(store: store, watch: watch), ingest: ingest,
            dispatch: dispatch, clock: clock, telemetry: telemetry,
            outputs: RuleOutputs(
                notify: { [notified] in notified.add($0) }, publish: { [transitions] in transitions.add($0) }),
            interval: interval, queryOffset: queryOffset, externalLabels: ["cluster": "c"],
            externalURL: "http://tocsin")
        groups = try settings.map { [context] in try RuleGroupOperator($0, context: context, logger: log.logger) }
        let (groups, dispatch, store, savedAt) = (groups, dispatch, store, start - outage)
        perform {
            var nodes: [RuleNode] = []
            for group in groups { nodes += await group.nodes() }
            dispatch.replace(nodes)
            await store.setInterests(dispatch)
            for group in groups {
                let saved = group.settings.rules.compactMap { rule in
                    restoring[rule.name].map { SavedRule(name: rule.name, labels: rule.labels, active: $0) }
                }
                await group.restore(saved, savedAt: savedAt)
            }
        }
        for group in groups { running.append(Task(executorPreference: simulation) { await group.run() }) }
        simulation.runUntilIdle()
    }

    private static func read(_ rules: String) throws -> [RuleGroupSettings] {
        let diagnostics = Diagnostics()
        let settings = RuleGroupSettings.decodeFile(
            try Node.parse(rules, file: "rules.yml"), diagnostics: diagnostics)
        try diagnostics.check()
        return settings
    }

    /// Exchanges the first group for another one, as a reload does.
    func reload(_ rules: String) throws {
        let (old, clock) = (groups[0], clock)
        running[0].cancel()
        simulation.runUntilIdle()
        let new = try RuleGroupOperator(try Self.read(rules)[0], context: context, logger: log.logger)
        perform {
            let left = await new.adopt(await old.state())
            await old.endAlerts(of: left, at: clock.now())
            await new.evaluateAtOnce()
        }
        groups[0] = new
        running[0] = Task(executorPreference: simulation) { await new.run() }
        simulation.runUntilIdle()
    }

    /// The samples of the series that a selector takes, as `labels value@seconds`, since the start, sorted.
    func samples(_ selector: String) throws -> [String] {
        let request = SelectRequest(
            matchers: try PromQLParser.parseSelector(selector), start: .distantPast, end: .distantFuture)
        let (store, start) = (store, start)
        return try perform { () async -> Swift.Result<[String], ReadError> in
            do throws(ReadError) {
                let block = try await store.select(request)
                return .success(
                    block.labels.indices.map { series in
                        let range = block.bounds[series]..<block.bounds[series + 1]
                        let texts = range.map { place in
                            let value = block.values[place]
                            let time = Timestamp(milliseconds: block.timestamps[place]) - start
                            return "\(value.isStaleMarker ? "stale" : "\(value)")@\(time.inSeconds)"
                        }
                        return "\(block.labels[series]) \(texts.joined(separator: " "))"
                    }.sorted())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    deinit { for task in running { task.cancel() } }

    /// Carries something out, and everything that follows from it.
    @discardableResult
    func perform<Result: Sendable>(_ operation: @escaping @Sendable () async -> Result) -> Result {
        let box = Recorder<Result>()
        _ = Task(executorPreference: simulation) { box.add(await operation()) }
        simulation.runUntilIdle()
        return box.all[0]
    }

    func run(for duration: Duration) { simulation.run(clock, until: clock.now() + duration) }

    /// Submits a native histogram of now.
    func push(_ labels: LabelSet, _ histogram: NativeHistogram) {
        let time = clock.now().milliseconds
        let ingest = ingest
        perform {
            do {
                let id = try await ingest.intern([labels])[0]
                var batch = SampleBatch()
                batch.append(id, at: time, histogram)
                _ = try await ingest.submit(batch, from: "test", patience: .zero)
            } catch {
                fatalError("\(error)")
            }
        }
    }

    /// Submits samples of now, as `name{labels}` and value each.
    func push(_ samples: [(LabelSet, Double)], ahead: Duration = .zero) {
        let time = (clock.now() + ahead).milliseconds
        let ingest = ingest
        perform {
            do {
                let ids = try await ingest.intern(samples.map(\.0))
                var batch = SampleBatch()
                for (id, sample) in zip(ids, samples) { batch.append(id, at: time, sample.1) }
                _ = try await ingest.submit(batch, from: "test", patience: .zero)
            } catch {
                fatalError("\(error)")
            }
        }
    }

    /// What a query gives now, as `labels value` each, sorted.
    func query(_ text: String) -> [String] {
        let (store, now) = (store, clock.now())
        return perform {
            do {
                let expression = try PromQLParser.parse(text, options: .standard)
                guard case .vector(let samples) = try await Evaluator(reader: store).instant(expression, at: now).value
                else { return ["no vector"] }
                return samples.map { "\($0.labels) \($0.histogram?.text ?? "\($0.value)")" }.sorted()
            } catch {
                return ["\(error)"]
            }
        }
    }

    /// Changes of state as `seconds name from>to`.
    var story: [String] {
        transitions.all.map {
            "\(($0.time - start).inSeconds) \($0.labels["job"] ?? $0.rule) \($0.from)>\($0.to)"
        }
    }

    func metric(_ name: String) -> Double {
        telemetry.exposition().split(separator: "\n").filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
            .compactMap { Double($0.split(separator: " ").last ?? "") }.reduce(0, +)
    }

    /// When the group's next interval begins.
    func toNextTick() {
        let group = groups[0]
        let tick = perform { await group.nextTick }
        simulation.run(clock, until: tick)
    }
}
