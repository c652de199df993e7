package import Streams
package import Transport

/// A connection to a mail server, driven by its dialogues. One task uses it at a time.
package actor SMTPConnection {
    /// How long a server may take, each time.
    package struct Patience: Sendable, Equatable {
        package var connect: Duration
        package var reply: Duration
        /// For the answer to the whole message: the server may check it first.
        package var message: Duration

        package init(
            connect: Duration = .seconds(20), reply: Duration = .seconds(60), message: Duration = .seconds(300)
        ) {
            self.connect = connect
            self.reply = reply
            self.message = message
        }
    }

    private let stream: any ByteStream
    private let peer: Smarthost
    private let patience: Patience
    private var parser = SMTPReplyParser()
    private var extensions = SMTPExtensions()
    /// Something went wrong: the server and we may not mean the same any more.
    package private(set) var isBroken = false
    /// The message that failed was sent whole: the server may have taken it and not been able to say so.
    package private(set) var mayHaveDelivered = false

    private init(_ stream: any ByteStream, _ peer: Smarthost, _ patience: Patience) {
        self.stream = stream
        self.peer = peer
        self.patience = patience
    }

    /// Connects, and talks to the point where a message can be handed over.
    /// - Parameter implicitTLS: the handshake comes before the greeting.
    package static func open(
        _ connector: any ByteStreamConnector, _ server: Smarthost, implicitTLS: Bool, tls: TLSSettings,
        _ settings: SMTPOpening.Settings, _ patience: Patience
    ) async throws(DeliveryError) -> SMTPConnection {
        let stream: any ByteStream
        do throws(TransportError) {
            stream = try await connector.connect(
                to: server.host, port: server.port, tls: implicitTLS ? tls : nil, timeout: patience.connect)
        } catch {
            throw DeliveryError(error)
        }
        let connection = SMTPConnection(stream, server, patience)
        do throws(DeliveryError) {
            try await connection.open(SMTPOpening(settings, isEncrypted: implicitTLS), tls)
        } catch {
            await stream.close()
            throw error
        }
        return connection
    }

    private func open(_ dialogue: SMTPOpening, _ tls: TLSSettings) async throws(DeliveryError) {
        var dialogue = dialogue
        var action = SMTPAction.wait
        while true {
            switch action {
            case .wait:
                action = dialogue.received(try await reply(within: patience.reply))
            case .send(let lines):
                try await write(Self.bytes(lines))
                action = .wait
            case .startTLS:
                // What came in the clear behind the answer would count as said in private (CVE-2011-0411).
                guard parser.isEmpty else {
                    throw .unavailable(reason: "the mail server spoke before the TLS handshake", retryAfter: nil)
                }
                let (stream, host) = (stream, peer.host)
                try await timed(patience.connect) { () async throws(TransportError) in
                    try await stream.startTLS(tls, host: host)
                }
                action = dialogue.encrypted()
            case .finished:
                extensions = dialogue.extensions
                return
            case .fail(let error):
                throw error
            case .sendMessage:
                preconditionFailure("a message before the opening is done")
            }
        }
    }

    /// Which recipients took the message, and what the server said for the others.
    package struct Outcome: Sendable {
        package var accepted: [String]
        package var rejected: [(recipient: String, reply: SMTPReply)]
    }

    /// Hands over one message. Throws when nobody has taken it; then the connection is broken.
    /// - Parameter message: lines end in CR LF, without dots added.
    package func send(_ message: [UInt8], _ envelope: SMTPTransaction.Envelope) async throws(DeliveryError) -> Outcome {
        do throws(DeliveryError) {
            return try await transact(message, envelope)
        } catch {
            isBroken = true
            throw error
        }
    }

    private func transact(
        _ message: [UInt8], _ envelope: SMTPTransaction.Envelope
    ) async throws(DeliveryError) -> Outcome {
        guard parser.isEmpty else {
            throw .unavailable(reason: "the mail server speaks out of turn", retryAfter: nil)
        }
        var dialogue = SMTPTransaction(envelope, extensions)
        var action = dialogue.begin()
        var patienceNow = patience.reply
        while true {
            switch action {
            case .wait:
                action = dialogue.received(try await reply(within: patienceNow))
            case .send(let lines):
                try await write(Self.bytes(lines))
                action = .wait
            case .sendMessage:
                patienceNow = patience.message
                mayHaveDelivered = true
                try await write(DotStuffing.stuffed(message))
                action = .wait
            case .finished:
                mayHaveDelivered = false
                return Outcome(accepted: dialogue.accepted, rejected: dialogue.rejected)
            case .fail(let error):
                throw error
            case .startTLS:
                preconditionFailure("a handshake in the middle of a message")
            }
        }
    }

    /// Says goodbye and does not wait for an answer.
    package func close() async {
        if !isBroken {
            // It is closed in any case.
            try? await write(Self.bytes(["QUIT"]))
        }
        isBroken = true
        await stream.close()
    }

    private static func bytes(_ lines: [String]) -> [UInt8] { lines.flatMap { Array($0.utf8) + [0x0d, 0x0a] } }

    private func write(_ bytes: [UInt8]) async throws(DeliveryError) {
        let stream = stream
        try await timed(patience.message) { () async throws(TransportError) in try await stream.write(bytes) }
    }

    private func reply(within limit: Duration) async throws(DeliveryError) -> SMTPReply {
        let (stream, peer, begun) = (stream, peer, parser)
        let (reply, rest) = try await timed(limit) { () async throws(TransportError) -> (SMTPReply, SMTPReplyParser) in
            var parser = begun
            while true {
                do throws(SMTPReplyParser.Malformed) {
                    if let reply = try parser.next() { return (reply, parser) }
                } catch {
                    throw .protocol(reason: "\(peer): \(error)")
                }
                let bytes = try await stream.read(max: 4096)
                guard !bytes.isEmpty else {
                    throw .connect(peer: "\(peer)", reason: "the mail server closed the connection")
                }
                parser.feed(bytes)
            }
        }
        parser = rest
        return reply
    }

    private func timed<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws(TransportError) -> Value
    ) async throws(DeliveryError) -> Value {
        do throws(TransportError) {
            return try await withTimeout(limit, body)
        } catch {
            throw DeliveryError(error)
        }
    }
}

extension DeliveryError {
    /// Whatever went wrong on the way there may go right the next time.
    package init(_ error: TransportError) {
        self = error == .cancelled ? .cancelled : .unavailable(reason: "\(error)", retryAfter: nil)
    }
}
