import Glibc
package import Streams
import Synchronization

/// The samples of all series, in memory, spread over shards. Reading asks every shard at once and joins the answers.
package final class SeriesStore: Sendable {
    package let settings: StorageSettings
    package let layout: ShardLayout
    let shards: [SeriesShard]
    /// Series in all shards, and those about to be added.
    private let seriesTaken = Atomic(0)
    private let epochNumber = Atomic<UInt64>(1)
    private let upkeep = Gate()

    /// - Parameters:
    ///   - shardCount: 1 to 64; the number of cores by default.
    ///   - executors: one for each shard, in turn; empty for the default pool.
    package init(
        settings: StorageSettings = StorageSettings(), shardCount: Int? = nil, executors: [any SerialExecutor] = []
    ) {
        let layout = ShardLayout(count: min(64, max(1, shardCount ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        self.settings = settings
        self.layout = layout
        shards = (0..<layout.count).map { number in
            SeriesShard(
                number, layout: layout, settings: settings,
                executor: executors.isEmpty ? nil : executors[number % executors.count])
        }
    }

    /// Changes whenever ids may be retired one period later.
    package var epoch: UInt64 { epochNumber.load(ordering: .acquiring) }

    /// Takes room for so many new series, or refuses.
    func takeRoom(_ count: Int) -> Bool {
        if seriesTaken.wrappingAdd(count, ordering: .relaxed).newValue <= settings.seriesMax { return true }
        giveRoomBack(count)
        return false
    }

    func giveRoomBack(_ count: Int) { seriesTaken.wrappingSubtract(count, ordering: .relaxed) }

    /// Whether a shard is over its part of the memory with nothing left to drop.
    var isFull: Bool { shards.contains { $0.gauges.isFull } }

    // MARK: Upkeep

    /// What a trim did.
    package struct Trimmed: Sendable, Equatable {
        /// Series without samples in retention; they are retired by a later trim unless somebody asks for them.
        package var marked = 0
        package var retired = 0
    }

    /// Drops what is past retention, retires series that were empty for a period, and marks those that are empty now.
    /// Called from time to time (half a minute to a few) by whoever owns the graph's timers; calls wait for each other.
    @discardableResult
    package func trim(at now: Timestamp) async -> Trimmed {
        await upkeep.enter()
        defer { upkeep.leave() }
        var sum = Trimmed()
        for shard in shards {
            let trimmed = await shard.trim(at: now)
            sum.marked += trimmed.marked
            sum.retired += trimmed.retired
            giveRoomBack(trimmed.retired)
        }
        if sum.marked > 0 { epochNumber.wrappingAdd(1, ordering: .releasing) }
        return sum
    }

    /// Asks `resolver` for every series' interests: at the start, and when rules changed. Until it returns, batches may be
    /// reported by the old interests or the new.
    package func setInterests(_ resolver: (any InterestResolver)?) async {
        await upkeep.enter()
        defer { upkeep.leave() }
        await withTaskGroup(of: Void.self) { group in
            for shard in shards { group.addTask { await shard.use(resolver) } }
        }
    }

    // MARK: Status

    /// Figures for status pages, as of each shard's last change.
    package struct Counts: Sendable, Equatable {
        package var series = 0
        /// Sealed chunks of up to 120 samples.
        package var chunks = 0
        /// Memory in use for samples, labels and index.
        package var bytes = 0
        /// Memory held from the system for it.
        package var heldBytes = 0
        /// Samples stored since the start.
        package var samplesAppended: UInt64 = 0
        /// Chunks dropped before their time because memory was short.
        package var chunksEvicted: UInt64 = 0
    }

    package var counts: Counts {
        var counts = Counts()
        for shard in shards {
            counts.series += shard.gauges.series
            counts.chunks += shard.gauges.chunks
            counts.bytes += shard.gauges.liveBytes
            counts.heldBytes += shard.gauges.heldBytes
            counts.samplesAppended += shard.gauges.stored
            counts.chunksEvicted += shard.gauges.evicted
        }
        return counts
    }
}

/// Lets one task in after the other, first come first served.
final class Gate: Sendable {
    private struct State {
        var isBusy = false
        var waiting: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func enter() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let goOn = state.withLock { state in
                if state.isBusy {
                    state.waiting.append(continuation)
                    return false
                }
                state.isBusy = true
                return true
            }
            if goOn { continuation.resume() }
        }
    }

    func leave() {
        let next: UnsafeContinuation<Void, Never>? = state.withLock { state in
            if state.waiting.isEmpty {
                state.isBusy = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
