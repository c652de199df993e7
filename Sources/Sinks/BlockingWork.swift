import Dispatch
import Streams
import Synchronization

/// Work that waits for a disk or for another program: on threads of its own, never on those of the cooperative pool.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "tocsin.sinks.blocking", attributes: .concurrent)

    /// Tells work that nobody waits for it any more.
    final class Cancellation: Sendable {
        private let flag = Atomic(false)
        var isRequested: Bool { flag.load(ordering: .relaxed) }
        fileprivate func request() { flag.store(true, ordering: .relaxed) }
    }

    /// Returns when the work is done, and throws `.cancelled` at once when the task is cancelled before that: the work is
    /// told and ends by itself.
    static func run(
        _ work: @escaping @Sendable (Cancellation) -> DeliveryError?
    ) async throws(DeliveryError) {
        let cancellation = Cancellation()
        let waiter = Waiter()
        let error = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard waiter.wait(continuation) else { return }
                queue.async { waiter.end(work(cancellation)) }
            }
        } onCancel: {
            cancellation.request()
            waiter.end(.cancelled)
        }
        if let error { throw error }
    }

    /// Whoever comes first, the work or the cancellation, ends the waiting.
    private final class Waiter: Sendable {
        private enum State {
            case idle
            case waiting(CheckedContinuation<DeliveryError?, Never>)
            case ended
        }

        private let state = Mutex(State.idle)

        /// False when it has ended already: then the continuation is resumed.
        func wait(_ continuation: CheckedContinuation<DeliveryError?, Never>) -> Bool {
            let isOpen = state.withLock { state in
                guard case .idle = state else { return false }
                state = .waiting(continuation)
                return true
            }
            if !isOpen { continuation.resume(returning: .cancelled) }
            return isOpen
        }

        func end(_ result: DeliveryError?) {
            let continuation = state.withLock { state -> CheckedContinuation<DeliveryError?, Never>? in
                defer { state = .ended }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            continuation?.resume(returning: result)
        }
    }
}
