import Glibc
package import Streams

/// The machine's clock.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Looks at the clock again at least once a minute, so that a clock that is set does not leave sleepers behind.
    package func sleep(until deadline: Timestamp) async throws {
        while true {
            let now = now()
            if now >= deadline { return try Task.checkCancellation() }
            let rest = min(deadline.milliseconds - now.milliseconds, 60_000)
            try await Task.sleep(for: .milliseconds(rest), tolerance: .zero)
        }
    }
}
