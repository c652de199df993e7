import Glibc
import Streams

/// The lines that a target has shown: the raw bytes of each series and of each line of metadata once, in one block, with
/// a hash table over them, and for each the line that followed it in the last scrape.
///
/// 20 bytes a line, 8 bytes a slot of the table (at least 4 slots for 3 lines), and the bytes themselves.
struct KnownLines: ~Copyable {
    struct Line {
        var offset: UInt32
        var length: UInt32
        /// A `SeriesID`, or one of the values below.
        var id: UInt32
        /// `generation << 2 | wasTracked << 1 | isTracked`: the last scrape that showed it; whether its end is to be marked
        /// if the next scrape does not show it; and whether the scrape before had that bit.
        var mark: UInt32
        /// The line that followed it.
        var next: UInt32
    }

    /// Relabelling dropped the series.
    static let dropped = UInt32.max
    /// A TYPE line; its bytes end with its line break.
    static let typeLine = UInt32.max - 1
    /// A HELP or UNIT line.
    static let metadataLine = UInt32.max - 2
    /// A series of this scrape that has no id yet.
    static let pending = UInt32.max - 3
    /// The smallest value that is no id.
    static let reserved = UInt32.max - 3

    static let none = UInt32.max

    private(set) var lines: UnsafeMutablePointer<Line>
    private(set) var bytes: UnsafeMutablePointer<UInt8>
    private var slots: UnsafeMutablePointer<UInt64>
    private(set) var count = 0
    private var lineCapacity = 0
    private var byteCount = 0
    private var byteCapacity = 0
    private var slotCount = 0
    private let secret: HashSecret
    /// The first line of the last scrape.
    var first = KnownLines.none

    /// Bytes behind the last line that may be read.
    private static let slack = 64

    init(secret: HashSecret) {
        self.secret = secret
        lines = .allocate(capacity: 0)
        bytes = .allocate(capacity: Self.slack)
        slots = .allocate(capacity: 0)
    }

    deinit {
        lines.deallocate()
        bytes.deallocate()
        slots.deallocate()
    }

    func hash(_ text: UnsafeRawBufferPointer) -> UInt64 { SeriesKey(text, secret: secret).low }

    /// The hash of a line that is known.
    func hash(of line: UInt32) -> UInt64 {
        let line = lines[Int(line)]
        return hash(UnsafeRawBufferPointer(start: bytes + Int(line.offset), count: Int(line.length)))
    }

    /// The line with these bytes; `none` if there is none.
    @inline(__always)
    func find(_ text: UnsafeRawBufferPointer, hash: UInt64) -> UInt32 {
        if slotCount == 0 { return Self.none }
        let mask = slotCount &- 1
        let tag = hash &>> 32
        var place = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[place]
            if slot == 0 { return Self.none }
            if slot &>> 32 == tag {
                let index = UInt32(truncatingIfNeeded: slot) &- 1
                let line = lines[Int(index)]
                if Int(line.length) == text.count, Self.equal(text, bytes + Int(line.offset)) { return index }
            }
            place = (place &+ 1) & mask
        }
    }

    @inline(__always)
    private static func equal(_ text: UnsafeRawBufferPointer, _ stored: UnsafePointer<UInt8>) -> Bool {
        memcmp(text.baseAddress!, stored, text.count) == 0
    }

    /// Adds a line. nil: the bytes of all lines together would pass 4 GiB.
    mutating func insert(_ text: UnsafeRawBufferPointer, hash: UInt64, id: UInt32) -> UInt32? {
        guard byteCount + text.count < Int(UInt32.max) - Self.slack, count < Int(Self.reserved) - 1 else { return nil }
        reserve(lines: count + 1, bytes: byteCount + text.count)
        if let base = text.baseAddress {
            UnsafeMutableRawPointer(bytes + byteCount).copyMemory(from: base, byteCount: text.count)
        }
        let index = UInt32(count)
        (lines + count).initialize(
            to: Line(
                offset: UInt32(byteCount), length: UInt32(text.count), id: id, mark: 0, next: Self.none))
        count += 1
        byteCount += text.count
        if count * 4 > slotCount * 3 {
            rebuildSlots(slotCount: max(16, slotCount * 2))
        } else {
            insertSlot(hash, index)
        }
        return index
    }

    private func insertSlot(_ hash: UInt64, _ index: UInt32) {
        let mask = slotCount - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place] != 0 { place = (place + 1) & mask }
        slots[place] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(index + 1)
    }

    private mutating func rebuildSlots(slotCount: Int) {
        if slotCount != self.slotCount {
            slots.deallocate()
            slots = .allocate(capacity: slotCount)
            self.slotCount = slotCount
        }
        slots.initialize(repeating: 0, count: slotCount)
        for index in 0..<count { insertSlot(hash(text(of: index)), UInt32(index)) }
    }

    /// The bytes of a line, good until the next change.
    func text(of index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + Int(lines[index].offset), count: Int(lines[index].length))
    }

    private mutating func reserve(lines wanted: Int, bytes wantedBytes: Int) {
        if wanted > lineCapacity { resizeLines(max(16, wanted + wanted / 2)) }
        if wantedBytes > byteCapacity { resizeBytes(max(1024, wantedBytes + wantedBytes / 2)) }
    }

    private mutating func resizeLines(_ capacity: Int) {
        let grown = UnsafeMutablePointer<Line>.allocate(capacity: capacity)
        grown.moveInitialize(from: lines, count: count)
        lines.deallocate()
        lines = grown
        lineCapacity = capacity
    }

    private mutating func resizeBytes(_ capacity: Int) {
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.slack)
        grown.update(from: bytes, count: byteCount)
        bytes.deallocate()
        bytes = grown
        byteCapacity = capacity
    }

    /// Gives back memory that growing left unused.
    mutating func trim() {
        if lineCapacity - count > count / 8 + 16 { resizeLines(count) }
        if byteCapacity - byteCount > byteCount / 8 + 1024 { resizeBytes(byteCount) }
    }

    /// Removes the lines from `index` on, which were the last to be added.
    mutating func truncate(to index: Int) {
        guard index < count else { return }
        byteCount = Int(lines[index].offset)
        count = index
        if first != Self.none, Int(first) >= count { first = Self.none }
        rebuildSlots(slotCount: slotCount)
    }

    mutating func removeAll() {
        truncate(to: 0)
        first = Self.none
        trim()
    }

    /// Keeps only the lines whose mark is of this generation.
    mutating func keep(generation: UInt32) {
        var places = [UInt32](repeating: Self.none, count: count)
        var kept = 0
        var keptBytes = 0
        for index in 0..<count where lines[index].mark >> 2 == generation {
            places[index] = UInt32(kept)
            var line = lines[index]
            let from = bytes + Int(line.offset)
            // Lines only move towards the front, past bytes that are kept already.
            UnsafeMutableRawPointer(bytes + keptBytes).copyMemory(from: from, byteCount: Int(line.length))
            line.offset = UInt32(keptBytes)
            lines[kept] = line
            keptBytes += Int(line.length)
            kept += 1
        }
        func moved(_ index: UInt32) -> UInt32 { Int(index) < places.count ? places[Int(index)] : Self.none }
        count = kept
        byteCount = keptBytes
        for index in 0..<count { lines[index].next = moved(lines[index].next) }
        first = moved(first)
        var slotCount = 16
        while count * 4 > slotCount * 3 { slotCount *= 2 }
        rebuildSlots(slotCount: slotCount)
        trim()
    }
}
