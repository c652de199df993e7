package import Streams

/// How a series id tells its shard: `local << bits | shard`.
package struct ShardLayout: Sendable, Equatable {
    package let count: Int
    let bits: UInt32

    /// - Parameter count: 1...64.
    init(count: Int) {
        precondition((1...64).contains(count), "a store has 1 to 64 shards")
        self.count = count
        var bits: UInt32 = 0
        while 1 << bits < count { bits += 1 }
        self.bits = bits
    }

    /// Numbers that the low bits can spell; those at and beyond `count` name no shard.
    var slots: Int { 1 << bits }
    /// The largest local id.
    var localMax: UInt32 { .max >> bits }

    @inline(__always) func shard(of id: UInt32) -> Int { Int(id & (1 << bits - 1)) }
    @inline(__always) func local(of id: UInt32) -> UInt32 { id >> bits }
    @inline(__always) func id(local: UInt32, shard: Int) -> UInt32 { local << bits | UInt32(shard) }
    /// The shard that a label set belongs to.
    @inline(__always) func shard(ofHash hash: UInt64) -> Int { Int(((hash >> 32) * UInt64(count)) >> 32) }

    package func shard(of id: SeriesID) -> Int { shard(of: id.rawValue) }
}
