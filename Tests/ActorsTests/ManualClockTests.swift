import Streams
import TestKit
import Testing

@Suite struct ManualClockTests {
    @Test func `a sleeper wakes when its time has come, not before`() async throws {
        let clock = ManualClock()
        let start = clock.now()
        async let woken: Timestamp = {
            try await clock.sleep(for: .seconds(10))
            return clock.now()
        }()
        await clock.waitForSleepers(count: 1)
        #expect(clock.nextDeadline == start + .seconds(10))
        clock.advance(by: .seconds(9))
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .seconds(1))
        #expect(try await woken == start + .seconds(10))
    }

    @Test func `a cancelled sleeper ends at once`() async {
        let clock = ManualClock()
        let ended = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await clock.sleep(for: .seconds(10))
                    return false
                } catch {
                    return error is CancellationError
                }
            }
            await clock.waitForSleepers(count: 1)
            group.cancelAll()
            return await group.next() ?? false
        }
        #expect(ended)
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a deadline in the past does not sleep`() async throws {
        let clock = ManualClock()
        try await clock.sleep(until: clock.now())
    }
}
