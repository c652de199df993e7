import NIOCore
import NIOPosix
import Streams

/// A mail server that keeps what it gets for a person to look at: listens on loopback, hands each mail to `receive`.
struct MailCatcher {
    let port: Int
    let receive: @Sendable (CatcherSession.Mail) async -> Void

    /// Serves until cancelled. `listening` gets the port once mails can be sent to it.
    func run(listening: @escaping @Sendable (Int) -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(SMTPLineDecoder()))
                    return try NIOAsyncChannel<String, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        listening(server.channel.localAddress?.port ?? port)
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await serve(connection) }
                }
            }
        }
    }

    private func serve(_ connection: NIOAsyncChannel<String, ByteBuffer>) async {
        // A client that hangs up in the middle loses its own mail only.
        try? await connection.executeThenClose { lines, replies in
            func reply(_ text: String) async throws { try await replies.write(ByteBuffer(string: text + "\r\n")) }
            var session = CatcherSession()
            try await reply(CatcherSession.greeting)
            for try await line in lines {
                switch session.received(line) {
                case .none: break
                case .reply(let text): try await reply(text)
                case .deliver(let mail, let text):
                    await receive(mail)
                    try await reply(text)
                case .close(let text):
                    try await reply(text)
                    return
                }
            }
        }
    }
}

/// Cuts the stream at line feeds, with or without a carriage return before them.
private struct SMTPLineDecoder: NIOSingleStepByteToMessageDecoder, ByteToMessageDecoder {
    typealias InboundOut = String

    struct LineTooLong: Error {}

    mutating func decode(buffer: inout ByteBuffer) throws -> String? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            if buffer.readableBytes > CatcherSession.lineBytesMax { throw LineTooLong() }
            return nil
        }
        guard var line = buffer.readString(length: end - buffer.readerIndex) else { return nil }
        buffer.moveReaderIndex(forwardBy: 1)
        if line.hasSuffix("\r") { line.removeLast() }
        return line
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> String? {
        try decode(buffer: &buffer)
    }
}
