import Glibc
import NIOPosix

/// The threads that queries are evaluated on. They are not those of the cooperative pool, where rules and ingestion run,
/// so a heavy query takes a share of the cores from them, as the system's scheduler deals it out, but never their turn.
final class QueryExecutor: TaskExecutor {
    private let pool: NIOThreadPool

    /// - Parameter queriesMax: how many queries run at a time; no more threads than that are of use.
    init(queriesMax: Int) {
        // More threads than cores, so that light queries do not wait for heavy ones; the system shares the cores.
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        pool = NIOThreadPool(numberOfThreads: max(1, min(queriesMax, max(4, 2 * cores))))
        pool.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A pool that was shut down still runs what it is given, or a task would never end.
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    deinit { pool.shutdownGracefully { _ in } }
}
