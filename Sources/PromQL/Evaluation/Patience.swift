/// Whether anyone still waits for a result. Work that may be long asks every now and then, within some milliseconds.
struct Patience: Sendable {
    /// So many cells are worked on between two looks: a millisecond, if each costs 15 ns.
    static let cells = 1 << 16

    let isPastDeadline: (@Sendable () -> Bool)?

    /// - Throws: `canceled` or `timedOut`.
    func check() throws(EvaluationError) {
        if Task.isCancelled { throw .canceled }
        if let isPastDeadline, isPastDeadline() { throw .timedOut }
    }

    /// `check`, once in so many calls: for steps of a loop that cost up to a microsecond.
    @inline(__always)
    func check(at index: Int) throws(EvaluationError) {
        if index & 0x1FFF == 0x1FFF { try check() }
    }

    /// Sorts as long as anyone waits.
    func sorted<Element>(
        _ elements: [Element], by areInOrder: (Element, Element) -> Bool
    ) throws(EvaluationError) -> [Element] {
        var comparisons = 0
        do {
            return try elements.sorted { left, right in
                comparisons += 1
                try check(at: comparisons)
                return areInOrder(left, right)
            }
        } catch {
            throw error as? EvaluationError ?? .canceled
        }
    }
}
