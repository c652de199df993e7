import Streams

/// The samples of a shard's series: how one is added to a series, sealed, dropped and read.
///
/// Functions on a record; the memory behind it comes from the shard's allocator, which is all that is kept here beside
/// counts and scratch room.
struct SampleMemory: ~Copyable {
    var memory = SlabAllocator()
    private(set) var sealedChunks = 0
    /// One chunk's bytes.
    let encoded: UnsafeMutablePointer<UInt8>
    /// One chunk's samples, decoded or about to be encoded.
    let times: UnsafeMutablePointer<Int64>
    let values: UnsafeMutablePointer<UInt64>

    /// A chunk never has more.
    static let chunkSamples = 120
    /// Tails are sealed at 105 to 120 samples, by id: series that are scraped together don't seal in the same batch.
    private static let staggerMask: UInt32 = 15

    init() {
        encoded = .allocate(capacity: XORChunk.byteCountMax(samples: Self.chunkSamples))
        times = .allocate(capacity: Self.chunkSamples)
        values = .allocate(capacity: Self.chunkSamples)
    }

    deinit {
        encoded.deallocate()
        times.deallocate()
        values.deallocate()
    }

    enum Outcome { case stored, same, outOfOrder, duplicate }

    // MARK: Adding

    /// The rules of Prometheus without an out-of-order window.
    @inline(__always) mutating func append(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ time: Int64, _ value: UInt64
    ) -> Outcome {
        let newest = record.pointee.newestTime
        guard time > newest else {
            if time < newest { return .outOfOrder }
            return value == record.pointee.newestValue ? .same : .duplicate
        }
        var count = record.pointee.tailCount
        if count == record.pointee.tailCapacity || count == 0 {
            makeRoom(record, time)
            count = record.pointee.tailCount
        }
        var offset = UInt64(bitPattern: time &- record.pointee.tailStart)
        if offset > UInt64(UInt32.max) {
            seal(record)
            makeRoom(record, time)
            count = 0
            offset = 0
        }
        record.pointee.tailValues[Int(count)] = value
        record.pointee.tailOffsets[Int(count)] = UInt32(truncatingIfNeeded: offset)
        record.pointee.tailCount = count + 1
        record.pointee.newestTime = time
        record.pointee.newestValue = value
        return .stored
    }

    /// Sees to a free place in the tail: starts one, lets it grow, or seals it.
    private mutating func makeRoom(_ record: UnsafeMutablePointer<SeriesRecord>, _ time: Int64) {
        let full = Self.chunkSamples - Int(record.pointee.id & Self.staggerMask)
        if Int(record.pointee.tailCount) >= full { seal(record) }
        if record.pointee.tailCount == 0 { record.pointee.tailStart = time }
        guard record.pointee.tailCount == record.pointee.tailCapacity else { return }
        resizeTail(record, to: Self.tailCapacity(after: Int(record.pointee.tailCapacity), full))
    }

    private static func tailCapacity(after capacity: Int, _ full: Int) -> Int {
        let next =
            switch capacity {
            case ..<4: 4
            case ..<8: 8
            case ..<16: 16
            case ..<24: 24
            case ..<32: 32
            case ..<48: 48
            case ..<64: 64
            case ..<96: 96
            default: chunkSamples
            }
        return min(next, full)
    }

    private mutating func resizeTail(_ record: UnsafeMutablePointer<SeriesRecord>, to capacity: Int) {
        let old = record.pointee
        let count = Int(old.tailCount)
        record.pointee.tail = memory.allocate(capacity * 12)
        record.pointee.tailCapacity = UInt8(capacity)
        guard old.tail != nil else { return }
        record.pointee.tailValues.update(from: old.tailValues, count: count)
        record.pointee.tailOffsets.update(from: old.tailOffsets, count: count)
        freeTail(old)
    }

    private mutating func freeTail(_ record: SeriesRecord) {
        if let tail = record.tail { memory.free(tail, Int(record.tailCapacity) * 12) }
    }

    /// Encodes the tail as the newest chunk; the tail is empty and without memory after it.
    mutating func seal(_ record: UnsafeMutablePointer<SeriesRecord>) {
        let count = Int(record.pointee.tailCount)
        guard count > 0 else { return }
        let offsets = record.pointee.tailOffsets
        let start = record.pointee.tailStart
        for index in 0..<count { times[index] = start &+ Int64(offsets[index]) }
        let byteCount = XORChunk.encode(
            times: times, values: record.pointee.tailValues, count: count, into: encoded)
        addChunk(record, byteCount, start: start, end: times[count - 1])
        freeTail(record.pointee)
        record.pointee.tail = nil
        record.pointee.tailCapacity = 0
        record.pointee.tailCount = 0
    }

    /// Makes the newest chunk of the bytes in `encoded`.
    private mutating func addChunk(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ byteCount: Int, start: Int64, end: Int64
    ) {
        let blockBytes = SealedChunk.headBytes + byteCount + XORChunk.readSlack
        let chunk = memory.allocate(blockBytes).bindMemory(to: SealedChunk.self, capacity: 1)
        chunk.initialize(
            to: SealedChunk(older: record.pointee.chunks, start: start, end: end, byteCount: UInt32(blockBytes)))
        SealedChunk.samples(of: chunk).update(from: encoded, count: byteCount + XORChunk.readSlack)
        if record.pointee.chunks == nil { record.pointee.oldestEnd = Self.seconds(roundingUp: end) }
        record.pointee.chunks = chunk
        sealedChunks += 1
    }

    /// Takes a chunk that another store sealed: its bytes are in `encoded`, its samples decoded in `times` and `values`.
    /// The caller saw to it that there is no tail and that the samples are newer than what the series has.
    mutating func adopt(_ record: UnsafeMutablePointer<SeriesRecord>, _ byteCount: Int, samples count: Int) {
        addChunk(record, byteCount, start: times[0], end: times[count - 1])
        record.pointee.newestTime = times[count - 1]
        record.pointee.newestValue = values[count - 1]
    }

    /// Clamped: a time that does not fit makes trimming look closer than it had to.
    private static func seconds(roundingUp time: Int64) -> UInt32 {
        UInt32(clamping: time / 1000 + (time > 0 ? 1 : 0))
    }

    // MARK: Dropping

    /// Drops sealed chunks that end before `cutoff` (milliseconds), and the tail when the newest sample is older too.
    /// - Parameter tail: whether the tail may go.
    mutating func drop(_ record: UnsafeMutablePointer<SeriesRecord>, before cutoff: Int64, tail: Bool = true) {
        if record.pointee.newestTime < cutoff, tail {
            freeTail(record.pointee)
            record.pointee.tail = nil
            record.pointee.tailCapacity = 0
            record.pointee.tailCount = 0
        }
        guard record.pointee.oldestEnd != .max || record.pointee.chunks != nil,
            Int64(record.pointee.oldestEnd) <= max(0, cutoff / 1000 + 1)
        else { return }
        var newer: UnsafeMutablePointer<SealedChunk>?
        var chunk = record.pointee.chunks
        while let here = chunk, here.pointee.end >= cutoff {
            newer = here
            chunk = here.pointee.older
        }
        if let newer { newer.pointee.older = nil } else { record.pointee.chunks = nil }
        record.pointee.oldestEnd = newer.map { Self.seconds(roundingUp: $0.pointee.end) } ?? .max
        while let here = chunk {
            chunk = here.pointee.older
            memory.free(here, Int(here.pointee.byteCount))
            sealedChunks -= 1
        }
    }

    // MARK: Reading

    /// The time of the oldest sample that is held; the caller knows that there is one.
    func oldestTime(_ record: UnsafeMutablePointer<SeriesRecord>) -> Int64 {
        guard var chunk = record.pointee.chunks else { return record.pointee.tailStart }
        while let older = chunk.pointee.older { chunk = older }
        return chunk.pointee.start
    }

    func hasSamples(_ record: UnsafeMutablePointer<SeriesRecord>, _ start: Int64, _ end: Int64) -> Bool {
        record.pointee.hasSamples && record.pointee.newestTime >= start && oldestTime(record) <= end
    }

    /// Appends the samples with `start <= time <= end` to the columns.
    func read(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ start: Int64, _ end: Int64, into block: inout SeriesBlock
    ) {
        guard record.pointee.newestTime >= start else { return }
        readChunks(record.pointee.chunks, start, end, into: &block)
        let count = Int(record.pointee.tailCount)
        guard count > 0, record.pointee.tailStart <= end else { return }
        let base = record.pointee.tailStart
        let offsets = UnsafeBufferPointer(start: record.pointee.tailOffsets, count: count)
        let lower = start <= base ? 0 : offsets.firstPlace { base &+ Int64($0) >= start }
        let upper = record.pointee.newestTime <= end ? count : offsets.firstPlace { base &+ Int64($0) > end }
        guard lower < upper else { return }
        for index in lower..<upper { block.timestamps.append(base &+ Int64(offsets[index])) }
        append(record.pointee.tailValues + lower, upper - lower, to: &block)
    }

    /// Newest first on the way in, oldest first on the way out. A series has a few hundred chunks at most, but they may
    /// come from a long retention, so this is a loop over a list of places.
    private func readChunks(
        _ newest: UnsafeMutablePointer<SealedChunk>?, _ start: Int64, _ end: Int64, into block: inout SeriesBlock
    ) {
        var wanted: [UnsafeMutablePointer<SealedChunk>] = []
        var next = newest
        while let chunk = next, chunk.pointee.end >= start {
            if chunk.pointee.start <= end { wanted.append(chunk) }
            next = chunk.pointee.older
        }
        for chunk in wanted.reversed() {
            let count = XORChunk.decode(SealedChunk.samples(of: chunk), times: times, values: values)
            let decoded = UnsafeBufferPointer(start: times, count: count)
            let lower = chunk.pointee.start >= start ? 0 : decoded.firstPlace { $0 >= start }
            let upper = chunk.pointee.end <= end ? count : decoded.firstPlace { $0 > end }
            guard lower < upper else { continue }
            block.timestamps.append(contentsOf: decoded[lower..<upper])
            append(values + lower, upper - lower, to: &block)
        }
    }

    private func append(_ bits: UnsafeMutablePointer<UInt64>, _ count: Int, to block: inout SeriesBlock) {
        // Values are kept as bits so that no NaN loses its payload on the way; as memory both are the same.
        bits.withMemoryRebound(to: Double.self, capacity: count) { values in
            block.values.append(contentsOf: UnsafeBufferPointer(start: values, count: count))
        }
    }

    /// The newest sample with `start <= time <= end`.
    func newest(_ record: UnsafeMutablePointer<SeriesRecord>, _ start: Int64, _ end: Int64) -> (Int64, UInt64)? {
        guard record.pointee.hasSamples, record.pointee.newestTime >= start else { return nil }
        if record.pointee.newestTime <= end { return (record.pointee.newestTime, record.pointee.newestValue) }
        let count = Int(record.pointee.tailCount)
        if count > 0, record.pointee.tailStart <= end {
            let base = record.pointee.tailStart
            let offsets = UnsafeBufferPointer(start: record.pointee.tailOffsets, count: count)
            let place = offsets.firstPlace { base &+ Int64($0) > end } - 1
            let time = base &+ Int64(offsets[place])
            return time >= start ? (time, record.pointee.tailValues[place]) : nil
        }
        var next = record.pointee.chunks
        while let chunk = next, chunk.pointee.start > end { next = chunk.pointee.older }
        guard let chunk = next, chunk.pointee.end >= start else { return nil }
        let decoded = UnsafeBufferPointer(
            start: times, count: XORChunk.decode(SealedChunk.samples(of: chunk), times: times, values: values))
        let place = decoded.firstPlace { $0 > end } - 1
        return decoded[place] >= start ? (decoded[place], values[place]) : nil
    }
}

extension UnsafeBufferPointer where Element: BitwiseCopyable {
    /// The first place whose element `isPast` accepts, which accepts all behind it too; `count` if there is none.
    @inline(__always) func firstPlace(_ isPast: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isPast(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
