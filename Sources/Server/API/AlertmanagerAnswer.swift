import HTTPTypes
import Hummingbird
import NIOCore
import Streams

/// Answers as Alertmanager's API v2 gives them: JSON with a line's end, never to be cached, and errors as an object.
enum AlertmanagerAnswer {
    static var empty: Response { Response(status: .ok, headers: [.cacheControl: "no-store"]) }

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        var bytes = value.bytes
        bytes.append(UInt8(ascii: "\n"))
        return Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func failure(_ failure: HTTPFailure) -> Response {
        var response = json(
            ["code": .integer(Int64(failure.status.code)), "message": .string(failure.message)],
            status: failure.status)
        failure.addRetryAfter(to: &response)
        return response
    }

    /// Runs the body; what it throws becomes the answer.
    static func of(_ services: ServerServices, _ body: () async throws -> Response) async -> Response {
        do {
            return try await body()
        } catch let problem as HTTPFailure {
            services.telemetry.refused(status: problem.status.code)
            return failure(problem)
        } catch let slow as SlowBody {
            // It was counted when it was noticed.
            return failure(HTTPFailure(.requestTimeout, slow.message))
        } catch {
            // The connection broke, or the body's framing did; nobody may be there to read this.
            return failure(HTTPFailure(.badRequest, "the request's body can't be read"))
        }
    }
}
