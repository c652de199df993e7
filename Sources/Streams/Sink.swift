/// One integration of a receiver: delivers, and does nothing else. Outbox, queue, deadline, retry, back-off, deduplication
/// and metrics belong to the operator around it.
package protocol Sink: Sendable {
    /// The key under a receiver that configures it: `webhook_configs`.
    static var key: String { get }
    /// Whether resolved alerts are told too (`send_resolved`).
    var sendsResolved: Bool { get }
    /// Returns once the far side has accepted the notification. Ends at once when the task is cancelled.
    func deliver(_ notification: Notification) async throws(DeliveryError)
}

/// Why a notification was not accepted; the operator decides by the case what is next. Reasons never hold a secret.
package enum DeliveryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not now: try again, not before `retryAfter` where the far side named it.
    case unavailable(reason: String, retryAfter: Duration?)
    /// Never: the far side understood and said no.
    case refused(reason: String)
    /// Some of those it is for have taken it, the others never will: it counts as accepted, for telling it again would
    /// repeat it to those who have it.
    case partly(reason: String)
    /// The task was cancelled before an answer came.
    case cancelled

    package var description: String {
        switch self {
        case .unavailable(let reason, _): reason
        case .refused(let reason), .partly(let reason): reason
        case .cancelled: "cancelled"
        }
    }
}
