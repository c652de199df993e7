import Streams
import Synchronization

/// What waits for a rule group: which of its rules have new input, and whose permits hang on it.
///
/// It merges instead of queueing: a rule is dirty or it is not, so it holds no more than its group has rules, and how
/// many batches may be merged in it is bounded by the permits of the `EvaluationGate`.
final class GroupInbox: Sendable {
    struct Work: Sendable {
        /// By the rule's place in its group.
        var dirty: [Int: Touched.Series] = [:]
        var tickets: [PermitTicket] = []
        /// The newest sample among the batches.
        var maxTimestamp = Timestamp.distantPast
        /// A deadline has passed, or the group was asked to evaluate everything.
        var timeIsDue = false

        var isEmpty: Bool { dirty.isEmpty && tickets.isEmpty && !timeIsDue }
    }

    /// Beyond so many series it's cheaper to look at all of them.
    private static let seriesMax = 4096

    private struct State {
        var work = Work()
        var receiver: UnsafeContinuation<Void, Never>?
        var closed = false
    }

    private let state = Mutex(State())

    /// Notes new input for rules of the group. Never waits.
    func add(_ dirty: [(rule: Int, series: Touched.Series)], at maxTimestamp: Timestamp, ticket: PermitTicket?) {
        let isTaken = update { work in
            for (rule, series) in dirty {
                work.dirty[rule] = work.dirty[rule].map { Self.merged($0, series) } ?? series
            }
            work.maxTimestamp = max(work.maxTimestamp, maxTimestamp)
            if let ticket { work.tickets.append(ticket) }
        }
        // The group is over; its successor looks at everything when it begins.
        if !isTaken { ticket?.evaluated() }
    }

    /// Time has come for something.
    func wake() { update { $0.timeIsDue = true } }

    /// - Returns: false when the inbox is closed; then nothing was changed.
    @discardableResult
    private func update(_ change: (inout Work) -> Void) -> Bool {
        let (isTaken, receiver) = state.withLock { state -> (Bool, UnsafeContinuation<Void, Never>?) in
            if state.closed { return (false, nil) }
            change(&state.work)
            defer { state.receiver = nil }
            return (true, state.receiver)
        }
        receiver?.resume()
        return isTaken
    }

    static func merged(_ left: Touched.Series, _ right: Touched.Series) -> Touched.Series {
        guard case .some(let first) = left, case .some(let second) = right else { return .all }
        let both = first + second
        if both.count <= seriesMax { return .some(both) }
        let distinct = Set(both)
        return distinct.count <= seriesMax ? .some(Array(distinct)) : .all
    }

    /// Everything that waits, as soon as something does; nil when closed and empty, or when the task is cancelled.
    func next() async -> Work? {
        while true {
            let (work, closed) = state.withLock { state in
                defer { state.work = Work() }
                return (state.work, state.closed)
            }
            if !work.isEmpty { return work }
            if closed || Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                    let ready = state.withLock { state in
                        if !state.work.isEmpty || state.closed || Task.isCancelled { return true }
                        precondition(state.receiver == nil, "a group has one task that evaluates it")
                        state.receiver = continuation
                        return false
                    }
                    if ready { continuation.resume() }
                }
            } onCancel: {
                resumeReceiver()
            }
        }
    }

    /// Takes what waits without waiting; for the end, so that no permit is lost.
    func drain() -> [PermitTicket] {
        state.withLock { state in
            defer { state.work = Work() }
            return state.work.tickets
        }
    }

    /// What is held can still be taken; then `next` ends.
    func close() {
        state.withLock { $0.closed = true }
        resumeReceiver()
    }

    private func resumeReceiver() {
        let receiver = state.withLock { state in
            defer { state.receiver = nil }
            return state.receiver
        }
        receiver?.resume()
    }
}

/// A batch's permit, shared by the groups that it touches: given back when the last of them has evaluated it.
final class PermitTicket: Sendable {
    private let remaining: Atomic<Int>
    private let gate: EvaluationGate

    init(groups: Int, gate: EvaluationGate) {
        remaining = Atomic(groups)
        self.gate = gate
    }

    func evaluated() {
        if remaining.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { gate.release() }
    }
}
