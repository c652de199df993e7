import Streams
import Synchronization

/// One reader of the alert stream. One task reads it; it ends when it is let go.
package final class AlertStreamSubscription: Sendable {
    /// Where reading goes on.
    struct Cursor: Sendable {
        /// The number of the next event.
        var next: UInt64
        /// What came before is not known.
        var isLost: Bool
    }

    private static let sliceCount = 256

    private enum Look {
        case missed(UInt64?, until: UInt64)
        case events([AlertTransition], from: UInt64)
        case nothing
        case ended
    }

    private let hub: AlertStreamHub
    private let id: UInt64
    private let matchers: [Matcher]
    private let cursor: Mutex<Cursor>

    init(_ hub: AlertStreamHub, id: UInt64, matchers: [Matcher], cursor: Cursor) {
        self.hub = hub
        self.id = id
        self.matchers = matchers
        self.cursor = Mutex(cursor)
    }

    deinit { hub.unsubscribe() }

    /// The next event; nil once the hub is closed and everything read, or when the task is cancelled.
    package func next() async -> AlertStreamItem? {
        while !Task.isCancelled {
            switch look() {
            case .ended: return nil
            case .missed(let count, let until):
                hub.missed.add(Double(count ?? 0))
                return .missed(id: hub.id(until), count: count)
            case .events(let events, let first):
                guard let index = events.firstIndex(where: { matchers.accept($0.labels) }) else {
                    moveTo(first + UInt64(events.count))
                    continue
                }
                let number = first + UInt64(index)
                moveTo(number + 1)
                return .transition(id: hub.id(number), events[index])
            case .nothing: await waitForEvents()
            }
        }
        return nil
    }

    private func moveTo(_ number: UInt64) { cursor.withLock { $0.next = number } }

    /// What lies ahead. Matchers are tried on a copy, so that nobody waits for them.
    private func look() -> Look {
        cursor.withLock { cursor in
            hub.state.withLock { state in
                let oldest = state.oldest
                if cursor.isLost || cursor.next < oldest {
                    let count = cursor.isLost ? nil : oldest - cursor.next
                    cursor = Cursor(next: oldest, isLost: false)
                    return .missed(count, until: oldest - 1)
                }
                guard cursor.next < state.next else { return state.isClosed ? .ended : .nothing }
                let end = min(state.next, cursor.next + UInt64(Self.sliceCount))
                let events = (cursor.next..<end).map { state.ring[Int(($0 - 1) % UInt64(hub.capacity))] }
                return .events(events, from: cursor.next)
            }
        }
    }

    private func waitForEvents() async {
        let position = cursor.withLock { $0.next }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let resumeNow = hub.state.withLock { state in
                    if state.isClosed || Task.isCancelled || position < state.next { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            hub.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
