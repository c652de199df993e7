internal import Streams
internal import Synchronization

/// The time of one test: that of the evaluation under way. Nobody waits for it.
final class RuleTestClock: WallClock {
    private let time: Mutex<Timestamp>

    init(_ start: Timestamp) { time = Mutex(start) }

    func set(_ now: Timestamp) { time.withLock { $0 = now } }

    func now() -> Timestamp { time.withLock { $0 } }

    /// Returns at once where the time is past, and otherwise when the task is cancelled: time moves between evaluations
    /// only, and these do not wait.
    func sleep(until deadline: Timestamp) async throws {
        if deadline > now() { await Latch().wait() }
        try Task.checkCancellation()
    }
}
