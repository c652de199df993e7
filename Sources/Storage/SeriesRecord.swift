import Streams

/// What a shard keeps of a series, in one cache line: what an append needs, and where the rest lies.
struct SeriesRecord: BitwiseCopyable {
    /// The newest sample ever taken; `Int64.min` before the first.
    var newestTime: Int64 = .min
    var newestValue: UInt64 = 0
    /// Samples that are not sealed yet: room for `tailCapacity` values, then as many times as offsets from `tailStart`.
    var tail: UnsafeMutableRawPointer?
    var tailStart: Int64 = 0
    /// The newest sealed chunk, which leads to the older ones.
    var chunks: UnsafeMutablePointer<SealedChunk>?
    /// `labelCount` entries of the label table, in the order of the label set.
    var labels: UnsafeMutablePointer<UInt32>?
    /// Index into the shard's table of interests; 0 is none.
    var interest: UInt32 = 0
    /// The local id; `freeID` for a place that nobody uses.
    var id: UInt32 = Self.freeID
    /// When the oldest sealed chunk ends, in seconds rounded up; `UInt32.max` without one. Lets trimming pass by.
    var oldestEnd: UInt32 = .max
    var labelCount: UInt8 = 0
    var tailCount: UInt8 = 0
    var tailCapacity: UInt8 = 0
    var flags: Flags = []

    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt8
        /// Had no sample in retention at the last collection and goes at the next, unless somebody asks for it.
        static let dying = Flags(rawValue: 1)
        /// Its label set was read since the last collection.
        static let selected = Flags(rawValue: 2)
        /// Has entries in the shard's histograms.
        static let histograms = Flags(rawValue: 4)
        /// Has an entry in the shard's starts.
        static let starts = Flags(rawValue: 8)
        /// An append does more than it does for most series.
        static let special: Flags = [.dying, .starts]
    }

    static let freeID = UInt32.max
    static let labelsMax = 255

    var isFree: Bool { id == Self.freeID }
    var hasSamples: Bool { tailCount > 0 || chunks != nil }

    @inline(__always) var tailValues: UnsafeMutablePointer<UInt64> {
        tail.unsafelyUnwrapped.assumingMemoryBound(to: UInt64.self)
    }
    @inline(__always) var tailOffsets: UnsafeMutablePointer<UInt32> {
        (tail.unsafelyUnwrapped + Int(tailCapacity) * 8).assumingMemoryBound(to: UInt32.self)
    }
    var labelEntries: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(start: labels, count: Int(labelCount)) }
}

/// The head of a sealed chunk; its encoded samples follow it in memory.
struct SealedChunk: BitwiseCopyable {
    var older: UnsafeMutablePointer<SealedChunk>?
    var start: Int64
    var end: Int64
    /// The whole block, with this head.
    var byteCount: UInt32

    static let headBytes = 32

    static func samples(of chunk: UnsafeMutablePointer<SealedChunk>) -> UnsafeMutablePointer<UInt8> {
        (UnsafeMutableRawPointer(chunk) + headBytes).assumingMemoryBound(to: UInt8.self)
    }
}
