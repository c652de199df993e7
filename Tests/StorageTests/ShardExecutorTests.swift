import Streams
import Synchronization
import TestKit
import Testing

@testable import Storage

/// Runs jobs on the thread that brings them, one after the other, and counts them.
private final class CountingExecutor: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isRunning = false
        var count = 0
    }
    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mine = state.withLock { state in
            state.jobs.append(job)
            state.count += 1
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard mine else { return }
        while let next = next() { next.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            if state.jobs.isEmpty {
                state.isRunning = false
                return nil
            }
            return state.jobs.removeFirst()
        }
    }
}

@Suite struct ShardExecutorTests {
    @Test func `shards run where they are told to`() async throws {
        let executors = [CountingExecutor(), CountingExecutor()]
        let store = SeriesStore(shardCount: 2, executors: executors)
        let clock = ManualClock()
        let ingest = StoreIngest(store, clock: clock, listener: nil, telemetry: Telemetry())
        let ids = try await ingest.intern((0..<100).map { ["i": "\($0)"] })
        var batch = SampleBatch()
        for id in ids { batch.append(id, at: clock.now().milliseconds, 1) }
        try await ingest.submit(batch, from: "test", patience: .zero)
        let block = try await store.select(SelectRequest(matchers: [], start: clock.now(), end: clock.now()))
        #expect(block.count == 100)
        #expect(executors.allSatisfy { $0.count > 0 })
    }
}
