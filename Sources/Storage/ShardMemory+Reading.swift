import Streams
import Synchronization

/// The samples that a request may still read, shared by the shards that answer it.
final class SampleBudget: Sendable {
    private let left: Atomic<Int>
    let limit: Int

    init(_ limit: Int) {
        self.limit = max(0, limit)
        left = Atomic(self.limit)
    }

    func take(_ count: Int) throws(ReadError) {
        if left.wrappingSubtract(count, ordering: .relaxed).newValue < 0 { throw .tooManySamples(limit: limit) }
    }
}

extension ShardMemory {
    /// Series read between two chances for others to use the shard.
    static var sliceMax: Int { 4096 }

    /// The local ids that matchers accept, rising.
    /// - Parameter only: ids of any shard; nil for all.
    mutating func resolve(_ matchers: [Matcher], only: Set<SeriesID>?) -> [UInt32] {
        var mine: [UInt32]?
        if let only {
            mine = only.compactMap { id in
                layout.shard(of: id.rawValue) == shard ? layout.local(of: id.rawValue) : nil
            }
            mine?.sort()
        }
        return plans.resolve(matchers, only: mine, index, seed: seed)
    }

    /// Samples read in a slice, about: a millisecond's work.
    static var sliceSamplesMax: Int { 200_000 }

    /// Reads a slice of the ids from `position` on. Ids that were retired since are passed over. A histogram counts as
    /// many samples as there would be in its place.
    /// - Returns: where to go on.
    mutating func read(
        _ ids: [UInt32], from position: Int, _ request: SelectRequest, _ budget: SampleBudget,
        samplesMax: Int = sliceSamplesMax, into block: inout SeriesBlock
    ) throws(ReadError) -> Int {
        let start = request.start.milliseconds
        let end = request.end.milliseconds
        var samplesEnd = block.timestamps.count + samplesMax
        var next = position
        let sliceEnd = min(ids.count, position + Self.sliceMax)
        while next < sliceEnd, block.timestamps.count < samplesEnd {
            let id = ids[next]
            next += 1
            guard let place = index.place(id) else { continue }
            let record = index.records[place]
            let before = block.timestamps.count
            if request.newestOnly {
                guard let (time, value) = samples.newest(record, start, end) else { continue }
                block.timestamps.append(time)
                block.values.append(Double(bitPattern: value))
            } else {
                samples.read(record, start, end, into: &block)
            }
            let count = block.timestamps.count - before
            guard count > 0 else { continue }
            try budget.take(count)
            if !record.pointee.flags.isDisjoint(with: [.histograms, .starts]) {
                let histogramsBefore = block.histograms.count
                readRich(record, from: before, into: &block)
                let weight = block.histograms[histogramsBefore...].reduce(0) { $0 + $1.byteCount / 16 }
                if weight > 0 { try budget.take(weight) }
                samplesEnd -= weight
            }
            block.ids.append(self.id(record))
            block.labels.append(labelCache.labels(place, record, index.labels))
            block.bounds.append(block.timestamps.count)
        }
        if !block.starts.isEmpty { block.padStarts(to: block.timestamps.count) }
        return next
    }

    // MARK: Labels

    /// The label sets of a slice of the ids, those without samples in the time left out.
    mutating func labelSets(
        _ ids: [UInt32], from position: Int, _ time: ClosedRange<Int64>, into sets: inout Set<LabelSet>
    ) -> Int {
        let sliceEnd = min(ids.count, position + Self.sliceMax)
        for id in ids[position..<sliceEnd] {
            guard let place = index.place(id) else { continue }
            let record = index.records[place]
            guard samples.hasSamples(record, time.lowerBound, time.upperBound) else { continue }
            sets.insert(labelCache.labels(place, record, index.labels))
        }
        return sliceEnd
    }

    /// The label sets of series; ids that were retired are left out.
    mutating func labels(of ids: [SeriesID]) -> [SeriesID: LabelSet] {
        var sets: [SeriesID: LabelSet] = [:]
        for id in ids {
            guard let place = index.place(layout.local(of: id.rawValue)) else { continue }
            sets[id] = labelCache.labels(place, index.records[place], index.labels)
        }
        return sets
    }

    /// All label names in use.
    func labelNames() -> [String] { index.labels.names.filter { !$0.values.isEmpty }.map(\.text) }

    /// All values in use of a label.
    func labelValues(_ name: String) -> [String] {
        guard let name = index.labels.name(name) else { return [] }
        return index.labels.names[Int(name)].values.map { index.labels.valueText($0) }
    }

    /// The label names of a slice of the ids.
    func labelNames(
        _ ids: [UInt32], from position: Int, _ time: ClosedRange<Int64>, into names: inout Set<ByteText>
    ) -> Int {
        let sliceEnd = min(ids.count, position + Self.sliceMax)
        var seen: Set<UInt32> = []
        for id in ids[position..<sliceEnd] {
            guard let record = index.record(id), samples.hasSamples(record, time.lowerBound, time.upperBound) else {
                continue
            }
            for entry in record.pointee.labelEntries { seen.insert(index.labels.entries[Int(entry)].name) }
        }
        for name in seen { names.insert(ByteText(index.labels.names[Int(name)].text)) }
        return sliceEnd
    }

    /// The values of one label of a slice of the ids.
    func labelValues(
        _ name: String, _ ids: [UInt32], from position: Int, _ time: ClosedRange<Int64>,
        into values: inout Set<ByteText>
    ) -> Int {
        guard let name = index.labels.name(name) else { return ids.count }
        let sliceEnd = min(ids.count, position + Self.sliceMax)
        var seen: Set<UInt32> = []
        for id in ids[position..<sliceEnd] {
            guard let record = index.record(id), samples.hasSamples(record, time.lowerBound, time.upperBound) else {
                continue
            }
            for entry in record.pointee.labelEntries where index.labels.entries[Int(entry)].name == name {
                seen.insert(entry)
            }
        }
        for entry in seen { values.insert(ByteText(index.labels.valueText(entry))) }
        return sliceEnd
    }
}
