package import Streams
import Synchronization

/// A clock that a test turns by hand: time stands still between two calls of `advance`.
///
/// What sleeps on it is woken in the order of the deadlines. A task that was woken needs its turn before its next
/// sleep can be seen: `await clock.waitForSleepers(count:)` waits for that fact, without sleeping.
package final class ManualClock: WallClock {
    private struct Sleeper {
        let id: UInt64
        let deadline: Timestamp
        let continuation: UnsafeContinuation<Void, Never>
    }

    private struct Watcher {
        let id: UInt64
        let isSatisfied: @Sendable (_ sleepers: Int, _ earliest: Timestamp?) -> Bool
        let continuation: UnsafeContinuation<Void, Never>
    }

    private struct State {
        var time: Timestamp
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []
        var lastID: UInt64 = 0

        var earliest: Timestamp? { sleepers.lazy.map(\.deadline).min() }

        mutating func takeSatisfiedWatchers() -> [UnsafeContinuation<Void, Never>] {
            let (count, earliest) = (sleepers.count, earliest)
            let satisfied = watchers.filter { $0.isSatisfied(count, earliest) }
            watchers.removeAll { $0.isSatisfied(count, earliest) }
            return satisfied.map(\.continuation)
        }
    }

    private let state: Mutex<State>

    /// - Parameter start: 2026-01-01T00:00:00Z unless told otherwise.
    package init(at start: Timestamp = Timestamp(milliseconds: 1_767_225_600_000)) {
        state = Mutex(State(time: start))
    }

    package func now() -> Timestamp { state.withLock { $0.time } }

    /// How many sleep now.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// When the next one wakes.
    package var nextDeadline: Timestamp? { state.withLock { $0.earliest } }

    package func advance(by duration: Duration) { advance(to: now() + duration) }

    /// Sets the time and wakes everyone whose deadline is reached, the earliest first. Time never runs backwards.
    package func advance(to time: Timestamp) {
        let due: [Sleeper] = state.withLock { state in
            state.time = max(state.time, time)
            let now = state.time
            let due = state.sleepers.filter { $0.deadline <= now }
            state.sleepers.removeAll { $0.deadline <= now }
            return due.sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    package func sleep(until deadline: Timestamp) async throws {
        try Task.checkCancellation()
        let id = nextID()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let toResume: [UnsafeContinuation<Void, Never>] = state.withLock { state in
                    if Task.isCancelled || deadline <= state.time { return [continuation] }
                    state.sleepers.append(Sleeper(id: id, deadline: deadline, continuation: continuation))
                    return state.takeSatisfiedWatchers()
                }
                for continuation in toResume { continuation.resume() }
            }
        } onCancel: {
            let sleeper: Sleeper? = state.withLock { state in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume()
        }
        try Task.checkCancellation()
    }

    /// Returns once at least `count` tasks sleep on this clock, or when the waiting task is cancelled.
    package func waitForSleepers(count: Int) async {
        await wait { sleepers, _ in sleepers >= count }
    }

    /// Returns once someone sleeps until exactly `deadline` as the next to wake, or when the waiting task is cancelled.
    package func waitForSleeper(until deadline: Timestamp) async {
        await wait { _, earliest in earliest == deadline }
    }

    private func wait(until isSatisfied: @escaping @Sendable (Int, Timestamp?) -> Bool) async {
        let id = nextID()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let resumeNow = state.withLock { state in
                    if Task.isCancelled || isSatisfied(state.sleepers.count, state.earliest) { return true }
                    state.watchers.append(Watcher(id: id, isSatisfied: isSatisfied, continuation: continuation))
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            let watcher: Watcher? = state.withLock { state in
                guard let index = state.watchers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.watchers.remove(at: index)
            }
            watcher?.continuation.resume()
        }
    }

    private func nextID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }
}
