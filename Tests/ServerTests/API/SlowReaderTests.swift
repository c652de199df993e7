import Foundation
import Server
import ServerKit
import Streams
import TestKit
import Testing

/// Clients that do not read what they asked for, or go on sending what nobody wants.
@Suite struct SlowReaderTests {
    private static let values = "/api/v1/label/n/values"
    private static let series = "/api/v1/series?match[]=wide"

    /// Names so long that their list does not fit into what the system keeps for a connection.
    private static func withWideSeries(
        _ options: TestServer.Options, _ test: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.with(pushPipeline, options) { server async throws in
            let filler = String(repeating: "x", count: 2000)
            for part in 0..<40 {
                let lines = (0..<200).map { "wide{n=\"\(part)-\($0)-\(filler)\"} 1\n" }.joined()
                #expect(try await server.client.send("POST", "/api/v1/import/prometheus", text: lines).status == 204)
            }
            try await test(server)
        }
    }

    /// Asks, and reads nothing until `isDone`.
    private static func ask(_ path: String, _ server: TestServer, until isDone: DispatchSemaphore) async throws {
        try await server.client.talk { socket throws in
            _ = socket.write(Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            isDone.wait()
        }
    }

    @Test func `while others do not read large answers, the next one is refused`() async throws {
        var options = TestServer.Options()
        options.queries.answersBytesMax = 40 << 20
        try await Self.withWideSeries(options) { server async throws in
            let isDone = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group async throws in
                defer { for _ in 0..<2 { isDone.signal() } }
                for _ in 0..<2 { group.addTask { try await Self.ask(Self.values, server, until: isDone) } }
                #expect(await eventually { server.metric("tocsin_query_answers_bytes") ?? 0 > 30e6 })
                for path in [Self.values, Self.series, "/api/v1/query?query=count(wide)%20by(n)"] {
                    let refused = try await server.client.get(path)
                    #expect(refused.status == 503, "\(path)")
                    #expect(try refused.json()["errorType"] as? String == "unavailable")
                    #expect(refused.headers["retry-after"] != nil)
                }
                #expect(server.metric("tocsin_query_answers_refused_total") == 3)
                #expect(try await server.client.get("/api/v1/query?query=1").status == 200)
            }
            #expect(await eventually { server.metric("tocsin_query_answers_bytes") == 0 })
            #expect(try await server.client.get(Self.values).status == 200)
        }
    }

    @Test func `an answer for which there can never be room says so`() async throws {
        var options = TestServer.Options()
        options.queries.answersBytesMax = 1 << 20
        try await Self.withWideSeries(options) { server async throws in
            let refused = try await server.client.get(Self.series)
            #expect(refused.status == 422)
            #expect(try refused.json()["errorType"] as? String == "execution")
            #expect(refused.text.contains("--query.max-answer-memory"))
            #expect(server.metric("tocsin_query_answers_bytes") == 0)
        }
    }

    @Test func `a client that reads nothing for a time is cut off`() async throws {
        var options = TestServer.Options()
        options.writeDeadline = .milliseconds(400)
        try await Self.withWideSeries(options) { server async throws in
            let isDone = DispatchSemaphore(value: 0)
            await withThrowingTaskGroup(of: Void.self) { group in
                defer { isDone.signal() }
                group.addTask { try await Self.ask(Self.values, server, until: isDone) }
                #expect(await eventually { server.metric("tocsin_http_stalled_total") == 1 })
                #expect(await eventually { server.metric("tocsin_query_answers_bytes") == 0 })
            }
        }
    }

    @Test func `a body that comes while the request before is answered is no rest of that one`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            try await server.client.talk { socket throws in
                let ask = "GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n"
                let push = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
                #expect(socket.write(Array((ask + push + "model").utf8)))
                #expect(try LoopbackClient.answer(from: socket).status == 200)
                #expect(socket.write(Array("_x 1\n".utf8)))
                #expect(try LoopbackClient.answer(from: socket).status == 200)
            }
            #expect(try await server.value("model_x") == 1)
        }
    }

    @Test func `a client that goes on sending after an early answer is cut off soon`() async throws {
        var options = TestServer.Options()
        options.lingerTime = .milliseconds(200)
        try await TestServer.with(pushPipeline, options) { server async throws in
            for connection in ["close", "keep-alive"] {
                try await server.client.talk { socket throws in
                    let head =
                        "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nConnection: \(connection)\r\n"
                        + "Content-Length: 1000000000\r\n\r\n"
                    #expect(socket.write(Array(head.utf8)))
                    #expect(try LoopbackClient.answer(from: socket).status == 413)
                    // Far below the 60 s that the body has, or for ever.
                    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1000)
                    let deadline = Date().addingTimeInterval(40)
                    while socket.write(piece), Date() < deadline { sched_yield() }
                    #expect(Date() < deadline)
                }
            }
            // Who stops sending goes on with the connection.
            try await server.client.talk { socket throws in
                let body = String(repeating: "x", count: 1_100_000)
                let head = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                #expect(socket.write(Array((head + body).utf8)))
                #expect(try LoopbackClient.answer(from: socket).status == 413)
                #expect(socket.write(Array("GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n".utf8)))
                #expect(try LoopbackClient.answer(from: socket).status == 200)
            }
        }
    }
}
