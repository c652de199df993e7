import Streams

/// Where a collection stands between two of its slices.
struct Collection {
    let now: Int64
    /// Samples before it go.
    let cutoff: Int64
    /// Series that were marked before go now.
    let retires: Bool
    /// Series that are empty now are marked.
    let marks: Bool
    var place = 0
    var dead: [Int] = []
    var marked = 0
    var retired = 0
}

extension ShardMemory {
    /// Series retired in one collection at most; the others wait for the next.
    private static var retiredMax: Int { 100_000 }
    /// Series retired between two chances for others: each time every long posting list is gone through.
    private static var retiredSlice: Int { 10_000 }

    /// Starts a collection.
    /// - Parameter grace: milliseconds for which a marked series is kept at least.
    func collection(at now: Int64, retention: Int64, grace: Int64) -> Collection {
        let due = dying > 0 && now &- dyingSince >= grace
        return Collection(now: now, cutoff: now &- retention, retires: due, marks: dying == 0 || due)
    }

    /// Does a slice of it.
    /// - Returns: whether there is more to do.
    mutating func collect(_ collection: inout Collection) -> Bool {
        let end = min(index.placeEnd, collection.place + Self.sliceMax)
        for place in collection.place..<max(end, collection.place) {
            let record = index.records[place]
            guard !record.pointee.isFree else { continue }
            samples.drop(record, before: collection.cutoff)
            dropRich(record)
            age(place, record)
            guard !record.pointee.hasSamples else { continue }
            if record.pointee.flags.contains(.dying) {
                if collection.retires, collection.dead.count < Self.retiredMax { collection.dead.append(place) }
            } else if collection.marks {
                record.pointee.flags.insert(.dying)
                dying += 1
                collection.marked += 1
            }
        }
        collection.place = end
        return end < index.placeEnd
    }

    /// A label set that nobody asked for since the last collection is forgotten.
    private mutating func age(_ place: Int, _ record: UnsafeMutablePointer<SeriesRecord>) {
        if record.pointee.flags.contains(.selected) {
            record.pointee.flags.remove(.selected)
        } else {
            labelCache.forget(place)
        }
    }

    /// Retires a slice of what is still dead, now that all records were looked at.
    /// - Returns: whether there is more to do.
    mutating func retire(_ collection: inout Collection) -> Bool {
        let slice = collection.dead.suffix(Self.retiredSlice).filter { place in
            let record = index.records[place]
            return !record.pointee.isFree && record.pointee.flags.contains(.dying) && !record.pointee.hasSamples
        }
        collection.dead.removeLast(min(Self.retiredSlice, collection.dead.count))
        for place in slice {
            labelCache.forget(place)
            removeRich(index.records[place])
        }
        index.remove(places: slice, &samples.memory)
        dying -= slice.count
        collection.retired += slice.count
        if !slice.isEmpty || labelCache.count == 0 { labelCache.forgetTexts() }
        if !collection.dead.isEmpty { return true }
        if collection.marked > 0 { dyingSince = collection.now }
        return false
    }

    // MARK: Too much memory

    /// Drops the oldest sealed chunks until `excess` bytes and a sixteenth of `limit` are free, or none is left.
    /// - Returns: the chunks dropped.
    mutating func relieve(_ excess: Int, limit: Int) -> Int {
        let chunksBefore = samples.sealedChunks
        guard chunksBefore > 0, let cutoff = cutoff(freeing: excess + limit / 16) else { return 0 }
        for place in 0..<index.placeEnd where !index.records[place].pointee.isFree {
            samples.drop(index.records[place], before: cutoff, tail: false)
            dropRich(index.records[place])
        }
        return chunksBefore - samples.sealedChunks
    }

    /// Chunks that end before it take `wanted` bytes, as near as 256 steps of time tell.
    private func cutoff(freeing wanted: Int) -> Int64? {
        var first = Int64.max
        var last = Int64.min
        forEachChunk { chunk, _ in
            first = min(first, chunk.end)
            last = max(last, chunk.end)
        }
        guard first <= last else { return nil }
        let step = max(1, (last &- first) / 256 + 1)
        var bytes = [Int](repeating: 0, count: 257)
        forEachChunk { chunk, record in
            var count = Int(chunk.byteCount)
            if record.flags.contains(.histograms) {
                count += histograms.codeBytes(record.id, from: chunk.start, through: chunk.end)
            }
            bytes[Int((chunk.end &- first) / step)] += count
        }
        var sum = 0
        for (position, count) in bytes.enumerated() {
            sum += count
            if sum >= wanted { return first &+ Int64(position + 1) &* step }
        }
        return last &+ 1
    }

    private func forEachChunk(_ body: (SealedChunk, SeriesRecord) -> Void) {
        for place in 0..<index.placeEnd {
            let record = index.records[place].pointee
            var next = record.chunks
            while let chunk = next {
                body(chunk.pointee, record)
                next = chunk.pointee.older
            }
        }
    }

    // MARK: Rules changed

    /// Gives a slice of the series their interests anew.
    /// - Returns: where to go on; nil at the end.
    mutating func resolveInterests(from start: Int) -> Int? {
        let end = min(index.placeEnd, start + Self.sliceMax)
        for place in start..<max(start, end) {
            let record = index.records[place]
            guard !record.pointee.isFree else { continue }
            record.pointee.interest = interests.number(for: labels(of: record))
        }
        return end < index.placeEnd ? end : nil
    }

    /// A label set that is not kept.
    private func labels(of record: UnsafeMutablePointer<SeriesRecord>) -> LabelSet {
        LabelSet(
            sorted: record.pointee.labelEntries.map { entry in
                let name = index.labels.names[Int(index.labels.entries[Int(entry)].name)].text
                return Label(name, index.labels.valueText(entry))
            })
    }
}
