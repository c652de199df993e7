import HTTPTypes
import NIOCore
import Pipelines
import PromQL
import Storage
import Streams

/// Prometheus's `query` and `query_range` (prometheus.io/docs/prometheus/latest/querying/api), and what it says of an
/// expression without evaluating it.
struct QueryRoutes: Sendable {
    let services: ServerServices
    let runner: QueryRunner

    func add(to routes: RouteTable) {
        routes.api("query", methods: [.get, .post], services) { try await instant($0) }
        routes.api("query_range", methods: [.get, .post], services) { try await range($0) }
        routes.api("format_query", methods: [.get, .post], services) {
            APIAnswer(.string(try expression($0.parameters).prettified()))
        }
        routes.api("parse_query", methods: [.get, .post], services) {
            APIAnswer(ExpressionTree.json(try expression($0.parameters)))
        }
    }

    private func expression(_ parameters: RequestParameters) throws(APIFailure) -> Expression {
        do throws(ParseError) {
            return try PromQLParser.parse(parameters["query"] ?? "", options: services.graph.language.parser)
        } catch {
            throw .badData(parameter: "query", "\(error)")
        }
    }

    private func options(_ parameters: RequestParameters) throws(APIFailure) -> QueryRunner.Options {
        let timeout = try parameters.duration("timeout")
        return QueryRunner.Options(lookback: try parameters.lookback(), timeout: timeout)
    }

    private func instant(_ request: APIRequest) async throws -> APIAnswer {
        let parameters = request.parameters
        let limit = try parameters.limit()
        let time = try parameters.time("time") ?? services.clock.now()
        let options = try options(parameters)
        let expression = try expression(parameters)
        return try await runner.run(expression, options, on: request.channel) {
            try await $0.instant($1, at: time)
        } finish: {
            answer($0, parameters, limit: limit)
        }
    }

    /// A range has at most that many steps after its first.
    private static let stepsMax: Int64 = 11_000

    private func range(_ request: APIRequest) async throws -> APIAnswer {
        let parameters = request.parameters
        let limit = try parameters.limit()
        let start = try parameters.requiredTime("start")
        let end = try parameters.requiredTime("end")
        if end < start { throw APIFailure.badData(parameter: "end", "end timestamp must not be before start time") }
        let step = try parameters.requiredDuration("step")
        guard step.wholeMilliseconds > 0 else {
            throw APIFailure.badData(
                parameter: "step",
                "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        if (end - start).wholeMilliseconds / step.wholeMilliseconds > Self.stepsMax {
            throw APIFailure(EvaluationError.tooManySteps(limit: Int(Self.stepsMax)))
        }
        let options = try options(parameters)
        let expression = try expression(parameters)
        guard expression.type == .scalar || expression.type == .vector else {
            let type = expression.type == .matrix ? "range vector" : "string"
            throw APIFailure.badData(
                parameter: "query",
                "invalid expression type \(quoted(type)) for range query, must be Scalar or instant Vector")
        }
        return try await runner.run(expression, options, on: request.channel) {
            try await $0.range($1, from: start, through: end, step: step)
        } finish: {
            answer($0, parameters, limit: limit)
        }
    }

    private func answer(
        _ found: QueryRunner.Answer, _ parameters: RequestParameters, limit: Int?
    ) -> APIAnswer {
        var result = found.result
        var warnings: [String] = []
        let samplesMade = result.sampleCount
        if let limit, result.truncate(to: limit) { warnings.append(APIAnswer.truncated) }
        var statistics: JSONValue?
        if let asked = parameters["stats"] {
            statistics = QueryStatistics.json(
                found.timings, samplesRead: found.timings.samplesRead, samplesMade: samplesMade)
            if asked != "true", asked != "all" {
                warnings.append(
                    "value \(quoted(asked)) for parameter \"stats\" is deprecated and will be rejected in the next"
                        + " major release, use \"true\" or \"all\"")
            }
        }
        return APIAnswer(
            .response(
                QueryAnswer(
                    result, query: parameters["query"] ?? "", warnings: warnings, statistics: statistics,
                    room: found.room
                ).response(on: runner.executor)))
    }
}

extension QueryResult {
    /// Leaves out all but the first series; says whether there were more.
    fileprivate mutating func truncate(to limit: Int) -> Bool {
        switch value {
        case .scalar, .string: return false
        case .vector(let samples):
            guard samples.count > limit else { return false }
            value = .vector(Array(samples.prefix(limit)))
        case .matrix(let series):
            guard series.count > limit else { return false }
            value = .matrix(Array(series.prefix(limit)))
        }
        return true
    }
}
