/// Where all time comes from. The program has one that reads the machine's clock; tests turn theirs by hand.
package protocol WallClock: Sendable {
    func now() -> Timestamp
    /// Returns once `now()` is at or past `deadline`; throws `CancellationError` at once when the task is cancelled.
    func sleep(until deadline: Timestamp) async throws
}

extension WallClock {
    package func sleep(for duration: Duration) async throws {
        try await sleep(until: now() + duration)
    }
}
