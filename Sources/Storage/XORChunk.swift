/// Prometheus's XOR encoding of float samples (Gorilla's, with its own bit ranges): a big-endian count of 16 bits, the
/// first sample in full, the second by delta, the rest by delta of delta and by XOR with the value before.
///
/// Written and read bit for bit as Prometheus's TSDB does, so that a sealed chunk can go to a block as it is.
package enum XORChunk {
    /// What `count` samples can take at most, with the slack that reading needs.
    package static func byteCountMax(samples count: Int) -> Int { 2 + 10 + 8 + (count * (68 + 77) + 7) / 8 + readSlack }
    /// Bytes that must be readable behind the encoded ones.
    package static let readSlack = 8

    /// Times must rise; differences may be of any size (they wrap as Go's do).
    /// - Parameter target: has room for `byteCountMax`.
    /// - Returns: the bytes used, slack not counted.
    package static func encode(
        times: UnsafePointer<Int64>, values: UnsafePointer<UInt64>, count: Int, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var bits = BitWriter(target)
        bits.write(UInt64(UInt16(truncatingIfNeeded: count)), 16)
        guard count > 0 else { return bits.finish() }
        bits.writeVarint(zigzag(times[0]))
        bits.write(values[0], 64)
        var delta: Int64 = 0
        var leading = 64
        var trailing = 0
        for index in 1..<max(1, count) {
            let next = times[index] &- times[index - 1]
            if index == 1 {
                bits.writeVarint(UInt64(bitPattern: next))
            } else {
                write(deltaOfDelta: next &- delta, to: &bits)
            }
            delta = next
            write(xor: values[index] ^ values[index - 1], &leading, &trailing, to: &bits)
        }
        return bits.finish()
    }

    @inline(__always) private static func write(deltaOfDelta change: Int64, to bits: inout BitWriter) {
        if change == 0 {
            bits.write(0b0, 1)
        } else if fits(change, 14) {
            bits.write(0b10 << 14 | low(change, 14), 16)
        } else if fits(change, 17) {
            bits.write(0b110 << 17 | low(change, 17), 20)
        } else if fits(change, 20) {
            bits.write(0b1110 << 20 | low(change, 20), 24)
        } else {
            bits.write(0b1111, 4)
            bits.write(UInt64(bitPattern: change), 64)
        }
    }

    @inline(__always) private static func write(
        xor: UInt64, _ leading: inout Int, _ trailing: inout Int, to bits: inout BitWriter
    ) {
        guard xor != 0 else {
            bits.write(0, 1)
            return
        }
        let newLeading = min(31, xor.leadingZeroBitCount)
        let newTrailing = xor.trailingZeroBitCount
        if leading <= newLeading, trailing <= newTrailing {
            bits.write(0b10, 2)
            bits.write(xor &>> UInt64(trailing), 64 - leading - trailing)
            return
        }
        leading = newLeading
        trailing = newTrailing
        let significant = 64 - leading - trailing
        // 64 significant bits are written as 0.
        bits.write(0b11 << 11 | UInt64(leading) << 6 | UInt64(significant & 63), 13)
        bits.write(xor &>> UInt64(trailing), significant)
    }

    @inline(__always) private static func fits(_ value: Int64, _ width: Int64) -> Bool {
        -(1 << (width - 1) - 1) <= value && value <= 1 << (width - 1)
    }

    @inline(__always) private static func low(_ value: Int64, _ width: UInt64) -> UInt64 {
        UInt64(bitPattern: value) & (1 << width - 1)
    }

    @inline(__always) private static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    package static func count(_ source: UnsafePointer<UInt8>) -> Int { Int(source[0]) << 8 | Int(source[1]) }

    /// Reads what `encode` wrote; the targets have room for the chunk's count. Other bytes give other samples, and no more
    /// than `byteCountMax` of them are looked at.
    /// - Returns: that count.
    @discardableResult
    package static func decode(
        _ source: UnsafePointer<UInt8>, times: UnsafeMutablePointer<Int64>, values: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let count = count(source)
        guard count > 0 else { return 0 }
        var bits = BitReader(source, at: 16)
        let first = bits.readVarint()
        var time = Int64(bitPattern: first >> 1) ^ -Int64(bitPattern: first & 1)
        var value = bits.read(64)
        times[0] = time
        values[0] = value
        guard count > 1 else { return count }
        var delta = Int64(bitPattern: bits.readVarint())
        var window = BitWindow()
        time = time &+ delta
        times[1] = time
        value ^= window.readXOR(&bits)
        values[1] = value
        for index in 2..<max(2, count) {
            // Samples at even distances: one look at the bits is enough for the time and most values.
            let head = bits.peek()
            if head >> 63 == 0 {
                bits.skip(1)
                value ^= window.readXOR(&bits, head &<< 1)
            } else {
                delta = delta &+ readDeltaOfDelta(&bits)
                value ^= window.readXOR(&bits)
            }
            time = time &+ delta
            times[index] = time
            values[index] = value
        }
        return count
    }

    @inline(__always) private static func readDeltaOfDelta(_ bits: inout BitReader) -> Int64 {
        let head = bits.peek()
        switch (~head).leadingZeroBitCount {
        case 0:
            bits.skip(1)
            return 0
        case 1:
            bits.skip(16)
            return signed((head << 2) >> 50, 14)
        case 2:
            bits.skip(20)
            return signed((head << 3) >> 47, 17)
        case 3:
            bits.skip(24)
            return signed((head << 4) >> 44, 20)
        default:
            bits.skip(4)
            return Int64(bitPattern: bits.read(64))
        }
    }

    /// The ranges are shifted by one: the largest positive number has the top bit alone.
    @inline(__always) private static func signed(_ bits: UInt64, _ width: UInt64) -> Int64 {
        let value = Int64(bitPattern: bits)
        return bits > 1 << (width - 1) ? value - 1 << width : value
    }
}

/// Which bits of two neighbouring values differ: all but so many leading and trailing ones.
private struct BitWindow {
    private var significant = 64
    private var trailing = 0

    @inline(__always) mutating func readXOR(_ bits: inout BitReader) -> UInt64 { readXOR(&bits, bits.peek()) }

    /// - Parameter head: the next bits from the top down; at least 56 of them are right.
    @inline(__always) mutating func readXOR(_ bits: inout BitReader, _ head: UInt64) -> UInt64 {
        guard head >> 63 == 1 else {
            bits.skip(1)
            return 0
        }
        if head >> 62 == 0b10 {
            if significant <= 54 {
                bits.skip(2 &+ significant)
                return shifted((head &<< 2) &>> UInt64(truncatingIfNeeded: 64 &- significant))
            }
            bits.skip(2)
        } else {
            let leading = Int(truncatingIfNeeded: (head << 2) >> 59)
            let count = Int(truncatingIfNeeded: (head << 7) >> 58)
            significant = count == 0 ? 64 : count
            trailing = 64 &- leading &- significant
            bits.skip(13)
        }
        return shifted(bits.read(significant))
    }

    /// What nobody has encoded may say that there are more bits than 64.
    @inline(__always) private func shifted(_ value: UInt64) -> UInt64 {
        value &<< UInt64(truncatingIfNeeded: trailing)
    }
}

/// Writes bits, the highest first.
private struct BitWriter {
    private var target: UnsafeMutablePointer<UInt8>
    private let start: UnsafeMutablePointer<UInt8>
    private var pending: UInt64 = 0
    /// Bits that are still free in `pending`.
    private var room = 64

    init(_ target: UnsafeMutablePointer<UInt8>) {
        self.target = target
        start = target
    }

    /// `bits` has nothing above its lowest `count`; `count` is 1...64.
    @inline(__always) mutating func write(_ bits: UInt64, _ count: Int) {
        if count < room {
            room -= count
            pending |= bits &<< UInt64(room)
            return
        }
        let over = count - room
        pending |= bits &>> UInt64(over)
        UnsafeMutableRawPointer(target).storeBytes(of: pending.bigEndian, as: UInt64.self)
        target += 8
        room = 64 - over
        pending = over == 0 ? 0 : bits &<< UInt64(room)
    }

    mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write(rest & 0x7F | 0x80, 8)
            rest >>= 7
        }
        write(rest, 8)
    }

    mutating func finish() -> Int {
        let used = (64 - room + 7) / 8
        UnsafeMutableRawPointer(target).storeBytes(of: pending.bigEndian, as: UInt64.self)
        return target - start + used
    }
}

/// Reads bits, the highest first.
private struct BitReader {
    private let source: UnsafeRawPointer
    private var position: Int

    init(_ source: UnsafePointer<UInt8>, at position: Int) {
        self.source = UnsafeRawPointer(source)
        self.position = position
    }

    /// The next bits from the top down; at least 57 of them are right.
    @inline(__always) func peek() -> UInt64 {
        let word = source.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self).bigEndian
        return word &<< UInt64(position & 7)
    }

    @inline(__always) mutating func skip(_ count: Int) { position &+= count }

    /// `count` is 1...64.
    @inline(__always) mutating func read(_ count: Int) -> UInt64 {
        var word = peek()
        let offset = position & 7
        if count > 64 - offset {
            word |= UInt64(source.load(fromByteOffset: position >> 3 + 8, as: UInt8.self)) &>> UInt64(8 - offset)
        }
        position &+= count
        return word &>> UInt64(truncatingIfNeeded: 64 &- count)
    }

    mutating func readVarint() -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            let byte = read(8)
            result |= (byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return result
    }
}
