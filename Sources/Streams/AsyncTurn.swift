import DequeModule
import Synchronization

/// Lets one task at a time through a stretch of code that waits: an actor alone does not, since others enter it at each
/// `await`. First come, first served.
package final class AsyncTurn: Sendable {
    private struct State {
        var isTaken = false
        var waiters: Deque<UnsafeContinuation<Void, Never>> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Waits for the turn. It has to be ended on every way out.
    package func begin() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiters.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    package func end() {
        let next = state.withLock { state in
            let next = state.waiters.popFirst()
            if next == nil { state.isTaken = false }
            return next
        }
        next?.resume()
    }
}
