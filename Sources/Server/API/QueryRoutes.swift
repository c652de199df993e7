import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import PromQL
import Storage
import Streams
import Synchronization

/// Prometheus's `query` and `query_range` (prometheus.io/docs/prometheus/latest/querying/api).
struct QueryRoutes: Sendable {
    let services: ServerServices
    private let running = RunningQueries(max: 20)

    init(services: ServerServices) { self.services = services }

    private static let timeoutMax = Duration.seconds(120)

    func add(to routes: RouteTable) {
        for method in [HTTPRequest.Method.get, .post] {
            routes.on("/api/v1/query", method: method) { request, _ in
                await answer(request) { try await instant($0) }
            }
            routes.on("/api/v1/query_range", method: method) { request, _ in
                await answer(request) { try await range($0) }
            }
        }
    }

    private func answer(
        _ request: Request, _ evaluate: (RequestParameters) async throws -> Response
    ) async -> Response {
        do {
            let parameters = try await RequestParameters(request, in: services.bodies)
            guard running.enter() else {
                throw APIFailure(
                    status: .serviceUnavailable, type: "unavailable",
                    message: "too many queries run at the same time; try again")
            }
            defer { running.leave() }
            return try await evaluate(parameters)
        } catch let failure as APIFailure {
            services.telemetry.refused(status: failure.status.code)
            return failure.response
        } catch let failure as HTTPFailure {
            let type = failure.status == .serviceUnavailable ? "unavailable" : "bad_data"
            return APIFailure(status: failure.status, type: type, message: failure.message).response
        } catch let error as EvaluationError {
            return Self.failure(error).response
        } catch let slow as SlowBody {
            // It was counted when it was noticed.
            return APIFailure(status: .requestTimeout, type: "timeout", message: slow.message).response
        } catch {
            return APIFailure.badData("the request's body can't be read").response
        }
    }

    private static func failure(_ error: EvaluationError) -> APIFailure {
        switch error {
        case .timedOut: APIFailure(status: .serviceUnavailable, type: "timeout", message: "\(error)")
        case .canceled: APIFailure(status: .serviceUnavailable, type: "canceled", message: "\(error)")
        case .tooManySteps: .badData("\(error)")
        case .unavailable: APIFailure(status: .internalServerError, type: "internal", message: "\(error)")
        case .tooManySamples, .execution:
            APIFailure(status: .unprocessableContent, type: "execution", message: "\(error)")
        }
    }

    private func expression(_ parameters: RequestParameters) throws(APIFailure) -> (String, Expression) {
        let text = parameters["query"] ?? ""
        do throws(ParseError) {
            return (text, try PromQLParser.parse(text, options: .standard))
        } catch {
            throw .badData(parameter: "query", "\(error)")
        }
    }

    private func evaluator(_ parameters: RequestParameters) throws(APIFailure) -> Evaluator<SeriesStore> {
        var settings = EvaluationSettings()
        if let lookback = try parameters.duration("lookback_delta"), lookback > .zero { settings.lookback = lookback }
        let timeout = min(try parameters.duration("timeout") ?? Self.timeoutMax, Self.timeoutMax)
        let deadline = ContinuousClock().now + timeout
        settings.isPastDeadline = { ContinuousClock().now > deadline }
        return Evaluator(reader: services.graph.store, settings: settings)
    }

    private func instant(_ parameters: RequestParameters) async throws -> Response {
        let time = try parameters.time("time") ?? services.clock.now()
        let (text, expression) = try expression(parameters)
        let result = try await evaluator(parameters).instant(expression, at: time)
        return QueryAnswer.response(result, query: text)
    }

    private func range(_ parameters: RequestParameters) async throws -> Response {
        guard let start = try parameters.time("start") else {
            throw APIFailure.badData(parameter: "start", "cannot parse \"\" to a valid timestamp")
        }
        guard let end = try parameters.time("end") else {
            throw APIFailure.badData(parameter: "end", "cannot parse \"\" to a valid timestamp")
        }
        if end < start { throw APIFailure.badData(parameter: "end", "end timestamp must not be before start time") }
        guard let step = try parameters.duration("step") else {
            throw APIFailure.badData(parameter: "step", "cannot parse \"\" to a valid duration")
        }
        guard step > .zero else {
            throw APIFailure.badData(
                parameter: "step",
                "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        let (text, expression) = try expression(parameters)
        guard expression.type == .scalar || expression.type == .vector else {
            let type = expression.type == .matrix ? "range vector" : "string"
            throw APIFailure.badData(
                parameter: "query",
                "invalid expression type \(quoted(type)) for range query, must be Scalar or instant Vector")
        }
        let result = try await evaluator(parameters).range(expression, from: start, through: end, step: step)
        return QueryAnswer.response(result, query: text)
    }
}

/// How many queries run now; those beyond the bound are refused, since waiting ones would hold their clients.
final class RunningQueries: Sendable {
    private let max: Int
    private let count = Mutex(0)

    init(max: Int) { self.max = max }

    func enter() -> Bool {
        count.withLock { count in
            guard count < max else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
