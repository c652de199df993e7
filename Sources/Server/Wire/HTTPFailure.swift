package import HTTPTypes
package import Hummingbird
import NIOCore
package import Streams

/// A request that can't be served: the status, and a sentence that says why and what would be right.
package struct HTTPFailure: Error, Sendable {
    package var status: HTTPResponse.Status
    package var message: String
    package var retryAfter: Duration?

    package init(_ status: HTTPResponse.Status, _ message: String, retryAfter: Duration? = nil) {
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }

    package init(_ error: IngestError) {
        switch error {
        case .saturated(let retryAfter):
            self.init(
                .serviceUnavailable, "the rules are busy, nothing of this batch was applied: send it again later",
                retryAfter: retryAfter)
        case .limit(let reason):
            self.init(.unprocessableContent, reason)
        case .closed:
            self.init(.serviceUnavailable, "the server is shutting down", retryAfter: .seconds(5))
        }
    }

    /// The failure as plain text, as the push endpoints answer.
    package var textResponse: Response {
        var response = Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: message + "\n")))
        addRetryAfter(to: &response)
        return response
    }

    package func addRetryAfter(to response: inout Response) {
        if let retryAfter {
            response.headers[.retryAfter] = String(max(1, Int(retryAfter.inSeconds.rounded(.up))))
        }
    }
}
