import Streams
import Synchronization

/// A batch split by shard: the same columns, grouped, ids already local.
///
/// Filled once by whoever submits the batch, then only read, each shard its own range.
// Sound: no shard gets hold of it before `fill` has returned, and none writes.
final class BatchPartition: @unchecked Sendable {
    private var ids = FlatBuffer<UInt32>()
    private var times = FlatBuffer<Int64>()
    private var values = FlatBuffer<UInt64>()
    /// As long as the others, or empty.
    private var starts = FlatBuffer<Int64>()
    private var histograms: [NativeHistogram] = []
    /// Shard `i` has `bounds[i]..<bounds[i + 1]`.
    private var bounds: [Int] = []

    /// One shard's part.
    struct Columns {
        let ids: UnsafePointer<UInt32>
        let times: UnsafePointer<Int64>
        let values: UnsafePointer<UInt64>
        let starts: UnsafePointer<Int64>?
        /// Those of the whole batch.
        let histograms: [NativeHistogram]
        let count: Int

        /// Whether there is more than floats.
        var isRich: Bool { starts != nil || !histograms.isEmpty }
    }

    var byteCount: Int { ids.byteCount + times.byteCount + values.byteCount + starts.byteCount }

    func count(_ shard: Int) -> Int { bounds[shard + 1] - bounds[shard] }

    func columns(_ shard: Int) -> Columns {
        let start = bounds[shard]
        return Columns(
            ids: UnsafePointer(ids.base + start), times: UnsafePointer(times.base + start),
            values: UnsafePointer(values.base + start),
            starts: starts.count > 0 ? UnsafePointer(starts.base + start) : nil, histograms: histograms,
            count: count(shard))
    }

    /// Two passes over the ids (count, place), none of which decides anything per sample.
    func fill(_ batch: SampleBatch, _ layout: ShardLayout) {
        let count = batch.count
        ids.fillWithoutValues(count)
        times.fillWithoutValues(count)
        values.fillWithoutValues(count)
        if batch.starts.isEmpty { starts.removeAll() } else { starts.fillWithoutValues(count) }
        histograms = batch.histograms
        bounds.removeAll(keepingCapacity: true)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: layout.slots) { next in
            next.initialize(repeating: 0)
            let series = batch.series
            series.withUnsafeBufferPointer { series in
                for id in series { next[layout.shard(of: id.rawValue)] += 1 }
            }
            var start = 0
            for shard in 0..<layout.slots {
                bounds.append(start)
                start += next[shard]
            }
            bounds.append(start)
            if starts.count > 0 { placeStarts(batch, layout, next) }
            for shard in 0..<layout.slots { next[shard] = bounds[shard] }
            place(batch, layout, next)
        }
    }

    /// A pass of its own, for the few batches that have starts.
    private func placeStarts(_ batch: SampleBatch, _ layout: ShardLayout, _ next: UnsafeMutableBufferPointer<Int>) {
        for shard in 0..<layout.slots { next[shard] = bounds[shard] }
        for (index, id) in batch.series.enumerated() {
            let shard = layout.shard(of: id.rawValue)
            starts[next[shard]] = index < batch.starts.count ? batch.starts[index] : 0
            next[shard] += 1
        }
    }

    /// Lets go of what is not plain memory.
    func empty() { histograms = [] }

    private func place(_ batch: SampleBatch, _ layout: ShardLayout, _ next: UnsafeMutableBufferPointer<Int>) {
        let ids = ids.base
        let times = times.base
        let values = values.base
        batch.series.withUnsafeBufferPointer { sourceIDs in
            batch.timestamps.withUnsafeBufferPointer { sourceTimes in
                batch.values.withUnsafeBufferPointer { sourceValues in
                    for index in 0..<sourceIDs.count {
                        let id = sourceIDs[index].rawValue
                        let shard = layout.shard(of: id)
                        let target = next[shard]
                        next[shard] = target + 1
                        ids[target] = layout.local(of: id)
                        times[target] = sourceTimes[index]
                        values[target] = sourceValues[index].bitPattern
                    }
                }
            }
        }
    }
}

/// Partitions that wait to be used again, so that a batch costs no fresh memory. Bounded in number and size.
final class PartitionPool: Sendable {
    private let idle = Mutex<[BatchPartition]>([])
    private static let idleMax = 16
    private static let keptBytesMax = 8 << 20

    func take() -> BatchPartition {
        idle.withLock { $0.popLast() } ?? BatchPartition()
    }

    func giveBack(_ partition: BatchPartition) {
        partition.empty()
        guard partition.byteCount <= Self.keptBytesMax else { return }
        idle.withLock { if $0.count < Self.idleMax { $0.append(partition) } }
    }
}
