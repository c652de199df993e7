import Foundation
import Streams
import TestKit
import Testing
import Transport

@Suite struct HTTPClientFailureTests {
    @Test func `nobody listens: connection refused`() async throws {
        let server = try TestHTTPServer { _ in .hang }
        server.stop()
        try await withClient { client in
            await #expect(
                throws: TransportError.connect(peer: "127.0.0.1:\(server.port)", reason: "connection refused")
            ) {
                try await client.send(HTTPRequest(.get, URLString("http://u:p@127.0.0.1:\(server.port)/x?token=y")))
            }
        }
    }

    @Test func `a name without an address`() async throws {
        try await withClient { client in
            await #expect(throws: TransportError.resolve(host: "no-such-host.invalid", reason: "no such host")) {
                try await client.send(HTTPRequest(.get, URLString("http://no-such-host.invalid/")))
            }
        }
    }

    @Test func `a server that never answers is given up at the timeout`() async throws {
        let server = try TestHTTPServer { _ in .hang }
        try await withClient { client in
            await #expect(throws: TransportError.timeout(after: .milliseconds(50))) {
                try await client.send(HTTPRequest(.get, URLString(server.url), timeout: .milliseconds(50)))
            }
        }
    }

    @Test func `a body longer than allowed is cut, told or not told, plain or compressed`() async throws {
        let bomb = try await gzipBomb(bytes: 50_000_000)
        let server = try TestHTTPServer { request in
            switch request.path {
            case "/told": .endless(head: "HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
            case "/untold": .endless(head: "HTTP/1.1 200 OK\r\n\r\n")
            case "/bomb": .respond(200, headers: ["Content-Encoding": "gzip"], body: bomb)
            default: .respond(200, body: [UInt8](repeating: 1, count: 1000))
            }
        }
        try await withClient { client in
            for path in ["/told", "/untold", "/bomb"] {
                await #expect(throws: TransportError.bodyTooLarge(limitBytes: 100_000), "\(path)") {
                    try await client.send(HTTPRequest(.get, URLString(server.url + path), bodyBytesMax: 100_000))
                }
            }
            let exact = try await client.send(HTTPRequest(.get, URLString(server.url), bodyBytesMax: 1000))
            #expect(exact.body.count == 1000)
            await #expect(throws: TransportError.bodyTooLarge(limitBytes: 999)) {
                try await client.send(HTTPRequest(.get, URLString(server.url), bodyBytesMax: 999))
            }
        }
    }

    struct Garbled: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: String
        var error: TransportError?
        init(_ name: String, _ answer: String, _ error: TransportError? = nil) {
            (testDescription, self.answer, self.error) = (name, answer, error)
        }
    }

    static let garbledAnswers: [Garbled] = [
        Garbled("not HTTP", "hello there\r\n\r\n", .protocol(reason: "the answer is not HTTP")),
        Garbled("nothing at all", ""),
        Garbled("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive"),
        Garbled("a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
        Garbled("a broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Garbled(
            "endless headers", "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Filler: 0123456789\r\n", count: 20_000),
            .protocol(reason: "the answer's headers are longer than 262144 bytes")
        ),
    ]

    @Test("an answer that breaks the rules is an error", arguments: garbledAnswers)
    func garbage(_ example: Garbled) async throws {
        let server = try TestHTTPServer { _ in .raw(Array(example.answer.utf8)) }
        try await withClient { client in
            let error = await #expect(throws: TransportError.self) {
                try await client.send(HTTPRequest(.get, URLString(server.url)))
            }
            if let expected = example.error { #expect(error == expected) }
        }
    }

    @Test func `cancelling the task ends the transfer and its connection at once`() async throws {
        let server = try TestHTTPServer { _ in .hang }
        try await withClient { client in
            let task = Task { try await client.send(HTTPRequest(.get, URLString(server.url), timeout: .seconds(3600))) }
            await server.received(1)
            task.cancel()
            await #expect(throws: TransportError.cancelled) { try await task.value }
            await server.connectionEnded()
        }
    }

    @Test func `a task that is cancelled already asks nothing`() async throws {
        let server = try TestHTTPServer { _ in .hang }
        try await withClient { client in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.send(HTTPRequest(.get, URLString(server.url)))
            }
            await #expect(throws: TransportError.cancelled) { try await task.value }
        }
        #expect(server.requests.isEmpty)
    }

    @Test func `shutdown ends what is under way, and nothing starts before or after`() async throws {
        let server = try TestHTTPServer { _ in .hang }
        let client = HTTPClient()
        let request = HTTPRequest(.get, try URLString(server.url), timeout: .seconds(3600))
        await #expect(throws: TransportError.closed) { try await client.send(request) }
        try client.start()
        async let answer = client.send(request)
        await server.received(1)
        await client.shutdown()
        do {
            _ = try await answer
            Issue.record("there is no answer")
        } catch { #expect(error as? TransportError == .closed) }
        await #expect(throws: TransportError.closed) { try await client.send(request) }
        await client.shutdown()
    }

    static let headers: [(HTTPField, String)] = [
        (HTTPField("X", "a\r\nEvil: 1"), "the header X holds a line break or a control character"),
        (HTTPField("X", "a\0b"), "the header X holds a line break or a control character"),
        (HTTPField("X: y\r\nZ", "a"), "\"X: y\r\nZ\" can't be the name of a header"),
        (HTTPField("", "a"), "\"\" can't be the name of a header"),
    ]

    @Test("a header that would be two is not sent", arguments: headers)
    func injection(_ header: HTTPField, _ reason: String) async throws {
        let server = try TestHTTPServer { _ in .text(200, "") }
        try await withClient { client in
            await #expect(throws: TransportError.invalidRequest(reason: reason)) {
                try await client.send(HTTPRequest(.get, URLString(server.url), headers: [header]))
            }
        }
        #expect(server.requests.isEmpty)
    }

    @Test func `a password file that can't be read is named`() async throws {
        try await withClient { client in
            let settings = HTTPSettings(authentication: .credentials(scheme: "Bearer", .file("/no/such/token")))
            await #expect(
                throws: TransportError.invalidRequest(reason: "can't read /no/such/token: no such file or directory")
            ) {
                try await client.send(HTTPRequest(.get, URLString("http://127.0.0.1:1/"), settings: settings))
            }
        }
    }
}

/// Zeroes of that length, compressed by the package that the tests have anyway.
private func gzipBomb(bytes: Int) async throws -> [UInt8] {
    try await TestProcess.output(
        TestProcess.python,
        ["-c", "import gzip,sys; sys.stdout.buffer.write(gzip.compress(bytes(\(bytes)), 1))"])
}
