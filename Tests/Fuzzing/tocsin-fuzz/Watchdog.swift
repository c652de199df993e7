import Foundation
import Glibc
import Synchronization
import TestKit

/// Ends the process when one input takes too long, or all of them too much memory: an endless loop can't be asked to stop.
final class Watchdog: Sendable {
    private static let patience = Duration.seconds(5)

    private let begun = Mutex<ContinuousClock.Instant?>(nil)
    private let memoryMax: Int

    init(memoryMax: Int) { self.memoryMax = memoryMax }

    func begin() { begun.withLock { $0 = .now } }
    func end() { begun.withLock { $0 = nil } }

    func start() {
        let thread = Thread { self.watch() }
        thread.start()
    }

    private func watch() {
        while true {
            var nothing = pollfd()
            poll(&nothing, 0, 100)
            if let begun = begun.withLock({ $0 }), ContinuousClock.now - begun > Self.patience {
                fail("FINDING: an input takes more than \(Self.patience)")
            }
            if let memory = try? ResidentMemory.bytes(), memory > memoryMax {
                fail("FINDING: \(memory >> 20) MiB of memory")
            }
        }
    }

    /// Ends as a crash does, with the backtraces of all threads and the input left behind.
    private func fail(_ text: String) {
        say(text)
        abort()
    }
}
