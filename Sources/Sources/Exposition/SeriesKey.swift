/// 128 secret bits that make the keys of one process unguessable, so that nobody can send two series with one key.
package struct HashSecret: Sendable, Hashable {
    package let low: UInt64
    package let high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Fresh secrets from a generator: the system's in production, a seeded one in simulations.
    package init(using generator: inout some RandomNumberGenerator) {
        low = generator.next()
        high = generator.next()
    }

    package static func random() -> HashSecret {
        var generator = SystemRandomNumberGenerator()
        return HashSecret(using: &generator)
    }
}

/// The bytes of a series in 128 bits: SipHash-1-3 with a secret key, so that it may stand for the bytes themselves.
package struct SeriesKey: Hashable, Sendable {
    package let low: UInt64
    package let high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// - Parameter context: what else decides which series the bytes stand for, such as the group of a push.
    package init(_ bytes: UnsafeRawBufferPointer, context: UInt64 = 0, secret: HashSecret) {
        var state = SipState(secret, context: context)
        state.absorb(bytes)
        (low, high) = state.finish()
    }
}

/// SipHash with one round a word and three at the end, in its form with 128 bits of result (Aumasson and Bernstein).
private struct SipState {
    private var v0: UInt64, v1: UInt64, v2: UInt64, v3: UInt64

    @inline(__always)
    init(_ secret: HashSecret, context: UInt64) {
        v0 = secret.low ^ 0x736f_6d65_7073_6575
        v1 = secret.high ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = secret.low ^ 0x6c79_6765_6e65_7261
        v3 = secret.high ^ 0x7465_6462_7974_6573
        word(context)
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = v1 &<< 13 | v1 &>> 51
        v1 ^= v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 = v2 &+ v3
        v3 = v3 &<< 16 | v3 &>> 48
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = v3 &<< 21 | v3 &>> 43
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = v1 &<< 17 | v1 &>> 47
        v1 ^= v2
        v2 = v2 &<< 32 | v2 &>> 32
    }

    @inline(__always)
    private mutating func word(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    @inline(__always)
    mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
        var last = UInt64(truncatingIfNeeded: bytes.count) &<< 56
        guard let base = bytes.baseAddress else {
            word(last)
            return
        }
        let whole = bytes.count & ~7
        var offset = 0
        while offset < whole {
            word(base.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
            offset &+= 8
        }
        var shift: UInt64 = 0
        while offset < bytes.count {
            last |= UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) &<< shift
            shift &+= 8
            offset &+= 1
        }
        word(last)
    }

    @inline(__always)
    mutating func finish() -> (UInt64, UInt64) {
        v2 ^= 0xee
        for _ in 0..<3 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<3 { round() }
        return (low, v0 ^ v1 ^ v2 ^ v3)
    }
}
