/// A seeded hash of bytes by folded multiplication (the scheme of wyhash): 8 bytes a step, good in all bits.
/// Not cryptographic; the seed keeps outsiders from preparing collisions.
enum ByteHash {
    private static let first: UInt64 = 0xA076_1D64_78BD_642F
    private static let second: UInt64 = 0xE703_7ED1_A0B4_28DB

    @inline(__always) static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var state = seed ^ first
        var offset = 0
        let count = bytes.count
        while offset + 8 <= count {
            state = mix(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self), second)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < count {
            rest = rest << 8 | UInt64(bytes[offset])
            offset += 1
        }
        return mix(state ^ rest, first ^ UInt64(truncatingIfNeeded: count))
    }

    @inline(__always) static func combine(_ state: UInt64, _ value: UInt64) -> UInt64 {
        mix(state ^ value, second)
    }
}
