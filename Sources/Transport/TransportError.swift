import Streams

/// Why nothing, or nothing usable, came back from the far side. The texts are for users; they name host and port, never a
/// path, a query, a password or a token.
package enum TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    case invalidURL(reason: String)
    /// The request can't be sent as it is: a header with a line break in it, a password file that can't be read.
    case invalidRequest(reason: String)
    /// The host's name has no address.
    case resolve(host: String, reason: String)
    /// No connection, or it was lost: `peer` is `host:port`.
    case connect(peer: String, reason: String)
    /// The handshake failed, or the far side is not who it should be.
    case tls(peer: String, reason: String)
    case timeout(after: Duration)
    case bodyTooLarge(limitBytes: Int)
    /// What came back breaks the rules of the protocol.
    case `protocol`(reason: String)
    case cancelled
    /// The client has not been started or was shut down.
    case closed

    package var description: String {
        switch self {
        case .invalidURL(let reason): "invalid URL: \(reason)"
        case .invalidRequest(let reason): reason
        case .resolve(let host, let reason): "can't resolve \(host): \(reason)"
        case .connect(let peer, let reason): "can't talk to \(peer): \(reason)"
        case .tls(let peer, let reason): "TLS with \(peer): \(reason)"
        case .timeout(let duration): "timed out after \(Self.text(duration))"
        case .bodyTooLarge(let limit): "the answer is longer than \(limit) bytes"
        case .protocol(let reason): "protocol error: \(reason)"
        case .cancelled: "cancelled"
        case .closed: "the client is closed"
        }
    }

    /// `5s`, `1.5s`, `250ms`.
    static func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        guard milliseconds >= 1000 else { return "\(milliseconds)ms" }
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(Double(milliseconds) / 1000)s"
    }
}
