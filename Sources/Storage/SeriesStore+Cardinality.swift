import Streams

/// How many series there are of what, for status pages; the largest first.
package struct StoreCardinality: Sendable {
    package struct Count: Sendable, Equatable {
        package var name: String
        package var count: Int
    }

    /// The most frequent of many, as many as are asked for.
    struct Largest {
        let limit: Int
        private(set) var counts: [Count] = []

        init(limit: Int) { self.limit = limit }

        mutating func add(_ name: String, _ count: Int) {
            if counts.count >= limit, let last = counts.last, last.count >= count { return }
            let place = counts.firstIndex { $0.count < count } ?? counts.endIndex
            counts.insert(Count(name: name, count: count), at: place)
            if counts.count > limit { counts.removeLast() }
        }
    }

    package var labelPairs = 0
    package var seriesByMetric: [Count] = []
    package var valuesByLabel: [Count] = []
    /// What the values of a label would take if each series had a copy.
    package var bytesByLabel: [Count] = []
    package var seriesByPair: [Count] = []
    /// The oldest and the newest sample's time; nil without any.
    package var times: ClosedRange<Int64>?
}

extension SeriesStore {
    /// Looks at every label value and every series, in slices, so that others come between.
    /// - Parameter limit: how many of each list are wanted.
    package func cardinality(limit: Int) async -> StoreCardinality {
        var result = StoreCardinality()
        var metrics = StoreCardinality.Largest(limit: limit)
        var values = metrics
        var bytes = metrics
        var pairs = metrics
        for name in await labelNames() {
            var counts: [ByteText: Int] = [:]
            for shard in shards { counts.merge(await shard.seriesCounts(of: name), uniquingKeysWith: +) }
            result.labelPairs += counts.count
            values.add(name, counts.count)
            var size = 0
            for (value, count) in counts.map({ ($0.text, $1) }) {
                size += value.utf8.count * count
                pairs.add("\(name)=\(value)", count)
                if name == LabelSet.metricName { metrics.add(value, count) }
            }
            bytes.add(name, size)
        }
        for shard in shards {
            guard let times = await shard.times() else { continue }
            let known = result.times ?? times
            result.times = min(known.lowerBound, times.lowerBound)...max(known.upperBound, times.upperBound)
        }
        result.seriesByMetric = metrics.counts
        result.valuesByLabel = values.counts
        result.bytesByLabel = bytes.counts
        result.seriesByPair = pairs.counts
        return result
    }
}

extension SeriesShard {
    /// How many series have each value of a label.
    func seriesCounts(of name: String) async -> [ByteText: Int] {
        let entries = memory.entries(of: name)
        var counts: [ByteText: Int] = [:]
        for start in stride(from: 0, to: entries.count, by: ShardMemory.sliceMax) {
            if start > 0 { await Task.yield() }
            memory.countSeries(
                entries[start..<min(entries.count, start + ShardMemory.sliceMax)], of: name, into: &counts)
        }
        return counts
    }

    func times() async -> ClosedRange<Int64>? {
        let ids = memory.index.livingIDs()
        var result: ClosedRange<Int64>?
        for start in stride(from: 0, to: ids.count, by: ShardMemory.sliceMax) {
            if start > 0 { await Task.yield() }
            for id in ids[start..<min(ids.count, start + ShardMemory.sliceMax)] {
                guard let times = memory.times(id) else { continue }
                let known = result ?? times
                result = min(known.lowerBound, times.lowerBound)...max(known.upperBound, times.upperBound)
            }
        }
        return result
    }
}

extension ShardMemory {
    func entries(of name: String) -> [UInt32] {
        index.labels.name(name).map { index.labels.names[Int($0)].values } ?? []
    }

    /// Entries that were given to another label meanwhile are passed over.
    func countSeries(_ entries: ArraySlice<UInt32>, of name: String, into counts: inout [ByteText: Int]) {
        guard let name = index.labels.name(name) else { return }
        for entry in entries where Int(entry) < index.labels.entries.count {
            let found = index.labels.entries[Int(entry)]
            if found.name == name {
                counts[ByteText(index.labels.valueText(entry)), default: 0] += Int(found.postings.count)
            }
        }
    }

    func times(_ id: UInt32) -> ClosedRange<Int64>? {
        guard let record = index.record(id), record.pointee.hasSamples else { return nil }
        let oldest = samples.oldestTime(record)
        return min(oldest, record.pointee.newestTime)...record.pointee.newestTime
    }
}
