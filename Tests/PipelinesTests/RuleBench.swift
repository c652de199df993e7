import Actors
import Logging
import Pipelines
import Storage
import Streams
import Synchronization
import TestKit
import Testing

/// One alert that ships, with the recording rules beside it, over a store of its own, in simulated time.
final class RuleBench {
    private typealias Group = RuleGroupOperator<SeriesStore>

    /// When the rules are evaluated first. It depends on the path of their file.
    let firstEvaluation: Timestamp
    /// The first evaluation with a second before it for samples.
    let firstTick: Timestamp
    private let clock = ManualClock()
    private let simulation = SimulatedExecutor()
    private let ingest: StoreIngest
    private let group: Group
    private let running: Task<Void, Never>
    private let transitions = TransitionLog()
    private static let interval = Duration.seconds(15)

    init(_ alert: String, _ mode: EvaluationMode) throws {
        let pipeline = try #require(
            Shipped.plan().pipelines.first { $0.ruleGroups.contains { $0.rules.contains { $0.name == alert } } })
        var settings = try #require(pipeline.ruleGroups.first { $0.rules.contains { $0.name == alert } })
        settings.rules.removeAll { $0.isAlert && $0.name != alert }
        let (clock, simulation, telemetry, transitions) = (clock, simulation, Telemetry(), transitions)
        let store = SeriesStore(shardCount: 1)
        let dispatch = RuleDispatch(capacity: 64)
        let ingest = StoreIngest(store, clock: clock, listener: dispatch, telemetry: telemetry)
        self.ingest = ingest
        let group = try Group(
            settings,
            context: RuleContext(
                pipeline: pipeline.name, mode: mode, reader: store, ingest: ingest, dispatch: dispatch, clock: clock,
                telemetry: telemetry, outputs: RuleOutputs(notify: { _ in }, publish: { transitions.add($0) }),
                interval: Self.interval),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        self.group = group
        running = Task(executorPreference: simulation) {
            dispatch.replace(await group.nodes())
            await store.setInterests(dispatch)
            await group.run()
        }
        simulation.runUntilIdle()
        let tick = try #require(clock.nextDeadline)
        firstEvaluation = tick
        firstTick = tick - clock.now() > .seconds(1) ? tick : tick + Self.interval
    }

    deinit { running.cancel() }

    /// When alerts began to fire.
    var fired: [Timestamp] { transitions.all.filter { $0.to == .firing }.map(\.time) }

    /// Sends a sample of each series a minute, each a second before an evaluation.
    /// - Returns: what is active after each evaluation.
    func play(_ series: [ShippedAlertsTests.Series], minutes: Int) throws -> [[String]] {
        var states: [[String]] = []
        for minute in 0...minutes {
            let tick = firstTick + .seconds(60 * minute)
            simulation.run(clock, until: tick - .seconds(1))
            try submit(series.compactMap { series in series.value(minute).map { (series.labels, $0) } })
            for place in 0..<4 {
                simulation.run(clock, until: tick + Self.interval * place)
                states.append(active())
            }
        }
        return states
    }

    private func submit(_ samples: [(labels: LabelSet, value: Double)]) throws {
        let (ingest, now) = (ingest, clock.now().milliseconds)
        let report = try perform {
            let ids = try await ingest.intern(samples.map(\.labels))
            var batch = SampleBatch()
            for (id, sample) in zip(ids, samples) { batch.append(id, at: now, sample.value) }
            return try await ingest.submit(batch, from: "test", patience: .zero)
        }
        #expect(report.refused == 0)
    }

    private func active() -> [String] {
        let group = group
        let state = try? perform { await group.state() }
        return state?.rules.flatMap(\.active).map { "\($0.labels) \($0.state)" }.sorted() ?? ["?"]
    }

    /// The result of what comes to rest without time passing.
    private func perform<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let result = ResultBox<Value>()
        Task(executorPreference: simulation) {
            do { result.set(.success(try await body())) } catch { result.set(.failure(error)) }
        }
        simulation.runUntilIdle()
        return try #require(result.value, "it waits for something").get()
    }
}

private final class ResultBox<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    func set(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }
    var value: Result<Value, any Error>? { result.withLock { $0 } }
}

private final class TransitionLog: Sendable {
    private let transitions = Mutex<[AlertTransition]>([])
    func add(_ more: [AlertTransition]) { transitions.withLock { $0 += more } }
    var all: [AlertTransition] { transitions.withLock { $0 } }
}
