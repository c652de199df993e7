import Streams

/// The dialogue that hands over one message: MAIL, RCPT for each recipient, DATA (RFC 5321, section 3.3); all at once where
/// the server takes commands in a row (RFC 2920).
package struct SMTPTransaction: Sendable {
    package struct Envelope: Sendable, Equatable {
        package var from: String
        package var recipients: [String]
        package var sizeBytes: Int
        /// The message has bytes above 127.
        package var isEightBit: Bool
        /// An address or a header is not ASCII.
        package var needsUTF8: Bool

        package init(
            from: String, recipients: [String], sizeBytes: Int, isEightBit: Bool = false, needsUTF8: Bool = false
        ) {
            self.from = from
            self.recipients = recipients
            self.sizeBytes = sizeBytes
            self.isEightBit = isEightBit
            self.needsUTF8 = needsUTF8
        }
    }

    private enum State: Equatable { case mail, recipient(Int), data, emptyData, message, done }

    private let envelope: Envelope
    private let extensions: SMTPExtensions
    private var state = State.mail
    private var mailFailure: DeliveryError?
    package private(set) var accepted: [String] = []
    /// Those that were not taken, with what the server said.
    package private(set) var rejected: [(recipient: String, reply: SMTPReply)] = []

    package init(_ envelope: Envelope, _ extensions: SMTPExtensions) {
        precondition(!envelope.recipients.isEmpty, "a message without recipients goes nowhere")
        self.envelope = envelope
        self.extensions = extensions
    }

    package func begin() -> SMTPAction {
        if let limit = extensions.sizeBytesMax, envelope.sizeBytes > limit {
            return .fail(
                .refused(reason: "the message has \(envelope.sizeBytes) bytes, the mail server takes at most \(limit)"))
        }
        if envelope.needsUTF8, !extensions.utf8 {
            return .fail(.refused(reason: "an address is not ASCII, and the mail server does not know SMTPUTF8"))
        }
        if envelope.isEightBit, !extensions.eightBit {
            return .fail(.refused(reason: "the message is not ASCII, and the mail server does not know 8BITMIME"))
        }
        guard extensions.pipelining else { return .send([mail]) }
        return .send([mail] + envelope.recipients.map(Self.recipient) + ["DATA"])
    }

    private var mail: String {
        "MAIL FROM:<\(envelope.from)>" + (extensions.takesSize ? " SIZE=\(envelope.sizeBytes)" : "")
            + (envelope.isEightBit ? " BODY=8BITMIME" : "") + (envelope.needsUTF8 ? " SMTPUTF8" : "")
    }

    private static func recipient(_ address: String) -> String { "RCPT TO:<\(address)>" }

    package mutating func received(_ reply: SMTPReply) -> SMTPAction {
        if reply.code == 421 { return end(.fail(reply.failure(while: "and hung up"))) }
        switch state {
        case .mail:
            if !reply.isDone { mailFailure = reply.failure(while: "to MAIL") }
            if let mailFailure, !extensions.pipelining { return end(.fail(mailFailure)) }
            state = .recipient(0)
            return extensions.pipelining ? .wait : .send([Self.recipient(envelope.recipients[0])])
        case .recipient(let index):
            return recipientAnswered(reply, index)
        case .data:
            return dataAnswered(reply)
        case .emptyData:
            return end(.fail(noRecipient))
        case .message:
            return end(reply.isDone ? .finished : .fail(reply.failure(while: "to the message")))
        case .done:
            return .fail(.unavailable(reason: "the mail server speaks out of turn", retryAfter: nil))
        }
    }

    private mutating func recipientAnswered(_ reply: SMTPReply, _ index: Int) -> SMTPAction {
        if reply.isDone {
            accepted.append(envelope.recipients[index])
        } else {
            rejected.append((envelope.recipients[index], reply))
        }
        guard index + 1 < envelope.recipients.count else {
            state = .data
            if extensions.pipelining { return .wait }
            return accepted.isEmpty ? end(.fail(noRecipient)) : .send(["DATA"])
        }
        state = .recipient(index + 1)
        return extensions.pipelining ? .wait : .send([Self.recipient(envelope.recipients[index + 1])])
    }

    private mutating func dataAnswered(_ reply: SMTPReply) -> SMTPAction {
        guard accepted.isEmpty || mailFailure != nil else {
            guard reply.code == 354 else { return end(.fail(reply.failure(while: "to DATA"))) }
            state = .message
            return .sendMessage
        }
        // A server that waits for a message to nobody gets an empty one; where somebody would get it, it is cut off.
        guard reply.code == 354, accepted.isEmpty else { return end(.fail(noRecipient)) }
        state = .emptyData
        return .send(["."])
    }

    /// Nobody took it: a recipient that may take it later keeps the message alive.
    private var noRecipient: DeliveryError {
        if let mailFailure { return mailFailure }
        let worst = rejected.first { $0.reply.isTransient } ?? rejected.first
        return worst?.reply.failure(while: "to every recipient, first") ?? .refused(reason: "nobody took the message")
    }

    private mutating func end(_ action: SMTPAction) -> SMTPAction {
        state = .done
        return action
    }
}
