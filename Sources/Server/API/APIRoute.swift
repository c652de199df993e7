import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Streams

/// A request to an endpoint of the Prometheus API.
struct APIRequest: Sendable {
    let parameters: RequestParameters
    /// The part of the path that differs, decoded: the label's name in `label/<name>/values`.
    let name: String
    let channel: (any Channel)?
}

extension RouteTable {
    /// Adds an endpoint of the Prometheus API: reads its parameters, puts its answers and errors into the API's form, and
    /// compresses for those who ask.
    func api(
        _ path: String, methods: [HTTPRequest.Method] = [.get], _ services: ServerServices,
        _ make: @escaping @Sendable (APIRequest) async throws -> APIAnswer
    ) {
        for method in methods {
            on("/api/v1/" + path, method: method) { request, context in
                let response = await Self.response(to: request, context, services, make)
                var answer = Gzip.isAccepted(by: request) ? Gzip.compressed(response) : response
                services.crossOrigin.add(to: &answer, for: request)
                return answer
            }
        }
    }

    private static func response(
        to request: Request, _ context: ServerContext, _ services: ServerServices,
        _ answer: @Sendable (APIRequest) async throws -> APIAnswer
    ) async -> Response {
        do {
            let name = try RequestParameters.decoded(
                context.parameters.get("name").map { $0[...] } ?? "", isForm: false)
            let parameters = try await RequestParameters(request, in: services.bodies)
            return try await answer(APIRequest(parameters: parameters, name: name, channel: context.channel)).response
        } catch let slow as SlowBody {
            // It was counted when it was noticed.
            return APIFailure(status: .requestTimeout, type: "timeout", message: slow.message).response
        } catch {
            let failure = failure(error)
            services.telemetry.refused(status: failure.status.code)
            return failure.response
        }
    }

    private static func failure(_ error: any Error) -> APIFailure {
        switch error {
        case let failure as APIFailure: failure
        case let failure as HTTPFailure: APIFailure(failure)
        case let error as EvaluationError: APIFailure(error)
        case is CancellationError: APIFailure(EvaluationError.canceled)
        case let error as RequestParameters.MalformedEscape: .badData(error.description)
        default: .badData("the request's body can't be read")
        }
    }
}
