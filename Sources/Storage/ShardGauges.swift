import Synchronization

/// A shard's figures, for whoever asks from outside without waiting for it.
final class ShardGauges: Sendable {
    private let seriesCount = Atomic(0)
    private let chunkCount = Atomic(0)
    private let live = Atomic(0)
    private let held = Atomic(0)
    private let storedCount = Atomic<UInt64>(0)
    private let evictedCount = Atomic<UInt64>(0)
    private let full = Atomic(false)

    var series: Int { seriesCount.load(ordering: .relaxed) }
    var chunks: Int { chunkCount.load(ordering: .relaxed) }
    var liveBytes: Int { live.load(ordering: .relaxed) }
    var heldBytes: Int { held.load(ordering: .relaxed) }
    var stored: UInt64 { storedCount.load(ordering: .relaxed) }
    var evicted: UInt64 { evictedCount.load(ordering: .relaxed) }

    /// Whether the shard is over its part of the memory, with no chunk left to drop.
    var isFull: Bool {
        get { full.load(ordering: .relaxed) }
        set { full.store(newValue, ordering: .relaxed) }
    }

    func update(series: Int, chunks: Int, liveBytes: Int, heldBytes: Int, stored: UInt64) {
        seriesCount.store(series, ordering: .relaxed)
        chunkCount.store(chunks, ordering: .relaxed)
        live.store(liveBytes, ordering: .relaxed)
        held.store(heldBytes, ordering: .relaxed)
        storedCount.store(stored, ordering: .relaxed)
    }

    func chunksEvicted(_ count: Int) { evictedCount.wrappingAdd(UInt64(count), ordering: .relaxed) }
}
