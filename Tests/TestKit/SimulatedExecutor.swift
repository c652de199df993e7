package import Streams
import Synchronization

/// Runs tasks on the thread of the test, one job after another, so that "everything has come to rest" is a fact that can
/// be waited for: then the clock is turned to the next deadline, and so on.
///
///     let simulation = SimulatedExecutor()
///     let task = Task(executorPreference: simulation) { await operator.run() }
///     simulation.run(clock, until: clock.now() + .seconds(60))
package final class SimulatedExecutor: TaskExecutor {
    private struct State {
        var ready: [UnownedJob] = []
        /// Zero: jobs run in the order in which they became ready.
        var seed: UInt64
    }

    private let state: Mutex<State>

    /// - Parameter seed: picks the next job at random, so that other orders are tried as well; the same one always the
    ///   same way. Nil: in order.
    package init(seed: UInt64? = nil) { state = Mutex(State(seed: seed ?? 0)) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.ready.append(job) }
    }

    /// Runs until nothing is ready any more.
    package func runUntilIdle() {
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// Runs everything that is ready, then what wakes up, up to and including that time; the clock then stands there.
    package func run(_ clock: ManualClock, until end: Timestamp) {
        runUntilIdle()
        while let deadline = clock.nextDeadline, deadline <= end {
            clock.advance(to: deadline)
            runUntilIdle()
        }
        clock.advance(to: end)
        runUntilIdle()
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.ready.isEmpty else { return nil }
            guard state.seed != 0 else { return state.ready.removeFirst() }
            // SplitMix64.
            state.seed &+= 0x9E37_79B9_7F4A_7C15
            var bits = state.seed
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            let index = Int((bits ^ (bits >> 31)) % UInt64(state.ready.count))
            return state.ready.remove(at: index)
        }
    }
}
