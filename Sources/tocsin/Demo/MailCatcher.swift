import NIOCore
import NIOPosix
import Server

/// A mail server that keeps what it gets for a person to look at: hands each mail to `receive`.
struct MailCatcher: Sendable {
    let address: ListenAddress
    /// The sender is told that the mail was caught when it returns.
    let receive: @Sendable (CatcherSession.Mail) async -> Void

    private static let connectionsMax = 100

    /// Serves until cancelled.
    func run() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(SMTPLineDecoder()))
                    return try NIOAsyncChannel<String, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await server.executeThenClose { connections in
            try await withThrowingTaskGroup(of: Void.self) { group in
                var count = 0
                for try await connection in connections {
                    count += 1
                    // Further ones wait in the system's queue.
                    if count > Self.connectionsMax { try await group.next() }
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
