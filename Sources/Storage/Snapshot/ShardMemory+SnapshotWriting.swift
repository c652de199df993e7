import Streams

/// Where the writing of a shard stands between two pieces.
struct SnapshotCursor: Sendable {
    fileprivate var place = 0
    /// The series of which a part is written, and the newest sample of that part.
    fileprivate var series: (id: UInt32, through: Int64)?
}

/// Some series of a shard, or parts of them, as a block of a snapshot has them.
///
/// For each: its labels, as numbers of pairs that are spelled out when they first come in the block; the time of its newest
/// sample here; and its chunks, oldest first. A series of which the block has a part only goes on in the next one.
struct SnapshotPiece: Sendable {
    fileprivate(set) var writer = SnapshotWriter()
    fileprivate(set) var series = 0
    fileprivate(set) var samples = 0
    /// By entry of the shard's label table.
    fileprivate var pairs: [UInt32: Int] = [:]

    /// A piece is finished when it has so many bytes.
    static let bytesWanted = 256 << 10

    /// What a chunk has.
    struct Head: OptionSet {
        let rawValue: UInt8
        /// It was not sealed yet.
        static let tail = Head(rawValue: 1)
        static let histograms = Head(rawValue: 2)
        static let starts = Head(rawValue: 4)
    }
}

extension ShardMemory {
    /// The next piece; nil at the end. What is added or dropped between two pieces may be in the snapshot or not.
    func nextPiece(_ cursor: inout SnapshotCursor) -> SnapshotPiece? {
        var piece = SnapshotPiece()
        piece.writer.reserve(SnapshotPiece.bytesWanted + SnapshotPiece.bytesWanted / 8)
        piece.writer.add(byte: SnapshotBlock.Kind.series.rawValue)
        var body = SnapshotWriter()
        while cursor.place < index.placeEnd, piece.writer.count < SnapshotPiece.bytesWanted {
            let record = index.records[cursor.place]
            if record.pointee.isFree || !record.pointee.hasSamples {
                cursor.place += 1
                continue
            }
            let id = record.pointee.id
            let written = cursor.series.flatMap { $0.id == id ? $0.through : nil } ?? .min
            body.removeAll()
            let room = SnapshotPiece.bytesWanted - piece.writer.count
            let through = writeChunks(record, after: written, room, to: &body, &piece.samples)
            if body.count > 0 {
                writeLabels(record, to: &piece)
                piece.writer.add(signed: through)
                body.bytes.withUnsafeBytes { piece.writer.add(run: $0) }
                if written == .min { piece.series += 1 }
            }
            if through >= record.pointee.newestTime || body.count == 0 {
                cursor.place += 1
                cursor.series = nil
            } else {
                cursor.series = (id, through)
            }
        }
        return piece.writer.count > 1 ? piece : nil
    }

    private func writeLabels(_ record: UnsafeMutablePointer<SeriesRecord>, to piece: inout SnapshotPiece) {
        piece.writer.add(number: Int(record.pointee.labelCount))
        for entry in record.pointee.labelEntries {
            if let known = piece.pairs[entry] {
                piece.writer.add(number: known + 1)
                continue
            }
            let pair = index.labels.entries[Int(entry)]
            piece.writer.add(byte: 0)
            piece.writer.add(text: index.labels.names[Int(pair.name)].text)
            piece.writer.add(run: index.labels.value(of: pair))
            piece.pairs[entry] = piece.pairs.count
        }
    }

    /// Writes the chunks that are newer than `written`, the tail as the last of them, until `room` is used up.
    /// - Returns: the time of the newest sample that is written.
    private func writeChunks(
        _ record: UnsafeMutablePointer<SeriesRecord>, after written: Int64, _ room: Int, to body: inout SnapshotWriter,
        _ sum: inout Int
    ) -> Int64 {
        var chunks: [UnsafeMutablePointer<SealedChunk>] = []
        var next = record.pointee.chunks
        while let chunk = next, chunk.pointee.end > written {
            chunks.append(chunk)
            next = chunk.pointee.older
        }
        var histograms = SnapshotHistogramWriter()
        var through = written
        for chunk in chunks.reversed() {
            if body.count >= room, through > written { return through }
            let source = SealedChunk.samples(of: chunk)
            let byteCount = Int(chunk.pointee.byteCount) - SealedChunk.headBytes - XORChunk.readSlack
            let bytes = UnsafeRawBufferPointer(start: source, count: byteCount)
            write(bytes, record, [], to: &body, &histograms)
            through = chunk.pointee.end
            sum += XORChunk.count(source)
        }
        let count = Int(record.pointee.tailCount)
        guard count > 0, body.count < room || through == written else { return through }
        for index in 0..<count {
            samples.times[index] = record.pointee.tailStart &+ Int64(record.pointee.tailOffsets[index])
        }
        let byteCount = XORChunk.encode(
            times: samples.times, values: record.pointee.tailValues, count: count, into: samples.encoded)
        write(
            UnsafeRawBufferPointer(start: samples.encoded, count: byteCount), record, .tail, to: &body, &histograms)
        sum += count
        return record.pointee.newestTime
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, _ record: UnsafeMutablePointer<SeriesRecord>, _ head: SnapshotPiece.Head,
        to body: inout SnapshotWriter, _ histograms: inout SnapshotHistogramWriter
    ) {
        let flags = record.pointee.flags
        guard !flags.isDisjoint(with: [.histograms, .starts]), let source = bytes.baseAddress else {
            body.add(byte: head.rawValue)
            body.add(run: bytes)
            return
        }
        // The bytes have slack behind them, or lie in the scratch room.
        let count = XORChunk.decode(
            source.assumingMemoryBound(to: UInt8.self), times: samples.times, values: samples.values)
        let cells = (0..<count).map { samples.values[$0] }.filter { Double(bitPattern: $0).isHistogram }
        // Also where none of these samples has one: the start of those before must not be theirs.
        var starts: [Int64] = []
        if flags.contains(.starts) {
            self.starts.read(record.pointee.id, (0..<count).map { samples.times[$0] }[...], into: &starts)
        }
        var head = head
        if !cells.isEmpty { head.insert(.histograms) }
        if !starts.isEmpty { head.insert(.starts) }
        body.add(byte: head.rawValue)
        body.add(run: bytes)
        for cell in cells {
            guard let (code, shape) = self.histograms.code(cell, of: record.pointee.id) else {
                preconditionFailure("a histogram lives as long as the value that stands for it")
            }
            histograms.add(code, shape, to: &body)
        }
        if head.contains(.starts) { Self.write(starts, to: &body) }
    }

    /// Writes where starts change, and to what.
    private static func write(_ starts: [Int64], to body: inout SnapshotWriter) {
        let changes = starts.indices.filter { $0 == 0 || starts[$0] != starts[$0 - 1] }
        body.add(number: changes.count)
        for index in changes {
            body.add(number: index)
            body.add(signed: starts[index])
        }
    }
}
