package import Streams

extension SeriesStore: SeriesReader {
    package func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        if let block = try await selectLittle(request) { return block }
        return try await selectConcurrently(request)
    }

    package func selection(_ request: SelectRequest) async throws(ReadError) -> SeriesSelection {
        if let block = try await selectLittle(request) { return .whole(block) }
        let budget = SampleBudget(request.samplesMax)
        return .parts(shards(for: request).map { StoreCursor(shard: $0, request: request, budget: budget) })
    }

    /// Waking another thread costs more than reading a few series: small answers come from one shard after the other.
    /// - Returns: nil where it is not little.
    private func selectLittle(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock? {
        var block = SeriesBlock()
        guard request.start <= request.end else { return block }
        let budget = SampleBudget(request.samplesMax)
        for shard in shards(for: request) {
            guard let part = try await shard.selectLittle(request, budget) else { return nil }
            block.append(part)
        }
        return block
    }

    private func selectConcurrently(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        let budget = SampleBudget(request.samplesMax)
        let answers = await withTaskGroup(of: Result<SeriesBlock, ReadError>.self) { group in
            for shard in shards {
                group.addTask {
                    do throws(ReadError) {
                        return .success(try await shard.select(request, budget))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var answers: [Result<SeriesBlock, ReadError>] = []
            for await answer in group { answers.append(answer) }
            return answers
        }
        var block = SeriesBlock()
        for answer in answers { block.count == 0 ? block = try answer.get() : block.append(try answer.get()) }
        return block
    }

    /// Those that can have something to say.
    private func shards(for request: SelectRequest) -> [SeriesShard] {
        guard let only = request.only else { return shards }
        var wanted: UInt64 = 0
        for id in only { wanted |= 1 << UInt64(layout.shard(of: id)) }
        return shards.indices.filter { wanted & 1 << UInt64($0) != 0 }.map { shards[$0] }
    }

    // MARK: Labels

    /// The label sets of the series that one of the selectors accepts (all, without a selector) and that have samples in
    /// the time, in order.
    package func series(
        matching selectors: [[Matcher]], from start: Timestamp = .distantPast, to end: Timestamp = .distantFuture
    ) async -> [LabelSet] {
        guard start <= end else { return [] }
        let time = start.milliseconds...end.milliseconds
        var sets: Set<LabelSet> = []
        for selector in selectors.isEmpty ? [[]] : selectors {
            for shard in shards { sets.formUnion(await shard.series(selector, time)) }
        }
        return sets.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The label names of those series, in order. Without a selector the time is not asked about: the store holds nothing
    /// but what is in retention.
    package func labelNames(
        matching selectors: [[Matcher]] = [], from start: Timestamp = .distantPast, to end: Timestamp = .distantFuture
    ) async -> [String] {
        guard start <= end else { return [] }
        let time = start.milliseconds...end.milliseconds
        var names: Set<ByteText> = []
        if selectors.isEmpty { for shard in shards { names.formUnion(await shard.labelNames().map(ByteText.init)) } }
        for selector in selectors {
            for shard in shards { names.formUnion(await shard.labelNames(selector, time)) }
        }
        return Self.sorted(names)
    }

    /// The values of a label among those series, in order; as for `labelNames`.
    package func labelValues(
        _ name: String, matching selectors: [[Matcher]] = [], from start: Timestamp = .distantPast,
        to end: Timestamp = .distantFuture
    ) async -> [String] {
        guard start <= end else { return [] }
        let time = start.milliseconds...end.milliseconds
        var values: Set<ByteText> = []
        if selectors.isEmpty {
            for shard in shards { values.formUnion(await shard.labelValues(name).map(ByteText.init)) }
        }
        for selector in selectors {
            for shard in shards { values.formUnion(await shard.labelValues(name, selector, time)) }
        }
        return Self.sorted(values)
    }

    /// By bytes, as Prometheus sorts.
    private static func sorted(_ texts: Set<ByteText>) -> [String] { texts.sorted().map(\.text) }
}
