import Streams
import TestKit
import Testing
import Transport

@Suite struct EventStreamConnectionTests {
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    /// Answers a request with `text` and hangs up. Fails where the request does not hold `expected`.
    private func server(_ text: String, expecting expected: String = "") throws -> TestTCPServer {
        try TestTCPServer { socket, _ in
            guard let request = socket.read(until: Array("\r\n\r\n".utf8)) else { return }
            let isExpected = String(decoding: request, as: UTF8.self).contains(expected)
            _ = socket.write(Array((isExpected ? text : "HTTP/1.1 400 Bad\r\n\r\nnot what was expected").utf8))
        }
    }

    private func open(_ server: TestTCPServer, after id: String = "") async throws -> EventStreamConnection {
        let url = try URLString("http://127.0.0.1:\(server.port)/api/v1/stream/alerts?filter=a")
        return try await EventStreamConnection.open(
            HTTPRequest(.get, url, timeout: .seconds(30)), lastEventID: id, over: TCPConnector())
    }

    @Test func `events are read until the stream ends`() async throws {
        let text = Self.head + Self.chunk("retry: 5\n\nid: 1\nda") + Self.chunk("ta: a\n\n") + "0\r\n\r\n"
        let server = try server(text, expecting: "GET /api/v1/stream/alerts?filter=a HTTP/1.1\r\n")
        defer { server.stop() }
        let connection = try await open(server)
        var events: [ServerSentEvent] = []
        while let more = try await connection.next() { events += more }
        #expect(events == [.init(data: "a", id: "1")])
        #expect(connection.lastEventID == "1")
        #expect(connection.retry == .milliseconds(5))
        await connection.close()
    }

    @Test func `a stream goes on after the event that was seen last`() async throws {
        let server = try server(Self.head + "0\r\n\r\n", expecting: "Last-Event-ID: run-7")
        defer { server.stop() }
        let connection = try await open(server, after: "run-7")
        #expect(try await connection.next() == nil)
        #expect(connection.lastEventID == "run-7")
        await connection.close()
    }

    @Test func `a server that says no is quoted`() async throws {
        let server = try server("HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\n\r\ninvalid filter")
        defer { server.stop() }
        await #expect(throws: EventStreamConnection.Refusal(status: 400, text: "invalid filter")) {
            _ = try await open(server)
        }
    }

    @Test func `another page is no stream`() async throws {
        let server = try server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")
        defer { server.stop() }
        await #expect(throws: EventStreamConnection.Refusal.self) { _ = try await open(server) }
    }

    @Test func `a connection that breaks is an error`() async throws {
        let server = try server(Self.head + Self.chunk("data: a\n\n"))
        defer { server.stop() }
        let connection = try await open(server)
        #expect(try await connection.next() == [.init(data: "a")])
        await #expect(throws: TransportError.self) { try await connection.next() }
        await connection.close()
    }
}
