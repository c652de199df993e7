import DequeModule
import Synchronization

/// A bounded channel between two operators, measured in elements and bytes: `send` waits while it is full, closing it
/// lets the receiver empty it. Many may send; one receives.
///
/// An element here is a batch, never a single sample: a wake-up costs microseconds.
package final class Edge<Element: Sendable>: Sendable {
    package struct Capacity: Sendable, Equatable {
        package var elements: Int
        package var bytes: Int
        package init(elements: Int, bytes: Int = .max) {
            self.elements = elements
            self.bytes = bytes
        }
    }

    /// Why an element was not taken.
    package enum SendError: Error, Sendable, Equatable {
        case closed
        /// There was no room in time; the element was not taken and is counted as refused.
        case full
        case cancelled
    }

    package struct Counts: Sendable, Equatable {
        package var received: UInt64 = 0
        package var delivered: UInt64 = 0
        package var refused: UInt64 = 0
        package var queued = 0
        package var queuedBytes = 0
        package var blockedNanoseconds: UInt64 = 0
    }

    private struct Waiter {
        let id: UInt64
        let continuation: UnsafeContinuation<Void, Never>
    }

    private enum SendOutcome { case sent(Waiter?), closed, wait(UInt64) }
    private enum ReceiveOutcome { case got([Element], [Waiter]), ended, wait(UInt64) }

    private struct State {
        var queue: Deque<(element: Element, bytes: Int)> = []
        var counts = Counts()
        var closed = false
        var receiver: Waiter?
        var senders: Deque<Waiter> = []
        var nextWaiter: UInt64 = 0

        mutating func waiterID() -> UInt64 {
            nextWaiter += 1
            return nextWaiter
        }

        /// Takes out who has to be woken because something changed: the first sender when there is room, everyone at the end.
        mutating func sendersToWake(_ capacity: Capacity) -> [Waiter] {
            if closed {
                defer { senders.removeAll() }
                return Array(senders)
            }
            guard hasRoom(capacity), let first = senders.popFirst() else { return [] }
            return [first]
        }

        func hasRoom(_ capacity: Capacity) -> Bool {
            queue.count < capacity.elements && (queue.isEmpty || counts.queuedBytes < capacity.bytes)
        }
    }

    package let name: EdgeName
    package let capacity: Capacity
    private let state = Mutex(State())

    package init(_ name: EdgeName, capacity: Capacity) {
        precondition(capacity.elements > 0, "an edge without room never moves")
        self.name = name
        self.capacity = capacity
    }

    package var counts: Counts { state.withLock { $0.counts } }
    package var isClosed: Bool { state.withLock { $0.closed } }

    /// Takes the element if there is room now.
    package func trySend(_ element: Element, bytes: Int = 0) throws(SendError) {
        let outcome: Result<Waiter?, SendError> = state.withLock { state in
            if state.closed { return .failure(.closed) }
            guard state.hasRoom(capacity), state.senders.isEmpty else {
                state.counts.refused += 1
                return .failure(.full)
            }
            return .success(Self.enqueue(element, bytes, &state))
        }
        try outcome.get()?.continuation.resume()
    }

    private static func enqueue(_ element: Element, _ bytes: Int, _ state: inout State) -> Waiter? {
        state.queue.append((element, bytes))
        state.counts.received += 1
        state.counts.queued += 1
        state.counts.queuedBytes += bytes
        defer { state.receiver = nil }
        return state.receiver
    }

    /// Waits while the edge is full.
    package func send(
        _ element: Element, bytes: Int = 0, isolation: isolated (any Actor)? = #isolation
    ) async throws(SendError) {
        var blockedSince: ContinuousClock.Instant?
        var queuedBefore = false
        while true {
            let before = queuedBefore
            let outcome: SendOutcome = state.withLock { state in
                if state.closed { return .closed }
                if state.hasRoom(capacity), before || state.senders.isEmpty {
                    return .sent(Self.enqueue(element, bytes, &state))
                }
                return .wait(state.waiterID())
            }
            switch outcome {
            case .sent(let receiver):
                receiver?.continuation.resume()
                if let blockedSince { noteBlocked(since: blockedSince) }
                // Room may be left for the next in line.
                wake(state.withLock { $0.sendersToWake(capacity) })
                return
            case .closed:
                if let blockedSince { noteBlocked(since: blockedSince) }
                throw .closed
            case .wait(let id):
                if Task.isCancelled { throw .cancelled }
                blockedSince = blockedSince ?? ContinuousClock().now
                await withTaskCancellationHandler {
                    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                        let resumeNow = state.withLock { state in
                            if state.closed || Task.isCancelled
                                || (state.hasRoom(capacity) && (before || state.senders.isEmpty))
                            {
                                return true
                            }
                            let waiter = Waiter(id: id, continuation: continuation)
                            // Who was first in line stays first.
                            if before { state.senders.prepend(waiter) } else { state.senders.append(waiter) }
                            return false
                        }
                        if resumeNow { continuation.resume() }
                    }
                } onCancel: {
                    removeSender(id)
                }
                if Task.isCancelled {
                    if let blockedSince { noteBlocked(since: blockedSince) }
                    wake(state.withLock { $0.sendersToWake(capacity) })
                    throw .cancelled
                }
                queuedBefore = true
            }
        }
    }

    private func removeSender(_ id: UInt64) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.senders.firstIndex(where: { $0.id == id }) else { return nil }
            return state.senders.remove(at: index)
        }
        waiter?.continuation.resume()
    }

    private func wake(_ waiters: [Waiter]) {
        for waiter in waiters { waiter.continuation.resume() }
    }

    private func noteBlocked(since start: ContinuousClock.Instant) {
        let waited = start.duration(to: ContinuousClock().now).components
        let nanoseconds =
            UInt64(max(0, waited.seconds)) * 1_000_000_000 + UInt64(max(0, waited.attoseconds / 1_000_000_000))
        state.withLock { $0.counts.blockedNanoseconds += nanoseconds }
    }

    /// The next element; nil once the edge is closed and empty, or when the task is cancelled.
    package func receive(isolation: isolated (any Actor)? = #isolation) async -> Element? {
        await receiveAll(max: 1)?.first
    }

    /// Everything that waits, at most `max`, at least one; nil once the edge is closed and empty, or when cancelled.
    package func receiveAll(max: Int = .max, isolation: isolated (any Actor)? = #isolation) async -> [Element]? {
        while true {
            let outcome: ReceiveOutcome = state.withLock { state in
                if state.queue.isEmpty { return state.closed ? .ended : .wait(state.waiterID()) }
                let count = min(max, state.queue.count)
                var taken: [Element] = []
                taken.reserveCapacity(count)
                for _ in 0..<count {
                    let (element, bytes) = state.queue.removeFirst()
                    state.counts.queuedBytes -= bytes
                    taken.append(element)
                }
                state.counts.queued -= count
                state.counts.delivered += UInt64(count)
                return .got(taken, state.sendersToWake(capacity))
            }
            switch outcome {
            case .got(let elements, let waiters):
                wake(waiters)
                return elements
            case .ended:
                return nil
            case .wait(let id):
                await withTaskCancellationHandler {
                    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                        let resumeNow = state.withLock { state in
                            if state.closed || Task.isCancelled || !state.queue.isEmpty { return true }
                            precondition(state.receiver == nil, "an edge has one receiver")
                            state.receiver = Waiter(id: id, continuation: continuation)
                            return false
                        }
                        if resumeNow { continuation.resume() }
                    }
                } onCancel: {
                    let waiter: Waiter? = state.withLock { state in
                        guard state.receiver?.id == id else { return nil }
                        defer { state.receiver = nil }
                        return state.receiver
                    }
                    waiter?.continuation.resume()
                }
                if Task.isCancelled { return nil }
            }
        }
    }

    /// Takes no more; what is held can still be received. Waiting senders are told.
    package func close() {
        let waiters: [Waiter] = state.withLock { state in
            state.closed = true
            var waiters = state.sendersToWake(capacity)
            if let receiver = state.receiver { waiters.append(receiver) }
            state.receiver = nil
            return waiters
        }
        wake(waiters)
    }
}

/// Where an edge lies in the graph: the labels of its metrics.
package struct EdgeName: Hashable, Sendable {
    package var pipeline: String
    package var from: String
    package var to: String
    package init(pipeline: String, from: String, to: String) {
        self.pipeline = pipeline
        self.from = from
        self.to = to
    }
}
