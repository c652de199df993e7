import Foundation
import Glibc
import Synchronization
import TestKit

/// Ends the process when one input takes too long, or all of them too much memory: an endless loop can't be asked to stop.
final class Watchdog: Sendable {
    /// Of the processor's time, so that a busy machine makes no finding; of the wall's, so that a wait is one.
    private static let patience = (work: 5.0, wait: Duration.seconds(60))

    private struct Begin {
        let work = Watchdog.work()
        let time = ContinuousClock.now
    }

    private let begun = Mutex<Begin?>(nil)
    private let memoryMax: Int

    init(memoryMax: Int) { self.memoryMax = memoryMax }

    func begin() { begun.withLock { $0 = Begin() } }
    func end() { begun.withLock { $0 = nil } }

    func start() {
        let thread = Thread { self.watch() }
        thread.start()
    }

    private func watch() {
        while true {
            var nothing = pollfd()
            poll(&nothing, 0, 100)
            if let begun = begun.withLock({ $0 }) {
                let work = Self.work() - begun.work
                let wait = ContinuousClock.now - begun.time
                if work > Self.patience.work || wait > Self.patience.wait {
                    fail("FINDING: an input takes \(work) s of the processor, and \(wait) so far")
                }
            }
            if let memory = try? ResidentMemory.bytes(), memory > memoryMax {
                fail("FINDING: \(memory >> 20) MiB of memory")
            }
        }
    }

    /// How many seconds the process has kept processors busy.
    private static func work() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Ends as a crash does, with the backtraces of all threads and the input left behind.
    private func fail(_ text: String) {
        say(text)
        abort()
    }
}
