import Synchronization

/// How many requests of a kind are worked on now; those beyond the bound are refused, since waiting ones would hold their
/// clients.
final class RunningQueries: Sendable {
    private let max: Int
    private let count = Mutex(0)

    init(max: Int) { self.max = max }

    func enter() -> Bool {
        count.withLock { count in
            guard count < max else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
