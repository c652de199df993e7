package import Streams

/// What a dialogue wants done next.
package enum SMTPAction: Sendable, Equatable {
    /// These command lines, without their ends; several only where the server takes them at once.
    case send([String])
    /// Nothing; another reply is due.
    case wait
    case startTLS
    /// The message, and the dot after it.
    case sendMessage
    case finished
    case fail(DeliveryError)
}

extension SMTPReply {
    /// The failure that a negative reply is: 4xx passes, everything else stays. `while` says at what.
    func failure(while stage: String) -> DeliveryError {
        let reason = "the mail server said \"\(self)\" \(stage)"
        // A code that does not belong here says nothing about the message.
        return isTransient || isPositive ? .unavailable(reason: reason, retryAfter: nil) : .refused(reason: reason)
    }
}
