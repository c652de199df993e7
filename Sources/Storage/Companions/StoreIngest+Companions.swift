package import Streams

extension StoreIngest {
    package func tell(_ facts: [MetricMetadata], from owner: MetadataOwner, replacing: Bool) {
        metadata.tell(facts, from: owner, replacing: replacing)
    }

    package func forget(_ families: [String], of owner: MetadataOwner) { metadata.forget(families, of: owner) }

    package func forget(_ owner: MetadataOwner) { metadata.forget(owner) }

    package func keep(_ exemplars: [SeriesExemplar]) async { await self.exemplars.keep(exemplars) }
}

extension SeriesStore {
    /// The label sets of series; ids that were retired are left out.
    package func labels(of ids: some Sequence<SeriesID>) async -> [SeriesID: LabelSet] {
        var byShard = [[SeriesID]](repeating: [], count: shards.count)
        for id in ids {
            let shard = layout.shard(of: id)
            if shard < byShard.count { byShard[shard].append(id) }
        }
        var sets: [SeriesID: LabelSet] = [:]
        for (shard, ids) in zip(shards, byShard) where !ids.isEmpty {
            sets.merge(await shard.labels(of: ids)) { $1 }
        }
        return sets
    }
}
