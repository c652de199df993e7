package import Streams
import Synchronization

/// The way into a store: interns label sets, splits batches by shard, and tells the graph what each batch touched.
package final class StoreIngest: Ingest {
    package let store: SeriesStore
    package let metadata: MetadataStore
    package let exemplars: ExemplarStore
    let clock: any WallClock
    private let listener: (any ChangeListener)?
    private let telemetry: StorageTelemetry
    private let pool = PartitionPool()
    private let sequence = Atomic<UInt64>(0)
    private let closed = Atomic(false)

    /// Batches up to that size are applied shard after shard: waking another thread costs more.
    private static let sequentialMax = 4096

    /// - Parameter listener: hears of every batch; nil where nobody does.
    package init(_ store: SeriesStore, clock: any WallClock, listener: (any ChangeListener)?, telemetry: Telemetry) {
        self.store = store
        self.clock = clock
        self.listener = listener
        self.telemetry = StorageTelemetry(telemetry, store)
        metadata = MetadataStore(telemetry: telemetry)
        exemplars = ExemplarStore(store, telemetry: telemetry)
    }

    /// Takes no more; what is under way is finished.
    package func close() { closed.store(true, ordering: .releasing) }

    package var epoch: UInt64 { store.epoch }

    // MARK: Interning

    package func intern(_ labelSets: [LabelSet]) async throws(IngestError) -> [SeriesID] {
        guard !closed.load(ordering: .acquiring) else { throw .closed }
        let columns = LabelColumns(labelSets, seed: store.settings.hashSeed)
        var setsByShard = [[Int]](repeating: [], count: store.shards.count)
        for set in 0..<columns.count { setsByShard[store.layout.shard(ofHash: columns.hashes[set])].append(set) }
        var ids = [SeriesID?](repeating: nil, count: columns.count)
        for (shard, sets) in zip(store.shards, setsByShard) where !sets.isEmpty {
            for (set, id) in zip(sets, await shard.find(columns, sets)) { ids[set] = id }
        }
        let missing = setsByShard.map { $0.filter { ids[$0] == nil } }
        let count = missing.reduce(0) { $0 + $1.count }
        if count > 0 { try await add(missing, count, columns, labelSets, &ids) }
        return ids.compactMap { $0 }
    }

    private func add(
        _ missing: [[Int]], _ count: Int, _ columns: LabelColumns, _ labelSets: [LabelSet], _ ids: inout [SeriesID?]
    ) async throws(IngestError) {
        if store.isFull { throw telemetry.refuseSeries(count, .memory(store.settings.memoryBytesMax)) }
        for (shard, sets) in zip(store.shards, missing) where !sets.isEmpty {
            do throws(ShardMemory.AddError) {
                try await shard.check(columns, sets)
            } catch {
                throw telemetry.refuseSeries(count, .shard(error))
            }
        }
        // Sets that are in the list twice, or that somebody else adds now, are counted twice here and given back below.
        guard store.takeRoom(count) else { throw telemetry.refuseSeries(count, .series(store.settings.seriesMax)) }
        var added = 0
        for (shard, sets) in zip(store.shards, missing) where !sets.isEmpty {
            let result = await shard.add(columns, sets, labelSets)
            added += result.added
            for (set, id) in zip(sets, result.ids) { ids[set] = id }
        }
        store.giveRoomBack(count - added)
    }

    // MARK: Samples

    @discardableResult
    package func submit(
        _ batch: SampleBatch, from source: String, patience: Duration
    ) async throws(IngestError) -> AppendReport {
        guard !closed.load(ordering: .acquiring) else { throw .closed }
        if batch.isEmpty { return AppendReport() }
        if store.isFull { throw telemetry.refuseBatch(batch.count, source, .memory(store.settings.memoryBytesMax)) }
        var reservation = Reservation()
        if let listener {
            do throws(IngestError) {
                reservation = try await listener.reserve(patience: patience)
            } catch {
                telemetry.refuseBatch(batch.count, source, error)
                throw error
            }
        }
        // From here on nothing fails: what was reserved is used.
        let partition = pool.take()
        partition.fill(batch, store.layout)
        let applied = await apply(partition, batch.count, clock.now())
        pool.giveBack(partition)
        telemetry.note(applied, source)
        listener?.deliver(
            Touched(
                sequence: sequence.wrappingAdd(1, ordering: .relaxed).newValue,
                interests: applied.touched.mapValues { $0.settled(max: store.settings.touchedSeriesMax) },
                maxTimestamp: applied.stored > 0 ? Timestamp(milliseconds: applied.maxTimestamp) : .distantPast),
            reservation)
        return applied.report
    }

    /// The times of samples that are taken.
    func bounds(at now: Timestamp) -> SampleBounds {
        let earliest = max((now - store.settings.retention).milliseconds, .min + 1)
        return earliest...max(earliest, (now + store.settings.futureMax).milliseconds)
    }

    private func apply(_ partition: BatchPartition, _ count: Int, _ now: Timestamp) async -> ShardMemory.Applied {
        let bounds = bounds(at: now)
        var sum = ShardMemory.Applied()
        for slot in store.shards.count..<max(store.shards.count, store.layout.slots) {
            sum.report.unknownSeries += partition.count(slot)
        }
        let touched = store.shards.indices.filter { partition.count($0) > 0 }
        guard touched.count > 1, count > Self.sequentialMax else {
            for number in touched { sum.add(await store.shards[number].apply(partition, number, bounds)) }
            return sum
        }
        await withTaskGroup(of: ShardMemory.Applied.self) { group in
            for number in touched {
                let shard = store.shards[number]
                group.addTask { await shard.apply(partition, number, bounds) }
            }
            for await applied in group { sum.add(applied) }
        }
        return sum
    }
}

extension ShardMemory.Applied {
    mutating func add(_ other: Self) {
        report = report + other.report
        stored += other.stored
        maxTimestamp = max(maxTimestamp, other.maxTimestamp)
        for (interest, series) in other.touched { touched[interest, default: .some([])].add(series) }
    }
}
