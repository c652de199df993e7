package import Logging
package import Streams

/// Runs operators and starts them again when they fail, with growing pauses.
package struct Supervisor: Sendable {
    private let clock: any WallClock
    private let random: RandomSource
    private let backoff: Backoff.Settings
    private let telemetry: Telemetry
    private let logger: Logger

    /// After running that long an operator counts as healthy: its next failure is its first.
    private static let healthyAfter = Duration.seconds(60)

    package init(
        clock: any WallClock, random: RandomSource = RandomSource(), backoff: Backoff.Settings = .restart,
        telemetry: Telemetry, logger: Logger
    ) {
        self.clock = clock
        self.random = random
        self.backoff = backoff
        self.telemetry = telemetry
        self.logger = logger
    }

    /// Returns once `operation` has returned or the task is cancelled; what it throws is logged, counted and makes it
    /// start again.
    package func run(_ name: String, _ operation: @Sendable () async throws -> Void) async {
        let restarts = telemetry.counter(
            "tocsin_operator_restarts_total", help: "Operators that failed and were started again.",
            labels: ["operator": name])
        var backoff = Backoff(backoff)
        while !Task.isCancelled {
            let start = clock.now()
            do {
                return try await operation()
            } catch {
                if Task.isCancelled { return }
                if clock.now() - start >= Self.healthyAfter { backoff = Backoff(self.backoff) }
                let pause = backoff.next(random)
                logger.error(
                    "An operator failed; it is started again.",
                    metadata: ["operator": "\(name)", "reason": "\(error)", "pause": "\(pause)"])
                restarts.add()
                // Ends early only by cancellation, which the loop sees.
                try? await clock.sleep(for: pause)
            }
        }
    }
}
