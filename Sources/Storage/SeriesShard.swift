import Streams
import Synchronization

/// A part of the series, by hash: the actor that owns its memory. Everything it does is in `ShardMemory`.
actor SeriesShard {
    /// Gives the shard a default executor when none is injected: an actor with an executor of its own has no other way.
    private actor Home {}

    var memory: ShardMemory
    private let settings: StorageSettings
    private let bytesMax: Int
    private let home = Home()
    private let executor: (any SerialExecutor)?
    nonisolated let gauges = ShardGauges()

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor?.asUnownedSerialExecutor() ?? home.unownedExecutor
    }

    init(_ number: Int, layout: ShardLayout, settings: StorageSettings, executor: (any SerialExecutor)?) {
        memory = ShardMemory(layout: layout, shard: number, settings: settings)
        self.settings = settings
        bytesMax = settings.memoryBytesMax / layout.count
        self.executor = executor
    }

    func updateGauges() {
        gauges.update(
            series: memory.index.count, chunks: memory.samples.sealedChunks, liveBytes: memory.liveBytes,
            heldBytes: memory.heldBytes, stored: memory.stored)
    }

    // MARK: In

    func find(_ columns: LabelColumns, _ sets: [Int]) -> [SeriesID?] { memory.find(columns, sets) }

    func check(_ columns: LabelColumns, _ sets: [Int]) throws(ShardMemory.AddError) { try memory.check(columns, sets) }

    func add(_ columns: LabelColumns, _ sets: [Int], _ labelSets: [LabelSet]) -> (ids: [SeriesID], added: Int) {
        defer { updateGauges() }
        return memory.add(columns, sets, labelSets)
    }

    func apply(_ partition: BatchPartition, _ number: Int, _ bounds: ClosedRange<Int64>) -> ShardMemory.Applied {
        let applied = memory.apply(partition.columns(number), bounds)
        relieve()
        updateGauges()
        return applied
    }

    /// When memory is short, drops chunks. That walks all series, so a shard that cannot free a part of its memory worth
    /// mentioning counts as full, rather than walking again for every batch.
    func relieve() {
        let excess = memory.liveBytes - bytesMax
        guard excess > 0 else {
            gauges.isFull = false
            return
        }
        gauges.chunksEvicted(memory.relieve(excess, limit: bytesMax))
        gauges.isFull = memory.liveBytes > bytesMax - bytesMax / 64
    }

    // MARK: Out

    /// What a request selects, where that is little; nil where it is not.
    func selectLittle(_ request: SelectRequest, _ budget: SampleBudget) throws(ReadError) -> SeriesBlock? {
        let ids = resolve(request)
        if ids.count > Self.fewSeries { return nil }
        var block = SeriesBlock()
        if !request.newestOnly, let first = ids.first {
            // The first series tells about the others, before many of them are read for nothing.
            _ = try memory.read([first], from: 0, request, SampleBudget(.max), into: &block)
            if block.timestamps.count * ids.count > 2 * Self.fewSamples { return nil }
            block.removeAll()
        }
        let next = try memory.read(ids, from: 0, request, budget, samplesMax: Self.fewSamples, into: &block)
        return next == ids.count ? block : nil
    }

    /// Series and samples of one shard that another thread is not woken for.
    private static let fewSeries = 512
    private static let fewSamples = 8 * 1024

    func select(_ request: SelectRequest, _ budget: SampleBudget) async throws(ReadError) -> SeriesBlock {
        let ids = resolve(request)
        var block = SeriesBlock()
        var position = 0
        while position < ids.count {
            position = try memory.read(ids, from: position, request, budget, into: &block)
            guard position < ids.count else { break }
            await Task.yield()
            if Task.isCancelled { throw .unavailable("reading was cancelled") }
        }
        return block
    }

    /// The local ids of the series that a request selects.
    func resolve(_ request: SelectRequest) -> [UInt32] { memory.resolve(request.matchers, only: request.only) }

    struct Slice: Sendable {
        var block: SeriesBlock
        /// The place in the ids to go on from.
        var next: Int
    }

    /// Reads about as many samples as are asked for.
    /// - Parameter block: is emptied, and its memory used.
    func read(
        _ ids: [UInt32], from position: Int, _ request: SelectRequest, _ budget: SampleBudget, samples: Int,
        reusing block: consuming SeriesBlock
    ) throws(ReadError) -> Slice {
        block.removeAll()
        let next = try memory.read(ids, from: position, request, budget, samplesMax: samples, into: &block)
        return Slice(block: block, next: next)
    }

    func series(_ matchers: [Matcher], _ time: ClosedRange<Int64>) async -> Set<LabelSet> {
        let ids = memory.resolve(matchers, only: nil)
        var sets: Set<LabelSet> = []
        var position = 0
        while position < ids.count, !Task.isCancelled {
            position = memory.labelSets(ids, from: position, time, into: &sets)
            if position < ids.count { await Task.yield() }
        }
        return sets
    }

    func labels(of ids: [SeriesID]) -> [SeriesID: LabelSet] { memory.labels(of: ids) }

    func labelNames() -> [String] { memory.labelNames() }
    func labelValues(_ name: String) -> [String] { memory.labelValues(name) }

    func labelNames(_ matchers: [Matcher], _ time: ClosedRange<Int64>) async -> Set<ByteText> {
        let ids = memory.resolve(matchers, only: nil)
        var names: Set<ByteText> = []
        var position = 0
        while position < ids.count, !Task.isCancelled {
            position = memory.labelNames(ids, from: position, time, into: &names)
            if position < ids.count { await Task.yield() }
        }
        return names
    }

    func labelValues(_ name: String, _ matchers: [Matcher], _ time: ClosedRange<Int64>) async -> Set<ByteText> {
        let ids = memory.resolve(matchers, only: nil)
        var values: Set<ByteText> = []
        var position = 0
        while position < ids.count, !Task.isCancelled {
            position = memory.labelValues(name, ids, from: position, time, into: &values)
            if position < ids.count { await Task.yield() }
        }
        return values
    }

    // MARK: Upkeep

    struct Trimmed: Sendable {
        /// Series that will be retired at the next collection, unless somebody asks for them.
        var marked: Int
        var retired: Int
    }

    /// One collection. One at a time; in between the slices others use the shard.
    func trim(at now: Timestamp) async -> Trimmed {
        var collection = memory.collection(
            at: now.milliseconds, retention: settings.retention.wholeMilliseconds,
            grace: settings.gracePeriod.wholeMilliseconds)
        while memory.collect(&collection) { await Task.yield() }
        while memory.retire(&collection) { await Task.yield() }
        relieve()
        updateGauges()
        return Trimmed(marked: collection.marked, retired: collection.retired)
    }

    /// Gives every series its interests anew; one call at a time. Series of batches applied meanwhile may still carry the old ones.
    func use(_ resolver: (any InterestResolver)?) async {
        memory.interests.beginReload(resolver)
        var position: Int? = 0
        while let start = position {
            position = memory.resolveInterests(from: start)
            if position != nil { await Task.yield() }
        }
        memory.interests.endReload()
    }
}
