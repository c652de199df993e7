import HTTPTypes
import Hummingbird
import NIOCore
import Streams

/// An error as Alertmanager's API v2 tells it: what its handlers say is a JSON text, what the layer in front of them says
/// (paths, methods, bodies that are not what the API's description demands) is an object with a code.
struct AlertmanagerFailure: Error, Sendable {
    enum Content: Sendable {
        case text(String)
        /// Codes from 600 on say which demand was not met; the status is 422 then.
        case object(code: Int, message: String)
        case nothing
    }

    var status: HTTPResponse.Status
    var content: Content

    /// A handler refuses.
    static func refused(_ message: String, _ status: HTTPResponse.Status = .badRequest) -> Self {
        Self(status: status, content: .text(message))
    }

    /// A body that can't be read as what it should be.
    static func unreadable(_ body: String, _ reason: String) -> Self {
        Self(
            status: .badRequest,
            content: .object(code: 400, message: "parsing \(body) body from \"\" failed, because \(reason)"))
    }

    static func missing(_ name: String) -> Self { invalid(602, "\(name) in body is required") }

    static func invalid(_ code: Int, _ message: String) -> Self {
        Self(status: .unprocessableContent, content: .object(code: code, message: message))
    }

    var response: Response {
        switch content {
        case .text(let text): AlertmanagerAnswer.json(.string(text), status: status)
        case .object(let code, let message):
            AlertmanagerAnswer.json(["code": .integer(Int64(code)), "message": .string(message)], status: status)
        case .nothing: Response(status: status, headers: [.cacheControl: "no-store"])
        }
    }
}

/// Answers as Alertmanager's API v2 gives them: JSON with a line's end, never to be cached, and errors as its own.
enum AlertmanagerAnswer {
    static var empty: Response { Response(status: .ok, headers: [.cacheControl: "no-store"]) }

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        var bytes = value.bytes
        bytes.append(UInt8(ascii: "\n"))
        return Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// With all three digits of a millisecond.
    static func time(_ time: Timestamp) -> JSONValue {
        var text = time.rfc3339
        text.removeLast()
        let digits = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
        if digits == 0 { text += "." }
        return .string(text + String(repeating: "0", count: 3 - digits) + "Z")
    }

    static func failure(_ failure: HTTPFailure) -> Response {
        var response = AlertmanagerFailure(
            status: failure.status, content: .object(code: failure.status.code, message: failure.message)
        ).response
        failure.addRetryAfter(to: &response)
        return response
    }

    /// Runs the body; what it throws becomes the answer.
    static func of(_ services: ServerServices, _ body: () async throws -> Response) async -> Response {
        do {
            return try await body()
        } catch let problem as AlertmanagerFailure {
            services.telemetry.refused(status: problem.status.code)
            return problem.response
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
