import Streams
import TestKit
import Testing

@testable import Actors

@Suite struct EvaluationGateTests {
    private let gate = EvaluationGate(capacity: 2)

    @Test func `a permit is there until all are taken`() async throws {
        try await gate.acquire(patience: .zero)
        try await gate.acquire(patience: .zero)
        await #expect(throws: IngestError.saturated(retryAfter: .seconds(1))) {
            try await gate.acquire(patience: .zero)
        }
        gate.release()
        try await gate.acquire(patience: .zero)
        #expect(gate.counts.queued == 2)
        #expect((gate.counts.received, gate.counts.delivered, gate.counts.refused) == (3, 1, 1))
    }

    @Test func `who waits is served in the order of coming`() async throws {
        let gate = EvaluationGate(capacity: 1)
        try await gate.acquire(patience: .zero)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.acquire(patience: .seconds(600)) }
            gate.release()
            try await group.waitForAll()
        }
        #expect(gate.counts.queued == 1)
        #expect(gate.counts.blockedNanoseconds > 0 || gate.counts.received == 2)
    }

    @Test func `patience ends`() async throws {
        let gate = EvaluationGate(capacity: 1)
        try await gate.acquire(patience: .zero)
        await #expect(throws: IngestError.saturated(retryAfter: .seconds(1))) {
            try await gate.acquire(patience: .milliseconds(5))
        }
        #expect((gate.counts.received, gate.counts.refused, gate.counts.queued) == (1, 1, 1))
        #expect(gate.counts.blockedNanoseconds >= 5_000_000)
    }

    @Test func `a cancelled sender is told that it is over, and takes no permit with it`() async throws {
        let gate = EvaluationGate(capacity: 1)
        try await gate.acquire(patience: .zero)
        let failure = await withTaskGroup(of: IngestError?.self) { group in
            group.addTask {
                do throws(IngestError) {
                    try await gate.acquire(patience: .seconds(600))
                    return nil
                } catch {
                    return error
                }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(failure == .closed)
        gate.release()
        try await gate.acquire(patience: .zero)
        #expect(gate.counts.queued == 1)
    }

    @Test func `a closed gate refuses those who wait and those who come`() async throws {
        let gate = EvaluationGate(capacity: 1)
        try await gate.acquire(patience: .zero)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: IngestError.closed) { try await gate.acquire(patience: .seconds(600)) }
            }
            gate.close()
        }
        await #expect(throws: IngestError.closed) { try await gate.acquire(patience: .zero) }
        gate.release()
        #expect((gate.counts.received, gate.counts.delivered, gate.counts.queued) == (1, 1, 0))
    }

    @Test func `whatever many senders do, the counters add up`() async {
        let gate = EvaluationGate(capacity: 3)
        let taken = await withTaskGroup(of: Int.self) { group in
            for sender in 0..<16 {
                group.addTask {
                    var taken = 0
                    for turn in 0..<50 {
                        let patience = Duration.microseconds((sender * 7 + turn * 13) % 400)
                        do {
                            try await gate.acquire(patience: patience)
                            taken += 1
                            await Task.yield()
                            gate.release()
                        } catch {}
                    }
                    return taken
                }
            }
            return await group.reduce(0, +)
        }
        let counts = gate.counts
        #expect(counts.queued == 0)
        #expect(counts.received == UInt64(taken))
        #expect(counts.delivered == counts.received)
        #expect(counts.received + counts.refused == 800)
    }
}

@Suite struct GroupInboxTests {
    private let gate = EvaluationGate(capacity: 8)

    @Test func `what waits is merged by rule`() async throws {
        let inbox = GroupInbox()
        inbox.add([(0, .some([SeriesID(rawValue: 1)]))], at: Timestamp(milliseconds: 5), ticket: nil)
        inbox.add(
            [(0, .some([SeriesID(rawValue: 2)])), (1, .all)], at: Timestamp(milliseconds: 3), ticket: nil)
        let work = try #require(await inbox.next())
        #expect(work.dirty == [0: .some([SeriesID(rawValue: 1), SeriesID(rawValue: 2)]), 1: .all])
        #expect(work.maxTimestamp == Timestamp(milliseconds: 5))
        #expect(!work.timeIsDue)
    }

    @Test func `very many series are all series`() async throws {
        let inbox = GroupInbox()
        let some = (0..<3000).map { SeriesID(rawValue: $0) }
        let others = (3000..<6000).map { SeriesID(rawValue: $0) }
        inbox.add([(0, .some(some))], at: .distantPast, ticket: nil)
        inbox.add([(0, .some(some))], at: .distantPast, ticket: nil)
        guard case .some(let ids)? = try #require(await inbox.next()).dirty[0] else {
            Issue.record("the same series many times are no more than they are")
            return
        }
        #expect(Set(ids) == Set(some))
        inbox.add([(0, .some(some))], at: .distantPast, ticket: nil)
        inbox.add([(0, .some(others))], at: .distantPast, ticket: nil)
        #expect(try #require(await inbox.next()).dirty == [0: .all])
    }

    @Test func `a closed inbox gives permits back at once`() async throws {
        let inbox = GroupInbox()
        try await gate.acquire(patience: .seconds(1))
        inbox.close()
        inbox.add([(0, .all)], at: .distantPast, ticket: PermitTicket(groups: 1, gate: gate))
        #expect(gate.counts.queued == 0)
        #expect(gate.counts.delivered == 1)
    }

    @Test func `it wakes who waits, and ends when it is closed`() async throws {
        let inbox = GroupInbox()
        async let work = inbox.next()
        inbox.wake()
        #expect(await work?.timeIsDue == true)
        async let end = inbox.next()
        inbox.close()
        #expect(await end == nil)
    }

    @Test func `a cancelled receiver ends`() async {
        let inbox = GroupInbox()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await inbox.next() == nil }
            group.cancelAll()
            #expect(await group.next() == true)
        }
    }

    @Test func `a batch gives its permit back when the last group has evaluated it`() async throws {
        try await gate.acquire(patience: .zero)
        let ticket = PermitTicket(groups: 2, gate: gate)
        let (one, other) = (GroupInbox(), GroupInbox())
        one.add([(0, .all)], at: .distantPast, ticket: ticket)
        other.add([(0, .all)], at: .distantPast, ticket: ticket)
        for ticket in try #require(await one.next()).tickets { ticket.evaluated() }
        #expect(gate.counts.queued == 1)
        for ticket in other.drain() { ticket.evaluated() }
        #expect(gate.counts.queued == 0)
    }
}

@Suite struct DeadlineTimerTests {
    @Test func `it fires when the time has come, and again when it is set again`() async {
        let clock = ManualClock()
        let simulation = SimulatedExecutor()
        let timer = DeadlineTimer(clock: clock)
        let fired = Recorder<Timestamp>()
        let task = Task(executorPreference: simulation) { await timer.run { fired.add(clock.now()) } }
        let start = clock.now()
        timer.set(start + .seconds(10))
        simulation.run(clock, until: start + .seconds(20))
        #expect(fired.all == [start + .seconds(10)])
        timer.set(start + .seconds(40))
        simulation.run(clock, until: start + .seconds(25))
        // Earlier than what it sleeps for.
        timer.set(start + .seconds(30))
        simulation.run(clock, until: start + .seconds(100))
        #expect(fired.all == [start + .seconds(10), start + .seconds(30)])
        // Later than what it sleeps for, and then in the past.
        timer.set(start + .seconds(110))
        simulation.run(clock, until: start + .seconds(105))
        timer.set(start + .seconds(120))
        simulation.run(clock, until: start + .seconds(115))
        #expect(fired.all.count == 2)
        timer.set(start)
        simulation.run(clock, until: start + .seconds(115))
        #expect(fired.all.last == start + .seconds(115))
        task.cancel()
        simulation.runUntilIdle()
        #expect(clock.sleeperCount == 0)
    }
}
