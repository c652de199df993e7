import Foundation
import ServerKit
import Server
import Streams
import TestKit
import Testing

@Suite struct PushTests {
    @Test func `a push is readable when it is answered, and deleted when that is answered`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            #expect(try await server.client.send("PUT", "/metrics/job/a", text: "x 1\n").status == 200)
            #expect(try await server.value("x{job=\"a\"}") == 1)
            #expect(try await server.client.send("DELETE", "/metrics/job/a").status == 202)
            #expect(try await server.value("x{job=\"a\"}") == nil)
        }
    }

    @Test func `a malformed line refuses the whole push with its number`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let answer = try await server.client.send("PUT", "/metrics/job/a", text: "x 1\ny one\n")
            #expect(answer.status == 400)
            #expect(answer.text.contains("line 2"))
            #expect(try await server.value("x") == nil)
            #expect(server.metric("tocsin_push_refused_total") == 1)
        }
    }

    @Test func `pushes in one group that come faster than milliseconds do not get far ahead of the clock`() async throws
    {
        try await TestServer.with(pushPipeline) { server async throws in
            try await server.client.talk { socket in
                for number in 0..<300 {
                    let body = "x \(number)\n"
                    let head = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                    guard socket.write(Array((head + body).utf8)) else { throw POSIXError(.EPIPE) }
                    let answer = try LoopbackClient.answer(from: socket)
                    guard answer.status == 200 else { throw POSIXError(.EBADMSG) }
                }
            }
            #expect(await eventually { (try? await server.value("x")) == 299 })
            let ahead = try #require(try await server.value("timestamp(x) - time()"))
            #expect(ahead <= 1)
        }
    }

    @Test func `a line beyond the limit is refused with its number`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let text = "x 1\ny{l=\"\(String(repeating: "a", count: 70_000))\"} 1\nz 1\n"
            let answer = try await server.client.send("PUT", "/metrics/job/a", text: text)
            #expect(answer.status == 400)
            #expect(answer.text.contains("line 2 is longer than"))
            #expect(try await server.value("x") == nil)
        }
    }

    // MARK: bodies

    @Test func `gzip is undone; a bomb, a torn end and a forgery are refused`() async throws {
        let good = try await gzip(Array("x 1\n".utf8))
        let bomb = try await gzip([UInt8](repeating: UInt8(ascii: " "), count: 64 << 20))
        var forged = good
        forged[forged.count / 2] ^= 0xFF
        let (corrupt, torn) = (forged, Array(good.dropLast(6)))
        try await TestServer.with(pushPipeline) { server async throws in
            func push(_ body: [UInt8], coding: String = "gzip") async throws -> Int {
                try await server.client.send(
                    "PUT", "/metrics/job/a", headers: ["Content-Encoding": coding], body: body
                ).status
            }
            #expect(try await push(good) == 200)
            // Two members are one body: x twice.
            #expect(try await push(good + good) == 400)
            #expect(try await push(bomb) == 413)
            #expect(try await push(torn) == 400)
            #expect(try await push(corrupt) == 400)
            #expect(try await push([1, 2, 3]) == 400)
            #expect(try await push(good, coding: "br") == 415)
            #expect(try await server.value("x") == 1)
        }
    }

    @Test func `a body beyond the limit is refused, with its length told or not`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let large = [UInt8](repeating: UInt8(ascii: "#"), count: 2 << 20)
            let told = try await server.client.send("PUT", "/metrics/job/a", body: large)
            #expect(told.status == 413)
            let status = try await server.client.talk { socket in
                let head = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                _ = socket.write(Array(head.utf8))
                for _ in 0..<40 {
                    let chunk = [UInt8](repeating: UInt8(ascii: "#"), count: 65536)
                    guard socket.write(Array("10000\r\n".utf8) + chunk + [13, 10]) else { break }
                }
                return try LoopbackClient.answer(from: socket).status
            }
            #expect(status == 413)
        }
    }

    @Test func `bodies that together take too much memory are refused, and leave nothing taken`() async throws {
        var options = TestServer.Options()
        options.bodiesBytesMax = 100_000
        try await TestServer.with(pushPipeline, options) { server async throws in
            let large = "x{l=\"\(String(repeating: "a", count: 60_000))\"} 1\n"
            try await server.client.talk { socket in
                let head = "PUT /metrics/job/slow HTTP/1.1\r\nHost: x\r\nContent-Length: \(large.utf8.count)\r\n\r\n"
                _ = socket.write(Array(head.utf8) + Array(large.utf8.dropLast()))
                try onThread(expecting: 503) {
                    // The first is taken up to its last byte when the second comes.
                    guard await eventually({ server.bodies.bytes >= large.utf8.count - 1 }) else { return 0 }
                    return try await server.client.send("PUT", "/metrics/job/b", text: large).status
                }
                _ = socket.write([10])
                guard try LoopbackClient.answer(from: socket).status == 200 else { throw POSIXError(.EBADMSG) }
            }
            #expect(try await server.client.send("PUT", "/metrics/job/b", text: large).status == 200)
        }
    }

    @Test func `a client that asks whether to go on is answered at once`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let statuses = try await server.client.talk { socket in
                let head = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
                _ = socket.write(Array(head.utf8))
                let first = try LoopbackClient.answer(from: socket).status
                _ = socket.write(Array("x 1\n".utf8))
                return [first, try LoopbackClient.answer(from: socket).status]
            }
            #expect(statuses == [100, 200])
        }
    }

    /// Writes the bytes one by one, as slow as the server bears, until the connection ends; then reads what was answered.
    private static func drip(_ start: String, _ byte: String?, into socket: TestSocket) throws -> LoopbackAnswer {
        _ = socket.write(Array(start.utf8))
        if let byte {
            // A pause that is a part of what is tested: the server's limit is a multiple of it.
            while socket.write(Array(byte.utf8)), !socket.isReadable(within: .milliseconds(20)) {}
        }
        let answer = try LoopbackClient.answer(from: socket)
        while let rest = socket.read(), !rest.isEmpty {}
        return answer
    }

    /// A client that is held up before its first byte is idle, and closed without a word: it begins again.
    private static func untilBegun(_ talk: () async throws -> LoopbackAnswer) async throws -> LoopbackAnswer {
        for _ in 0..<100 {
            do { return try await talk() } catch let error as POSIXError where error.code == .ECONNRESET {}
        }
        return try await talk()
    }

    private static let put = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\n"
    private static let stream = "POST /api/v1/import/prometheus HTTP/1.1\r\nHost: x\r\n"

    @Test(
        "Who does not send a request in time is told with 408, counted and cut off",
        arguments: [
            ("half a head, then nothing", "GET / HT", nil),
            ("a head that comes byte by byte", "GET / HTTP/1.1\r\nX: ", "x"),
            ("a head, then nothing", put + "Content-Length: 4\r\n\r\n", nil),
            ("a body that comes byte by byte", put + "Content-Length: 400000\r\n\r\n", "x"),
            ("an endless body in chunks", put + "Transfer-Encoding: chunked\r\n\r\n", "4\r\nx 1\n\r\n"),
            ("a body for a path without one", "GET /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n", "x"),
            (
                "a remote write, then nothing", "POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n",
                nil
            ),
            ("a stream, then nothing", stream + "Transfer-Encoding: chunked\r\n\r\n4\r\nx 1\n\r\n", nil),
            ("a stream whose chunk never begins", stream + "Transfer-Encoding: chunked\r\n\r\n", "0"),
        ])
    func slowRequests(_ what: String, _ start: String, _ byte: String?) async throws {
        // Only the limit in question is short: a busy machine may well take longer than it for something else.
        var options = TestServer.Options()
        if start.contains("\r\n\r\n") {
            options.bodyDeadline = .milliseconds(500)
        } else {
            options.headDeadline = .milliseconds(500)
        }
        try await TestServer.with(pushPipeline, options) { server async throws in
            let answer = try await Self.untilBegun {
                try await server.client.talk { try Self.drip(start, byte, into: $0) }
            }
            #expect(answer.status == (start.contains("healthy") ? 200 : 408), "\(what)")
            #expect(server.metric(#"tocsin_http_refused_total{status="408"}"#) == 1, "\(what)")
            #expect(try await Self.untilBegun { try await server.client.get("/-/healthy") }.status == 200)
        }
    }

    @Test func `an idle connection is closed without a word`() async throws {
        var options = TestServer.Options()
        options.headDeadline = .milliseconds(50)
        try await TestServer.with(pushPipeline, options) { server async throws in
            #expect(try await server.client.talk { $0.read() ?? [] } == [])
            #expect(server.metric(#"tocsin_http_refused_total{status="408"}"#) == nil)
        }
    }

    @Test func `what a stream brought before it broke off is kept, and said`() async throws {
        var options = TestServer.Options()
        options.bodyDeadline = .milliseconds(500)
        try await TestServer.with(pushPipeline, options) { server async throws in
            let start = Self.stream + "Transfer-Encoding: chunked\r\n\r\n4\r\nx 1\n\r\n"
            let answer = try await server.client.talk { try Self.drip(start, nil, into: $0) }
            #expect(answer.status == 408)
            #expect(answer.headers["connection"] == "close")
            #expect(
                answer.text == "nothing of the body has come for 0.5 seconds; 1 samples before it were applied\n")
            #expect(try await server.value("x") == 1)
        }
    }

    @Test func `a slow body does not hold others up`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            try await server.client.talk { socket in
                let head = "PUT /metrics/job/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nx"
                _ = socket.write(Array(head.utf8))
                try onThread { try await server.client.send("PUT", "/metrics/job/b", text: "y 1\n").status }
                for byte in " 1\n".utf8 { _ = socket.write([byte]) }
                guard try LoopbackClient.answer(from: socket).status == 200 else { throw POSIXError(.EBADMSG) }
            }
            #expect(try await server.value("x{job=\"slow\"}") == 1)
        }
    }

    // MARK: streams

    @Test("A stream that comes in pieces is the same stream", arguments: [1, 2, 3, 7, 16, 64, 1000])
    func pieces(size: Int) async throws {
        let text =
            (0..<20).map { "s{n=\"\($0)\",l=\"é \\\"q\\\"\"} \($0)\n" }.joined() + "# EOF is no line here\nlast 7"
        try await TestServer.with(pushPipeline) { server async throws in
            let status = try await server.client.talk { socket in
                let head = "POST /api/v1/import/prometheus?extra_label=job=a HTTP/1.1\r\nHost: x\r\n"
                _ = socket.write(Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8))
                var rest = Array(text.utf8)[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(size)
                    rest = rest.dropFirst(size)
                    _ = socket.write(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10])
                }
                _ = socket.write(Array("0\r\n\r\n".utf8))
                return try LoopbackClient.answer(from: socket).status
            }
            #expect(status == 204)
            #expect(try await server.value("sum(s{job=\"a\"})") == 190)
            #expect(try await server.value("last") == 7)
        }
    }

    @Test func `an endless line is refused with bounded memory, and the server goes on`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let answer = try await server.client.talk { socket in
                let head = "POST /api/v1/import/prometheus HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                _ = socket.write(Array(head.utf8))
                _ = socket.write(Array("9\r\nx{label=\"\r\n".utf8))
                let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 65536) + [13, 10]
                for _ in 0..<1600 where !socket.write(chunk) { break }
                return try LoopbackClient.answer(from: socket)
            }
            #expect(answer.status == 400)
            #expect(answer.text.contains("line 1"))
            #expect(try await server.client.get("/-/healthy").status == 200)
        }
    }

    @Test func `a stream's error says its line and how much came before it`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let answer = try await server.client.send(
                "POST", "/api/v1/import/prometheus", body: Array("x 1\n".utf8) + [0x79, 0xFF, 0xFE, 0x0A])
            #expect(answer.status == 400)
            #expect(answer.text.contains("line 2"))
            #expect(try await server.client.get("/-/healthy").status == 200)
        }
    }

    @Test func `samples that storage can't keep are counted and told`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let text = "a 1 1000\nb 1 \(now + 86_400_000)\nc 1 \(now)\n"
            let answer = try await server.client.send("POST", "/api/v1/import/prometheus", text: text)
            #expect(answer.status == 400)
            #expect(answer.text.contains("2 of 3 samples were not stored: 2 too old or too far in the future"))
            #expect(try await server.value("c") == 1)
            let again = try await server.client.send("POST", "/api/v1/import/prometheus", text: "c 2 \(now)\n")
            #expect(again.status == 400)
            #expect(again.text.contains("1 with another value"))
            let older = try await server.client.send("POST", "/api/v1/import/prometheus", text: "c 2 \(now - 5)\n")
            #expect(older.status == 400)
            #expect(older.text.contains("1 out of order"))
        }
    }

    @Test func `a push of very many series works`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let status = try await server.client.talk { socket in
                let head = "POST /api/v1/import/prometheus HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                _ = socket.write(Array(head.utf8))
                for part in 0..<50 {
                    let text = (0..<1000).map { "many{n=\"\(part * 1000 + $0)\"} 1\n" }.joined()
                    _ = socket.write(Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8))
                }
                _ = socket.write(Array("0\r\n\r\n".utf8))
                return try LoopbackClient.answer(from: socket).status
            }
            #expect(status == 204)
            #expect(try await server.value("count(many)") == 50_000)
        }
    }

    // MARK: remote write

    @Test func `remote write is taken, and its stale markers end series`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            func write(_ value: Double) async throws -> LoopbackAnswer {
                var body = RemoteWriteBody()
                let now = Int64(Date().timeIntervalSince1970 * 1000)
                body.series([("__name__", "job_failed"), ("job", "rw")], [(value, now)])
                return try await server.client.send(
                    "POST", "/api/v1/write",
                    headers: ["Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"],
                    body: snappy(body.bytes))
            }
            #expect(try await write(1).status == 204)
            #expect(try await server.value("job_failed{job=\"rw\"}") == 1)
            #expect(await eventually { (try? await server.value("ALERTS{job=\"rw\"}")) == 1 })
            // Not in the same millisecond.
            let isEnded = try await eventually { try await write(StaleMarker.value).status == 204 }
            #expect(isEnded)
            #expect(try await server.value("job_failed{job=\"rw\"}") == nil)
        }
    }

    @Test func `remote write that is none is refused`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            func status(_ headers: [String: String], _ body: [UInt8]) async throws -> Int {
                try await server.client.send("POST", "/api/v1/write", headers: headers, body: body).status
            }
            let right = ["Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"]
            #expect(try await status(right, [0xFF, 0xFF, 0xFF]) == 400)
            #expect(try await status(right, snappy([0x0A, 0x7F])) == 400)
            #expect(try await status(["Content-Type": "text/plain"], []) == 415)
        }
    }
}

/// Waits on a thread for something asynchronous.
private func onThread(expecting status: Int = 200, _ operation: @escaping @Sendable () async throws -> Int) throws {
    let done = DispatchSemaphore(value: 0)
    let result = Answer()
    Task {
        result.set(try? await operation())
        done.signal()
    }
    done.wait()
    guard result.status == status else { throw POSIXError(.EBADMSG) }
}

private final class Answer: @unchecked Sendable {
    // Guarded by the semaphore: written before it is signalled, read after.
    private(set) var status: Int?
    func set(_ status: Int?) { self.status = status }
}
