import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Streams

/// An error as the Prometheus API tells it.
struct APIFailure: Error, Sendable {
    var status: HTTPResponse.Status
    /// `errorType` of the answer.
    var type: String
    var message: String
    var retryAfter: Duration?

    static func badData(_ message: String) -> APIFailure {
        APIFailure(status: .badRequest, type: "bad_data", message: message)
    }

    static func badData(parameter: String, _ message: String) -> APIFailure {
        badData("invalid parameter \(quoted(parameter)): \(message)")
    }

    static func internalError(_ message: String) -> APIFailure {
        APIFailure(status: .internalServerError, type: "internal", message: message)
    }

    /// Something that is switched off; Prometheus answers that with 500.
    static func disabled(_ message: String) -> APIFailure {
        APIFailure(status: .internalServerError, type: "unavailable", message: message)
    }

    static func busy(_ message: String, retryAfter: Duration = .seconds(1)) -> APIFailure {
        APIFailure(status: .serviceUnavailable, type: "unavailable", message: message, retryAfter: retryAfter)
    }

    /// The status that nginx has for a client that went away.
    private static let clientClosedRequest = HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")

    init(status: HTTPResponse.Status, type: String, message: String, retryAfter: Duration? = nil) {
        self.status = status
        self.type = type
        self.message = message
        self.retryAfter = retryAfter
    }

    init(_ failure: HTTPFailure) {
        let type =
            switch failure.status {
            case .serviceUnavailable: "unavailable"
            case .notFound: "not_found"
            default: "bad_data"
            }
        self.init(status: failure.status, type: type, message: failure.message, retryAfter: failure.retryAfter)
    }

    init(_ error: EvaluationError) {
        switch error {
        case .timedOut: self.init(status: .serviceUnavailable, type: "timeout", message: "\(error)")
        case .canceled: self.init(status: Self.clientClosedRequest, type: "canceled", message: "\(error)")
        case .tooManySteps: self = .badData("\(error)")
        case .unavailable: self = .internalError("\(error)")
        case .tooManySamples, .execution:
            self.init(status: .unprocessableContent, type: "execution", message: "\(error)")
        }
    }

    var response: Response {
        let document: JSONValue = ["status": "error", "errorType": .string(type), "error": .string(message)]
        var response = Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: document.bytes)))
        if let retryAfter { response.headers[.retryAfter] = String(max(1, Int(retryAfter.inSeconds.rounded(.up)))) }
        return response
    }
}
