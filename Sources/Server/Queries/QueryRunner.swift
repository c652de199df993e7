import HTTPTypes
import NIOCore
import Pipelines
import PromQL
import Storage
import Streams

/// Runs queries and whatever else reads much of the store: so much at a time, on threads of its own, as long as the
/// clients wait, and with a bound on what they have not read yet.
final class QueryRunner: Sendable {
    let executor: QueryExecutor
    let limits: QueryLimits
    let answers: AnswerBudget
    private let language: LanguageFeatures
    private let gate: QueryGate
    private let store: SeriesStore
    private let telemetry: ServerTelemetry

    init(_ limits: QueryLimits, _ language: LanguageFeatures, store: SeriesStore, telemetry: ServerTelemetry) {
        self.limits = limits
        self.language = language
        self.store = store
        self.telemetry = telemetry
        gate = QueryGate(runningMax: limits.concurrencyMax, waitingMax: limits.waitingMax)
        executor = QueryExecutor(queriesMax: limits.concurrencyMax)
        answers = AnswerBudget(bytesMax: limits.answersBytesMax, telemetry.metrics)
        telemetry.collectQueries { [gate, answers] in
            ServerTelemetry.QueryCounts(
                running: gate.counts.running, waiting: gate.counts.waiting, answerBytes: answers.bytes)
        }
    }

    /// What a query is asked with besides its expression.
    struct Options: Sendable {
        var lookback: Duration?
        /// Nil: the longest that is allowed.
        var timeout: Duration?
    }

    /// How long its parts took, and how much was read.
    struct Timings: Sendable {
        var queued: Duration = .zero
        var prepared: Duration = .zero
        var evaluated: Duration = .zero
        var samplesRead = 0
    }

    struct Answer: Sendable {
        var result: QueryResult
        var timings: Timings
        /// For as long as the result is needed.
        var room: AnswerBudget.Hold
    }

    /// - Parameter finish: what is made of the answer, on the same thread: waking another takes longer than a light query.
    func run<Finished: Sendable>(
        _ expression: Expression, _ options: Options, on channel: (any Channel)?,
        _ evaluate: @escaping @Sendable (Evaluator<CountingReader>, PreparedExpression) async throws -> QueryResult,
        finish: @escaping @Sendable (Answer) -> Finished
    ) async throws -> Finished {
        try await inTurn("expression evaluation", options.timeout, on: channel) { [self] queued in
            let start = ContinuousClock().now
            var timings = Timings(queued: queued)
            let prepared = try PreparedExpression(expression)
            timings.prepared = start.duration(to: ContinuousClock().now)
            let reader = CountingReader(store: store)
            let result = try await evaluate(evaluator(options, reader), prepared)
            timings.samplesRead = reader.count.value
            timings.evaluated = start.duration(to: ContinuousClock().now) - timings.prepared
            telemetry.queried(timings)
            return finish(Answer(result: result, timings: timings, room: try answers.hold(result.bytes)))
        }
    }

    /// Reads something else, such as the names of labels.
    func read<Value: Sendable>(
        on channel: (any Channel)?, _ work: @escaping @Sendable (SeriesStore) async throws -> Value
    ) async throws -> Value {
        try await inTurn("reading series", nil, on: channel) { [store] _ in try await work(store) }
    }

    /// Whether the work still waits for its turn, for the words of its failure.
    private final class Phase: Sendable {
        private let hasTurn = Latch()
        private let name: String
        init(_ name: String) { self.name = name }
        func begin() { hasTurn.open() }
        var words: String { hasTurn.isOpen ? name : "query queue" }
    }

    /// - Parameter work: gets how long it has waited for its turn.
    private func inTurn<Value: Sendable>(
        _ name: String, _ timeout: Duration?, on channel: (any Channel)?,
        _ work: @escaping @Sendable (Duration) async throws -> Value
    ) async throws -> Value {
        let timeout = min(timeout ?? limits.timeout, limits.timeout)
        let phase = Phase(name)
        do {
            if timeout <= .zero { throw Patience.Interruption.timedOut }
            let start = ContinuousClock().now
            // Who has to wait does so elsewhere: all the threads for queries may be at work.
            let isIn = gate.enterAtOnce()
            if isIn { phase.begin() }
            return try await Patience.during(timeout, on: channel, isIn ? executor : nil) { [self] in
                if !isIn {
                    guard try await gate.enter() else { throw CancellationError() }
                    phase.begin()
                }
                defer { gate.leave() }
                return try await withTaskExecutorPreference(executor) {
                    let value = try await work(start.duration(to: ContinuousClock().now))
                    // What was cut short is no answer.
                    try Task.checkCancellation()
                    return value
                }
            }
        } catch is QueryGate.Full {
            throw APIFailure.busy("too many queries run and wait at the same time; try again later")
        } catch Patience.Interruption.timedOut {
            throw APIFailure(
                status: .serviceUnavailable, type: "timeout", message: "query timed out in \(phase.words)")
        } catch is Patience.Interruption, is CancellationError {
            var failure = APIFailure(EvaluationError.canceled)
            failure.message = "query was canceled in \(phase.words)"
            throw failure
        }
    }

    private func evaluator(_ options: Options, _ reader: CountingReader) -> Evaluator<CountingReader> {
        var settings = language.evaluation
        if let lookback = options.lookback { settings.lookback = lookback }
        settings.samplesMax = limits.samplesMax
        // As many intervals as the API allows, and both ends.
        settings.stepsMax += 1
        return Evaluator(reader: reader, settings: settings)
    }
}
