import Streams

/// Reads the series of one shard that a request selects, some at a time, so that others use the shard in between.
struct StoreCursor: SeriesCursor {
    private let shard: SeriesShard
    private let request: SelectRequest
    private let budget: SampleBudget
    private var ids: [UInt32]?
    private var position = 0

    /// Half a megabyte of times and values.
    private static let samplesMax = 32 * 1024

    init(shard: SeriesShard, request: SelectRequest, budget: SampleBudget) {
        self.shard = shard
        self.request = request
        self.budget = budget
    }

    mutating func next(reusing block: consuming SeriesBlock) async throws(ReadError) -> SeriesBlock? {
        let ids: [UInt32]
        if let known = self.ids { ids = known } else { ids = await shard.resolve(request) }
        self.ids = ids
        var spare = block
        while position < ids.count {
            let slice = try await shard.read(
                ids, from: position, request, budget, samples: Self.samplesMax, reusing: consume spare)
            position = slice.next
            if slice.block.count > 0 { return slice.block }
            spare = slice.block
        }
        return nil
    }
}
