import Foundation
import TestKit
import Testing

/// Input as large as it may be, and larger: the built program takes or refuses it in bounded memory and goes on.
@Suite(.serialized) struct LargeInputTests {
    private static let pipeline = """
        name: default
        sources: [{push: {}}]
        rules: [{alert: TrainingJobFailed, expr: 'training_job_status{status="failed"} == 1'}]
        routing: {route: {receiver: nobody}}
        sinks: [{name: nobody}]
        """

    /// A tenth where the program is not optimised: it would take minutes.
    private static let seriesCount = _isDebugAssertConfiguration() ? 100_000 : 1_000_000

    private static func lines(_ range: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count * 24)
        for number in range { text += "many{n=\"\(number)\"} 1\n".utf8 }
        return text
    }

    /// On a connection that could go on: the server reads to the end of a body that it has refused.
    private static func send(
        _ client: LoopbackClient, _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8]
    ) async throws -> LoopbackAnswer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if headers["Transfer-Encoding"] == nil { head += "Content-Length: \(body.count)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + body
        return try await client.talk { socket in
            _ = socket.write(bytes)
            return try LoopbackClient.answer(from: socket)
        }
    }

    @Test func `a million series are taken in bounded memory, as a stream and as one push`()
        async throws
    {
        let tocsin = try TocsinProcess(Self.pipeline, in: TemporaryFolder())
        let client = try await tocsin.client()
        // In chunks, as they come.
        let streamed = try await client.talk { socket in
            let head = "POST /api/v1/import/prometheus HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            _ = socket.write(Array(head.utf8))
            for part in 0..<(Self.seriesCount / 10_000) {
                let bytes = Self.lines(part * 10_000..<(part + 1) * 10_000)
                _ = socket.write(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10])
            }
            _ = socket.write(Array("0\r\n\r\n".utf8))
            return try LoopbackClient.answer(from: socket).status
        }
        #expect(streamed == 204)
        let afterStream = try ResidentMemory.peak(of: tocsin.pid)
        #expect(afterStream < 600 << 20)
        #expect(try await client.get("/api/v1/query?query=count(many)").text.contains("\"\(Self.seriesCount)\""))
        // As one push to a group.
        let pushed = try await Self.send(client, "PUT", "/metrics/job/big", body: Self.lines(0..<Self.seriesCount))
        #expect(pushed.status == 200)
        #expect(try ResidentMemory.peak(of: tocsin.pid) < 1400 << 20)
        #expect(try await client.get("/-/healthy").status == 200)
    }

    @Test func `a label of 100 MB is refused in bounded memory, pushed or streamed`() async throws {
        let tocsin = try TocsinProcess(Self.pipeline, in: TemporaryFolder())
        let client = try await tocsin.client()
        let body = Array("x{label=\"".utf8) + [UInt8](repeating: 0x61, count: 100 << 20) + Array("\"} 1\n".utf8)
        #expect(try await Self.send(client, "PUT", "/metrics/job/a", body: body).status == 413)
        let streamed = try await Self.send(client, "POST", "/api/v1/import/prometheus", body: body)
        #expect(streamed.status == 400)
        #expect(streamed.text.contains("line 1"))
        #expect(try ResidentMemory.peak(of: tocsin.pid) < 250 << 20)
        let metrics = try await client.get("/metrics").text
        #expect(metrics.contains("tocsin_http_refused_total{status=\"413\"} 1"))
        #expect(metrics.contains("tocsin_http_refused_total{status=\"400\"} 1"))
        #expect(try await client.send("PUT", "/metrics/job/a", text: "x 1\n").status == 200)
        #expect(await tocsin.terminate() == 0)
    }

    @Test func `bombs are refused in bounded memory: gzip, in chunks or not, and snappy that lies`() async throws {
        let tocsin = try TocsinProcess(Self.pipeline, in: TemporaryFolder())
        let client = try await tocsin.client()
        let bomb = try await TestProcess.output("sh", ["-c", "head -c 300000000 /dev/zero | gzip -9"])
        let gzip = ["Content-Encoding": "gzip"]
        #expect(try await Self.send(client, "PUT", "/metrics/job/a", headers: gzip, body: bomb).status == 413)
        let chunked =
            Array("\(String(bomb.count, radix: 16))\r\n".utf8) + bomb + Array("\r\n0\r\n\r\n".utf8)
        let headers = gzip.merging(["Transfer-Encoding": "chunked"]) { $1 }
        #expect(try await Self.send(client, "PUT", "/metrics/job/a", headers: headers, body: chunked).status == 413)
        #expect(
            try await Self.send(client, "POST", "/api/v1/import/prometheus", headers: headers, body: chunked).status
                == 400)
        // A snappy block that says it holds 4 GB.
        let write = ["Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"]
        let lie: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00, 0x61]
        let refused = try await Self.send(client, "POST", "/api/v1/write", headers: write, body: lie)
        #expect((400..<500).contains(refused.status))
        #expect(try ResidentMemory.peak(of: tocsin.pid) < 300 << 20)
        #expect(try await client.get("/-/healthy").status == 200)
        #expect(await tocsin.terminate() == 0)
    }
}
