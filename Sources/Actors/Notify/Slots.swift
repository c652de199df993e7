import Synchronization

/// Lets so many tasks at a time through a stretch of code that waits; the others queue up in order.
///
/// Waiting for a slot is not cut short by cancellation: who holds one ends at once when cancelled, and so the others come
/// to theirs.
final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiters: Fifo<UnsafeContinuation<Void, Never>> = Fifo()
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        precondition(count > 0, "without a slot nothing moves")
        state = Mutex(State(free: count))
    }

    /// Waits for a slot, which has to be given back on every way out.
    func take() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isFree = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func giveBack() {
        let next = state.withLock { state in
            let next = state.waiters.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.resume()
    }
}

/// First in, first out, on one array.
struct Fifo<Element> {
    private var items: [Element] = []
    private var start = 0

    var isEmpty: Bool { start == items.count }
    var count: Int { items.count - start }

    mutating func append(_ item: Element) { items.append(item) }

    mutating func popFirst() -> Element? {
        guard start < items.count else { return nil }
        let item = items[start]
        start += 1
        // Half of it was taken: what is left moves to the front, which makes a constant number of moves for each.
        if start * 2 >= items.count {
            items.removeFirst(start)
            start = 0
        }
        return item
    }
}

extension Fifo: Sendable where Element: Sendable {}
