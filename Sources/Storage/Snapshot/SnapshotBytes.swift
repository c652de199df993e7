import Streams

/// Bytes that a snapshot is written as: numbers of seven bits a byte, runs with their length first.
struct SnapshotWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    var count: Int { bytes.count }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }
    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func add(byte: UInt8) { bytes.append(byte) }

    mutating func add(number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func add(number: Int) { add(number: UInt64(number)) }

    mutating func add(signed: Int64) { add(number: UInt64(bitPattern: signed << 1 ^ signed >> 63)) }

    mutating func add<Number: FixedWidthInteger>(fixed number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A run with its length.
    mutating func add(run: UnsafeRawBufferPointer) {
        add(number: run.count)
        bytes.append(contentsOf: run)
    }

    mutating func add(text: String) {
        var text = text
        text.withUTF8 { add(run: UnsafeRawBufferPointer($0)) }
    }
}

/// A part of a snapshot does not say what it should.
struct SnapshotDamage: Error {}

/// Reads what `SnapshotWriter` wrote, within its bounds: other bytes are an error.
struct SnapshotReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var left: Int { bytes.count - position }

    mutating func byte() throws(SnapshotDamage) -> UInt8 {
        guard left > 0 else { throw SnapshotDamage() }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number() throws(SnapshotDamage) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try byte()
            result |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return result }
            shift += 7
        }
        throw SnapshotDamage()
    }

    mutating func signed() throws(SnapshotDamage) -> Int64 {
        let folded = try number()
        return Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    }

    /// A number of things of which each takes a byte or more.
    mutating func count() throws(SnapshotDamage) -> Int {
        let number = try number()
        guard number <= UInt64(left) else { throw SnapshotDamage() }
        return Int(number)
    }

    mutating func fixed<Number: FixedWidthInteger>(_ type: Number.Type) throws(SnapshotDamage) -> Number {
        let size = MemoryLayout<Number>.size
        guard left >= size else { throw SnapshotDamage() }
        defer { position += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    /// A run with its length.
    mutating func run() throws(SnapshotDamage) -> UnsafeRawBufferPointer {
        let count = try count()
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func text() throws(SnapshotDamage) -> String { String(decoding: try run(), as: UTF8.self) }
}
