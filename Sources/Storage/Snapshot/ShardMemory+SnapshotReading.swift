import Streams

/// The samples that a store takes: others are past retention, or too far ahead.
typealias SampleBounds = ClosedRange<Int64>

/// What became of a part of a snapshot.
struct SnapshotTaken: Sendable {
    var samples = 0
    /// Past retention, too far ahead, or not newer than what the series has.
    var dropped = 0
    var isDamaged = false

    mutating func add(_ other: Self) {
        samples += other.samples
        dropped += other.dropped
        isDamaged = isDamaged || other.isDamaged
    }
}

extension ShardMemory {
    /// Adds the chunks of a part to a series. What comes before damage stays.
    mutating func take(_ body: UnsafeRawBufferPointer, for id: UInt32, _ bounds: SampleBounds) -> SnapshotTaken {
        var taken = SnapshotTaken()
        guard let record = index.record(id) else { return taken }
        revive(record)
        var reader = SnapshotReader(body)
        var histograms = SnapshotHistogramReader()
        do throws(SnapshotDamage) {
            while reader.left > 0 {
                let head = SnapshotPiece.Head(rawValue: try reader.byte())
                let bytes = try reader.run()
                let count = try decode(bytes)
                if head.isDisjoint(with: [.histograms, .starts]) {
                    guard !hasCells(count) else { throw SnapshotDamage() }
                    takeFloats(record, bytes.count, count, isSealed: !head.contains(.tail), bounds, &taken)
                } else {
                    try takeRich(record, head, count, &reader, &histograms, bounds, &taken)
                }
            }
        } catch {
            taken.isDamaged = true
        }
        return taken
    }

    /// Decodes a chunk in the scratch room: whatever the bytes are, nothing else is read or written.
    private func decode(_ bytes: UnsafeRawBufferPointer) throws(SnapshotDamage) -> Int {
        let room = XORChunk.byteCountMax(samples: SampleMemory.chunkSamples)
        guard bytes.count > 2, bytes.count <= room - XORChunk.readSlack, let source = bytes.baseAddress else {
            throw SnapshotDamage()
        }
        samples.encoded.update(from: source.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        (samples.encoded + bytes.count).update(repeating: 0, count: room - bytes.count)
        let count = XORChunk.count(samples.encoded)
        guard (1...SampleMemory.chunkSamples).contains(count) else { throw SnapshotDamage() }
        XORChunk.decode(samples.encoded, times: samples.times, values: samples.values)
        for index in 1..<max(1, count) where samples.times[index] <= samples.times[index - 1] {
            throw SnapshotDamage()
        }
        return count
    }

    private func hasCells(_ count: Int) -> Bool {
        (0..<count).contains { Double(bitPattern: samples.values[$0]).isHistogram }
    }

    private mutating func takeFloats(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ byteCount: Int, _ count: Int, isSealed: Bool,
        _ bounds: SampleBounds, _ taken: inout SnapshotTaken
    ) {
        let (first, last) = (samples.times[0], samples.times[count - 1])
        guard last >= bounds.lowerBound, first <= bounds.upperBound else {
            taken.dropped += count
            return
        }
        if isSealed, last <= bounds.upperBound, first > record.pointee.newestTime, record.pointee.tailCount == 0 {
            samples.adopt(record, byteCount, samples: count)
            taken.samples += count
            return
        }
        // Adding may seal, which uses the scratch room.
        let (times, values) = scratch(count)
        for index in 0..<count {
            let isStored =
                bounds.contains(times[index]) && samples.append(record, times[index], values[index]) == .stored
            if isStored { taken.samples += 1 } else { taken.dropped += 1 }
        }
    }

    private func scratch(_ count: Int) -> (times: [Int64], values: [UInt64]) {
        (
            Array(UnsafeBufferPointer(start: samples.times, count: count)),
            Array(UnsafeBufferPointer(start: samples.values, count: count))
        )
    }

    /// Samples with histograms or starts are added one by one, as when they first came.
    private mutating func takeRich(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ head: SnapshotPiece.Head, _ count: Int,
        _ reader: inout SnapshotReader, _ histograms: inout SnapshotHistogramReader, _ bounds: SampleBounds,
        _ taken: inout SnapshotTaken
    ) throws(SnapshotDamage) {
        let (times, values) = scratch(count)
        var found: [NativeHistogram] = []
        let cells = values.filter { Double(bitPattern: $0).isHistogram }.count
        if cells > 0, !head.contains(.histograms) { throw SnapshotDamage() }
        for _ in 0..<cells { found.append(try histograms.next(&reader)) }
        let starts = head.contains(.starts) ? try Self.starts(count, &reader) : nil
        var histogram = 0
        for index in 0..<count {
            let isHistogram = Double(bitPattern: values[index]).isHistogram
            if isHistogram { histogram += 1 }
            guard bounds.contains(times[index]) else {
                taken.dropped += 1
                continue
            }
            let outcome =
                isHistogram
                ? append(found[histogram - 1], record, times[index])
                : samples.append(record, times[index], values[index])
            guard outcome == .stored else {
                taken.dropped += 1
                continue
            }
            taken.samples += 1
            let start = starts?[index] ?? 0
            if start != 0 || record.pointee.flags.contains(.starts) {
                record.pointee.flags.insert(.starts)
                self.starts.note(start, at: times[index], of: record.pointee.id)
            }
        }
    }

    private static func starts(_ count: Int, _ reader: inout SnapshotReader) throws(SnapshotDamage) -> [Int64] {
        var starts: [Int64] = []
        var start: Int64 = 0
        for _ in 0..<(try reader.count()) {
            let index = try reader.number()
            guard index < UInt64(count), Int(index) >= starts.count else { throw SnapshotDamage() }
            while starts.count < Int(index) { starts.append(start) }
            start = try reader.signed()
        }
        while starts.count < count { starts.append(start) }
        return starts
    }
}
