import Streams
import Synchronization

/// One deadline that may be moved at any time; calls `fire` when it has passed.
///
/// Moving it later costs a lock: the sleeper wakes at the old time, sees the new one and sleeps on. Only a move to an
/// earlier time wakes it.
final class DeadlineTimer: Sendable {
    private struct State {
        var deadline = Timestamp.distantFuture
        var sleepingUntil: Timestamp?
        var rearmed: UnsafeContinuation<Void, Never>?
        var isStale = false
    }

    private let clock: any WallClock
    private let state = Mutex(State())

    init(clock: any WallClock) { self.clock = clock }

    func set(_ deadline: Timestamp) {
        let waiter: UnsafeContinuation<Void, Never>? = state.withLock { state in
            state.deadline = deadline
            guard let until = state.sleepingUntil, deadline < until else { return nil }
            state.isStale = true
            defer { state.rearmed = nil }
            return state.rearmed
        }
        waiter?.resume()
    }

    /// Runs until cancelled. After `fire` the deadline is in the distant future until it is set again.
    func run(_ fire: @escaping @Sendable () async -> Void) async {
        while !Task.isCancelled {
            let now = clock.now()
            let (due, until) = state.withLock { state -> (Bool, Timestamp) in
                if state.deadline <= now {
                    state.deadline = .distantFuture
                    return (true, now)
                }
                state.sleepingUntil = state.deadline
                state.isStale = false
                return (false, state.deadline)
            }
            if due {
                await fire()
                continue
            }
            await withTaskGroup(of: Void.self) { group in
                // Cancelled: an earlier deadline was set, or the timer ends; either way the loop looks again.
                group.addTask { [clock] in try? await clock.sleep(until: until) }
                group.addTask { await self.waitForRearming() }
                await group.next()
                group.cancelAll()
            }
            state.withLock { $0.sleepingUntil = nil }
        }
    }

    private func waitForRearming() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let ready = state.withLock { state in
                    if state.isStale || Task.isCancelled { return true }
                    state.rearmed = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.rearmed = nil }
                return state.rearmed
            }
            waiter?.resume()
        }
    }
}
