import HTTPTypes
import NIOCore
import Pipelines
import PromQL
import Storage
import Streams

/// Runs queries: so many at a time, on threads of their own, as long as their clients wait.
final class QueryRunner: Sendable {
    let executor: QueryExecutor
    let limits: QueryLimits
    private let gate: QueryGate
    private let store: SeriesStore
    private let telemetry: ServerTelemetry

    init(_ limits: QueryLimits, store: SeriesStore, telemetry: ServerTelemetry) {
        self.limits = limits
        self.store = store
        self.telemetry = telemetry
        gate = QueryGate(runningMax: limits.concurrencyMax, waitingMax: limits.waitingMax)
        executor = QueryExecutor(queriesMax: limits.concurrencyMax)
        telemetry.collectQueries { [gate] in gate.counts }
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
    }

    /// Whether a query still waits for its turn, for the words of its failure.
    private final class Phase: Sendable {
        let isEvaluating = Latch()
        var words: String { isEvaluating.isOpen ? "expression evaluation" : "query queue" }
    }

    func run(
        _ expression: Expression, _ options: Options, on channel: (any Channel)?,
        _ evaluate: @escaping @Sendable (Evaluator<CountingReader>, PreparedExpression) async throws -> QueryResult
    ) async throws -> Answer {
        let timeout = min(options.timeout ?? limits.timeout, limits.timeout)
        let phase = Phase()
        do {
            return try await Patience.during(max(timeout, .zero), on: channel) { [self] in
                let start = ContinuousClock().now
                guard try await gate.enter() else { throw CancellationError() }
                defer { gate.leave() }
                phase.isEvaluating.open()
                return try await withTaskExecutorPreference(executor) {
                    var timings = Timings(queued: start.duration(to: ContinuousClock().now))
                    let prepared = try PreparedExpression(expression)
                    timings.prepared = start.duration(to: ContinuousClock().now) - timings.queued
                    let reader = CountingReader(store: store)
                    let result = try await evaluate(evaluator(options, reader), prepared)
                    timings.samplesRead = reader.count.value
                    timings.evaluated = start.duration(to: ContinuousClock().now) - timings.queued - timings.prepared
                    telemetry.queried(timings)
                    return Answer(result: result, timings: timings)
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
        var settings = EvaluationSettings()
        if let lookback = options.lookback { settings.lookback = lookback }
        settings.samplesMax = limits.samplesMax
        // As many intervals as the API allows, and both ends.
        settings.stepsMax += 1
        return Evaluator(reader: reader, settings: settings)
    }
}
