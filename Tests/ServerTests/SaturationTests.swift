import Glibc
import ServerKit
import Streams
import Synchronization
import TestKit
import Testing

/// A server whose rules are slow, in a process of its own, where memory can be measured.
@Suite struct SaturationTests {
    private static let writers = 4
    private static let linesPerPush = 500

    /// Pushes back to back on one connection; returns how many were answered with each status.
    private static func push(
        _ count: Int, by writer: Int, from first: Int, to server: TestServer, _ pace: Pace
    ) async throws -> [Int: Int] {
        try await server.client.talk { socket in
            var statuses: [Int: Int] = [:]
            let start = Int64(SystemTime.milliseconds)
            for push in 0..<count {
                // Each push of a writer is newer than the one before.
                let time = start - 3_000_000 + Int64(first + push)
                let body = (0..<linesPerPush).map { "load{w=\"\(writer)\",n=\"\($0)\"} \(push) \(time)\n" }.joined()
                let head =
                    "POST /api/v1/import/prometheus HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                _ = socket.write(Array((head + body).utf8))
                statuses[try LoopbackClient.answer(from: socket).status, default: 0] += 1
                pace.noteAnswer()
            }
            return statuses
        }
    }

    private static func push(
        _ count: Int, from first: Int, to server: TestServer, _ pace: Pace
    ) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: [Int: Int].self) { group in
            for writer in 0..<writers {
                group.addTask { try await push(count, by: writer, from: first, to: server, pace) }
            }
            return try await group.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
        }
    }

    @Test func `while pushes come at full speed and rules are slow, memory stays flat and every count adds up`() async {
        await #expect(processExitsWith: .success) { try await SaturationTests.saturate() }
    }

    private static func saturate() async throws {
        let pipeline = """
            name: default
            sources: [{push: {patience: 0s}}]
            rules: [{alert: High, expr: 'load{n="0"} > 1e9'}]
            routing: {route: {receiver: nobody}}
            sinks: [{name: nobody}]
            """
        var options = TestServer.Options()
        options.batchesMax = 16
        let pace = Pace(answersPerRead: 64)
        options.beforeRuleReads = { await pace.waitForRead() }
        try await TestServer.with(pipeline, options) { server async throws in
            let edge = #"{from="ingest", to="rules"}"#
            var statuses = try await push(50, from: 0, to: server, pace)
            let before = try ResidentMemory.bytes()
            statuses.merge(try await push(400, from: 50, to: server, pace)) { $0 + $1 }
            let grown = try ResidentMemory.bytes() - before
            pace.end()
            #expect(Set(statuses.keys) == [204, 503])
            let taken = statuses[204] ?? 0
            let refused = statuses[503] ?? 0
            #expect(taken + refused == 450 * writers)
            #expect(refused > taken)
            // Whoever kept the samples of all pushes, 24 bytes each, would keep 19 MB.
            #expect(grown < 10 << 20, "\(grown) bytes more after \(statuses)")
            #expect(await eventually { server.metric("tocsin_edge_queued" + edge) == 0 })
            let received = server.metric("tocsin_edge_received_total" + edge)
            #expect(received == Double(taken))
            #expect(server.metric("tocsin_edge_delivered_total" + edge) == received)
            let stored = server.metric(#"tocsin_ingest_samples_total{source="import"}"#)
            #expect(stored == Double(taken * linesPerPush))
            #expect(server.metric(#"tocsin_http_refused_total{status="503"}"#) == Double(refused))
            let notStored = server.metric(#"tocsin_ingest_refused_total{reason="saturated", source="import"}"#)
            #expect(notStored == Double(refused * linesPerPush))
        }
    }
}

/// Makes rules slower than the clients, however fast either is: one read settles all batches that wait, at most 16, and
/// comes once for so many answers.
private final class Pace: Sendable {
    private struct State {
        var answers = 0
        var reads = 0
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let answersPerRead: Int
    private let state = Mutex(State())

    init(answersPerRead: Int) { self.answersPerRead = answersPerRead }

    func noteAnswer() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.answers += 1
            guard state.answers >= (state.reads + 1) * answersPerRead, let next = state.waiters.popLast() else {
                return nil
            }
            state.reads += 1
            return next
        }
        next?.resume()
    }

    func waitForRead() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isOver { return true }
                guard state.answers >= (state.reads + 1) * answersPerRead else {
                    state.waiters.append(continuation)
                    return false
                }
                state.reads += 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// From now on rules are as fast as they are.
    func end() {
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

private enum SystemTime {
    static var milliseconds: Double { Double(time(nil)) * 1000 }
}
