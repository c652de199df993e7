import ServerKit
import Streams
import Synchronization
import TestKit
import Testing

/// Holds the rules back until it is opened.
private final class Slowness: Sendable {
    private let latch = Latch()
    let reads = Mutex(0)

    @Sendable func wait() async {
        reads.withLock { $0 += 1 }
        await latch.wait()
    }

    func end() { latch.open() }
}

private final class Highest: Sendable {
    private let state = Mutex(0.0)
    func note(_ value: Double) { state.withLock { $0 = max($0, value) } }
    var value: Double { state.withLock { $0 } }
}

@Suite struct BackPressureTests {
    /// The gateway tells pushed groups again each `refresh_interval`, which is a batch like those that are counted here.
    private static let pipeline = pushPipeline.replacing(
        "{patience: 200ms,", with: "{patience: 200ms, refresh_interval: 24h,")
    private static let edge = #"{from="ingest", to="rules"}"#

    @Test func `while the rules are slow, pushes wait, then are refused whole, and what was taken is evaluated`()
        async throws
    {
        let slowness = Slowness()
        var options = TestServer.Options()
        options.batchesMax = 4
        options.beforeRuleReads = slowness.wait
        try await TestServer.with(Self.pipeline, options) { server async throws in
            let count = 24
            let answers = try await withThrowingTaskGroup(of: (Int, LoopbackAnswer).self) { group in
                for job in 0..<count {
                    group.addTask {
                        (job, try await server.client.send("PUT", "/metrics/job/\(job)", text: "job_failed 1\n"))
                    }
                }
                return try await group.reduce(into: [Int: LoopbackAnswer]()) { $0[$1.0] = $1.1 }
            }
            let taken = Set(answers.filter { $0.value.status == 200 }.keys)
            let refused = answers.filter { $0.value.status == 503 }
            #expect(taken.count == 4)
            #expect(refused.count == count - 4)
            #expect(refused.allSatisfy { $0.value.headers["retry-after"] == "1" })
            // Nothing of a refused push was applied, though nobody has evaluated anything yet.
            for job in 0..<count {
                let value = try await server.value("job_failed{job=\"\(job)\"}")
                #expect((value != nil) == taken.contains(job))
            }
            #expect(server.metric("tocsin_edge_queued" + Self.edge) == 4)
            #expect(server.metric("tocsin_edge_capacity" + Self.edge) == 4)
            #expect(server.metric("tocsin_edge_delivered_total" + Self.edge) == 0)
            #expect((server.metric("tocsin_edge_blocked_seconds_total" + Self.edge) ?? 0) > 0)
            slowness.end()
            #expect(await eventually { server.metric("tocsin_edge_queued" + Self.edge) == 0 })
            let received = try #require(server.metric("tocsin_edge_received_total" + Self.edge))
            #expect(received == 4)
            #expect(server.metric("tocsin_edge_delivered_total" + Self.edge) == received)
            // Every push that was taken has been evaluated: its alert fires, and no other.
            #expect(await eventually { (try? await server.value("count(ALERTS{alertname=\"Failed\"})")) == 4 })
            for job in taken {
                #expect(try await server.value("ALERTS{job=\"\(job)\",alertstate=\"firing\"}") == 1)
            }
            let again = try await server.client.send("PUT", "/metrics/job/new", text: "job_failed 1\n")
            #expect(again.status == 200)
        }
    }

    @Test func `a client that pushes at full speed gets no further ahead than the queue is long`() async throws {
        var options = TestServer.Options()
        options.batchesMax = 3
        options.beforeRuleReads = {
            // Slow, not stopped.
            try? await Task.sleep(for: .milliseconds(5))  // tidy: a slow rule is what is tested
        }
        try await TestServer.with(Self.pipeline, options) { server async throws in
            let highest = Highest()
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        var statuses: [Int] = []
                        for push in 0..<40 {
                            let answer = try await server.client.send(
                                "POST", "/metrics/job/\(writer)", text: "job_failed \(push % 2)\n")
                            statuses.append(answer.status)
                            let queued = server.metric("tocsin_edge_queued" + Self.edge) ?? 0
                            highest.note(queued)
                        }
                        return statuses
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 })
            #expect(highest.value <= 3)
            #expect(await eventually { server.metric("tocsin_edge_queued" + Self.edge) == 0 })
            let taken = statuses.count { $0 == 200 }
            #expect(server.metric("tocsin_edge_received_total" + Self.edge) == Double(taken))
            #expect(server.metric("tocsin_edge_delivered_total" + Self.edge) == Double(taken))
        }
    }
}
