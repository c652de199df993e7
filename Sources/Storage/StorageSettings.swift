/// The bounds of the store. Each that is reached shows: in an error, or in a counter.
package struct StorageSettings: Sendable, Equatable {
    /// Samples older than that are refused, and dropped by trimming (whole chunks at a time, so some stay for longer).
    package var retention: Duration = .seconds(24 * 3600)
    /// Samples further ahead of the clock than that are refused.
    package var futureMax: Duration = .seconds(600)
    /// Samples, labels and index together. Beyond it the oldest sealed chunks go; when none is left, batches are refused.
    package var memoryBytesMax = 4 << 30
    /// Series beyond that are refused.
    package var seriesMax = 10_000_000
    /// A series without samples in retention is retired at the first trim that is at least so long after the one that
    /// changed the epoch for it.
    package var gracePeriod: Duration = .seconds(60)
    /// Series that are listed for one interest in one batch; beyond it the listener is told "all".
    package var touchedSeriesMax = 4096
    /// Seeds the hashes of labels; a random one keeps outsiders from preparing collisions.
    package var hashSeed: UInt64 = 0x2545_F491_4F6C_DD1D

    package init() {}
}
