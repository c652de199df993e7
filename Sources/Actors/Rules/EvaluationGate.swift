package import Streams
import DequeModule
import Synchronization

/// Bounds how many batches may wait for the rules: the edge from ingest to the rules.
///
/// A batch takes a permit before anything of it is applied, and gives it back once every rule that it touches was
/// evaluated. Without a free permit the source waits, and is refused when its patience ends: back-pressure to the socket.
package final class EvaluationGate: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        var held = 0
        var received: UInt64 = 0
        var delivered: UInt64 = 0
        var refused: UInt64 = 0
        var blockedNanoseconds: UInt64 = 0
        var waiters: Deque<Waiter> = []
        var nextWaiter: UInt64 = 0
        /// Who gave up before standing in line.
        var abandoned: Set<UInt64> = []
        var closed = false
    }

    package struct Counts: Sendable, Equatable {
        package var received: UInt64
        package var delivered: UInt64
        package var refused: UInt64
        package var queued: Int
        package var blockedNanoseconds: UInt64
    }

    package let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int) {
        precondition(capacity > 0, "a gate without permits never opens")
        self.capacity = capacity
    }

    package var counts: Counts {
        state.withLock {
            Counts(
                received: $0.received, delivered: $0.delivered, refused: $0.refused, queued: $0.held,
                blockedNanoseconds: $0.blockedNanoseconds)
        }
    }

    /// Takes a permit, waiting at most `patience` for one.
    package func acquire(patience: Duration) async throws(IngestError) {
        enum Outcome { case taken, closed, wait(UInt64) }
        let outcome: Outcome = state.withLock { state in
            if state.closed { return .closed }
            if state.held < capacity, state.waiters.isEmpty {
                state.held += 1
                state.received += 1
                return .taken
            }
            state.nextWaiter += 1
            return .wait(state.nextWaiter)
        }
        switch outcome {
        case .taken: return
        case .closed: throw .closed
        case .wait(let id):
            guard patience > .zero else {
                state.withLock { $0.refused += 1 }
                throw .saturated(retryAfter: .seconds(1))
            }
            try await wait(id, patience: patience)
        }
    }

    private func wait(_ id: UInt64, patience: Duration) async throws(IngestError) {
        let start = ContinuousClock().now
        // The timer ends the wait by taking the waiter out of the line; it is cancelled as soon as the wait is over.
        let admitted = await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await self.line(id) }
            group.addTask {
                // Cancelled: the wait is over already.
                guard (try? await Task.sleep(for: patience)) != nil else { return nil }
                self.giveUp(id)
                return nil
            }
            var admitted = false
            for await result in group {
                guard let result else { continue }
                admitted = result
                group.cancelAll()
            }
            return admitted
        }
        let waited = start.duration(to: ContinuousClock().now).components
        let nanoseconds = UInt64(waited.seconds) * 1_000_000_000 + UInt64(waited.attoseconds / 1_000_000_000)
        let closed = state.withLock { state in
            state.blockedNanoseconds += nanoseconds
            state.abandoned.remove(id)
            if !admitted { state.refused += 1 }
            return state.closed
        }
        if admitted { return }
        throw closed || Task.isCancelled ? .closed : .saturated(retryAfter: .seconds(1))
    }

    private func line(_ id: UInt64) async -> Bool {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
                let now: Bool? = state.withLock { state in
                    if state.closed || state.abandoned.contains(id) { return false }
                    if state.held < capacity, state.waiters.isEmpty {
                        state.held += 1
                        state.received += 1
                        return true
                    }
                    state.waiters.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            giveUp(id)
        }
    }

    private func giveUp(_ id: UInt64) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.abandoned.insert(id)
                return nil
            }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }

    /// Gives a permit back: the batch that held it has been evaluated.
    package func release() {
        let next: Waiter? = state.withLock { state in
            precondition(state.held > 0, "a permit was given back twice")
            state.delivered += 1
            guard let next = state.waiters.popFirst() else {
                state.held -= 1
                return nil
            }
            state.received += 1
            return next
        }
        next?.continuation.resume(returning: true)
    }

    /// Lets nobody in from now on; who waits is refused.
    package func close() {
        let waiters = state.withLock { state in
            state.closed = true
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }
}
