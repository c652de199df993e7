import Glibc
import NIOPosix

/// The threads that queries are evaluated on. They are not those of the cooperative pool, where rules and ingestion run,
/// so a heavy query takes a share of the cores from them, as the system's scheduler deals it out, but never their turn.
final class QueryExecutor: TaskExecutor {
    private let pool: NIOThreadPool
    /// What the thread that asks is at work on, if it is one of these threads.
    private let turn = ThreadSpecificVariable<Turn>()

    /// - Parameter queriesMax: how many queries run at a time; no more threads than that are of use.
    init(queriesMax: Int) {
        // More threads than cores, so that light queries do not wait for heavy ones; the system shares the cores.
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        pool = NIOThreadPool(numberOfThreads: max(1, min(queriesMax, max(4, 2 * cores))))
        pool.start()
    }

    /// A job that another one of these threads makes follows on that thread: mostly it is the same task, on its way to a
    /// shard or back, and waking a thread for it takes longer than what it does there.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if let turn = turn.currentValue, turn.take(job) { return }
        // A pool that was shut down still runs what it is given, or a task would never end.
        pool.submit { _ in self.run(job) }
    }

    private func run(_ first: UnownedJob) {
        let turn = Turn()
        self.turn.currentValue = turn
        var job = first
        while true {
            job.runSynchronously(on: asUnownedTaskExecutor())
            guard let next = turn.next() else { break }
            job = next
        }
        self.turn.currentValue = nil
    }

    deinit { pool.shutdownGracefully { _ in } }
}

/// The jobs that a thread runs one after the other before it takes what others have given to the pool.
///
/// Unchecked: it is reached through a thread's own variable only, so no two threads ever share one.
private final class Turn: @unchecked Sendable {
    private var following: UnownedJob?
    private var count = 0

    /// After so many it is the turn of others.
    private static let jobsMax = 16

    /// Whether it takes the job; a second one goes to another thread, so that parts of a query run side by side.
    func take(_ job: UnownedJob) -> Bool {
        guard following == nil, count < Self.jobsMax else { return false }
        following = job
        count += 1
        return true
    }

    func next() -> UnownedJob? {
        defer { following = nil }
        return following
    }
}
