import DequeModule
import Synchronization

/// Lets so many queries in at a time; others wait in a bounded queue, first come, first served.
final class QueryGate: Sendable {
    private struct State {
        var running = 0
        var waiting: Deque<(id: UInt64, continuation: UnsafeContinuation<Bool, Never>)> = []
        var nextID: UInt64 = 0
    }

    private let runningMax: Int
    private let waitingMax: Int
    private let state = Mutex(State())

    init(runningMax: Int, waitingMax: Int) {
        self.runningMax = max(1, runningMax)
        self.waitingMax = waitingMax
    }

    /// The queue is full.
    struct Full: Error {}

    /// How many queries run, and how many wait.
    var counts: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting.count) } }

    /// Gets in if nobody has to be waited for.
    func enterAtOnce() -> Bool {
        state.withLock { state in
            guard state.running < runningMax else { return false }
            state.running += 1
            return true
        }
    }

    /// Waits for the turn. False: the task was cancelled first. What got in has to `leave`.
    func enter() async throws(Full) -> Bool {
        enum Way { case now(Bool), full, wait }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let way = state.withLock { state -> Way in
            if Task.isCancelled { return .now(false) }
            if state.running < runningMax {
                state.running += 1
                return .now(true)
            }
            return state.waiting.count < waitingMax ? .wait : .full
        }
        switch way {
        case .now(let isIn): return isIn
        case .full: throw Full()
        case .wait: return await wait(id)
        }
    }

    private func wait(_ id: UInt64) async -> Bool {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
                let isIn = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if state.running < runningMax {
                        state.running += 1
                        return true
                    }
                    state.waiting.append((id, continuation))
                    return nil
                }
                if let isIn { continuation.resume(returning: isIn) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
            }
            waiter?.resume(returning: false)
        }
    }

    func leave() {
        let next = state.withLock { state in
            // The place passes to the next one.
            if let next = state.waiting.popFirst() { return next.continuation as UnsafeContinuation<Bool, Never>? }
            state.running -= 1
            return nil
        }
        next?.resume(returning: true)
    }
}
