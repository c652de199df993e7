import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Server
import Synchronization
import Testing

/// A connection whose time the test turns.
private final class Connection {
    let channel: EmbeddedChannel
    private let timeouts = Count()

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    init() throws {
        channel = EmbeddedChannel()
        let handler = BodyDeadlineHandler(limit: .seconds(60), isStream: { $0.path == "/stream" }) { [timeouts] in
            timeouts.value.withLock { $0 += 1 }
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    var timeoutCount: Int { timeouts.value.withLock { $0 } }
    var isOpen: Bool { channel.isActive }

    func head(_ path: String) throws {
        try part(.head(HTTPRequest(method: .post, scheme: "http", authority: "x", path: path)))
    }

    func piece() throws { try part(.body(ByteBuffer(string: "x 1\n"))) }
    func end() throws { try part(.end(nil)) }
    func answer() throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .requestTimeout)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }
    /// The server looks for more.
    func wait() { channel.pipeline.read() }

    private func part(_ part: HTTPRequestPart) throws { try channel.writeInbound(part) }

    /// - Returns: what the reader of the body was told.
    @discardableResult func pass(_ seconds: Int64) -> String? {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        do {
            try channel.throwIfErrorCaught()
            return nil
        } catch {
            return (error as? SlowBody)?.message ?? "\(error)"
        }
    }
}

@Suite struct BodyDeadlineTests {
    @Test func `a body has a time from its head to its end, however it comes`() throws {
        let connection = try Connection()
        try connection.head("/metrics/job/a")
        for _ in 0..<59 {
            connection.wait()
            #expect(connection.pass(1) == nil)
            try connection.piece()
        }
        #expect(connection.pass(1) == "the body did not arrive within 60.0 seconds")
        #expect(connection.timeoutCount == 1)
        // Time to answer, and to read the answer.
        connection.pass(20)
        #expect(connection.isOpen)
        try connection.answer()
        connection.pass(1)
        #expect(connection.isOpen)
        connection.pass(1)
        #expect(!connection.isOpen)
    }

    @Test func `a connection whose request was answered before its body came is closed soon after its time`() throws {
        let connection = try Connection()
        try connection.head("/-/healthy")
        try connection.answer()
        #expect(connection.pass(60) != nil)
        #expect(connection.isOpen)
        connection.pass(2)
        #expect(!connection.isOpen)
    }

    @Test func `a connection is closed even when no answer comes`() throws {
        let connection = try Connection()
        try connection.head("/metrics/job/a")
        connection.pass(60)
        connection.pass(30)
        #expect(!connection.isOpen)
    }

    @Test func `a stream may take as long as it likes while it comes on`() throws {
        let connection = try Connection()
        try connection.head("/stream")
        for _ in 0..<1000 {
            connection.wait()
            #expect(connection.pass(59) == nil)
            try connection.piece()
        }
        connection.wait()
        #expect(connection.pass(59) == nil)
        #expect(connection.pass(1) == "nothing of the body has come for 60.0 seconds")
        #expect(connection.timeoutCount == 1)
    }

    @Test func `bytes that are no part of the body do not keep a stream alive`() throws {
        let connection = try Connection()
        try connection.head("/stream")
        for second in 1...60 {
            connection.wait()
            #expect((connection.pass(1) == nil) == (second < 60))
        }
    }

    @Test func `while the server takes nothing, the client's time stands still`() throws {
        let connection = try Connection()
        try connection.head("/stream")
        connection.wait()
        connection.pass(30)
        try connection.piece()
        // The rules are busy: nothing is read.
        #expect(connection.pass(3600) == nil)
        connection.wait()
        #expect(connection.pass(59) == nil)
        #expect(connection.pass(1) != nil)
    }

    @Test func `after its end a request has all the time it needs, and the next one its own`() throws {
        let connection = try Connection()
        try connection.head("/metrics/job/a")
        connection.pass(59)
        try connection.end()
        #expect(connection.pass(3600) == nil)
        try connection.head("/metrics/job/b")
        #expect(connection.pass(59) == nil)
        #expect(connection.pass(1) != nil)
    }

    @Test func `the answer to a body that did not come tells that the connection ends`() throws {
        let connection = try Connection()
        try connection.head("/metrics/job/a")
        connection.pass(60)
        try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .requestTimeout)))
        guard case .head(let head) = try connection.channel.readOutbound(as: HTTPResponsePart.self) else {
            Issue.record("no head came out")
            return
        }
        #expect(head.headerFields[.connection] == "close")
        // What still comes leads nowhere.
        try connection.piece()
        while let part = try connection.channel.readInbound(as: HTTPRequestPart.self) {
            if case .body = part { Issue.record("a piece was passed on") }
        }
    }
}
