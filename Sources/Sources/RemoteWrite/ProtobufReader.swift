/// The wire format of Protocol Buffers, as far as reading messages field by field needs it. Never reads outside of its
/// bytes, whatever they hold.
struct ProtobufReader {
    /// A field's number and what kind of value follows.
    struct Tag {
        var field: UInt64
        var wire: UInt8
    }

    struct Malformed: Error {
        let reason: String
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        position = 0
    }

    var isAtEnd: Bool { position >= bytes.count }

    @inline(__always)
    mutating func varint() throws(Malformed) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            guard position < bytes.count else { throw Malformed(reason: "a number is cut off") }
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { break }
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        throw Malformed(reason: "a number does not fit into 64 bits")
    }

    @inline(__always)
    mutating func tag() throws(Malformed) -> Tag {
        let key = try varint()
        if key >> 3 == 0 { throw Malformed(reason: "a field has the number 0") }
        return Tag(field: key >> 3, wire: UInt8(key & 7))
    }

    /// The bytes of a length-delimited value.
    @inline(__always)
    mutating func block() throws(Malformed) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(bytes.count - position) else { throw Malformed(reason: "a field is cut off") }
        let start = position
        position += Int(length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    @inline(__always)
    mutating func fixed64() throws(Malformed) -> UInt64 {
        guard bytes.count - position >= 8 else { throw Malformed(reason: "a number is cut off") }
        defer { position += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// Passes over the value of a field that is not read.
    mutating func skip(_ wire: UInt8) throws(Malformed) {
        switch wire {
        case 0: _ = try varint()
        case 1: _ = try fixed64()
        case 2: _ = try block()
        case 5:
            guard bytes.count - position >= 4 else { throw Malformed(reason: "a number is cut off") }
            position += 4
        default: throw Malformed(reason: "a field has the unknown wire type \(wire)")
        }
    }

    /// The value of a field that has to be length-delimited.
    @inline(__always)
    mutating func block(_ tag: Tag) throws(Malformed) -> UnsafeRawBufferPointer {
        guard tag.wire == 2 else { throw Malformed(reason: "field \(tag.field) has the wire type \(tag.wire), not 2") }
        return try block()
    }

    /// The value of a field that has to be text.
    mutating func text(_ tag: Tag) throws(Malformed) -> String {
        let bytes = try block(tag)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Malformed(reason: "\(excerpt(bytes: bytes)) is not UTF-8")
        }
        return text
    }
}
