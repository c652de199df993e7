package import Streams
import Synchronization

/// Which series the bytes of pushed lines stand for, shared by all requests: a known series costs a hash of its bytes.
///
/// - Holds: at most `capacity` series, 24 bytes a slot and at least two slots a series. Each shard keeps two
///   generations; when the younger one is full the older one is forgotten, so what is in use stays.
/// - Waits: for a shard's lock only.
package final class SeriesCache: Sendable {
    /// What the cache says about a key.
    package enum Answer: Sendable, Equatable {
        case known(SeriesID)
        /// Relabelling dropped this series when it was seen last.
        case dropped
        case unknown
    }

    private struct Shard {
        var young: KeyTable
        var old = KeyTable(capacity: 0)
    }

    private static let shardCount = 16
    private let shards: [ShardBox]
    private let seenEpoch: Mutex<UInt64>
    private let shardCapacity: Int
    package let secret: HashSecret

    private final class ShardBox: Sendable {
        let shard = Mutex(Shard(young: KeyTable(capacity: 16)))
    }

    package init(capacity: Int = 1 << 20, secret: HashSecret = .random()) {
        self.secret = secret
        shardCapacity = max(16, capacity / Self.shardCount / 2)
        shards = (0..<Self.shardCount).map { _ in ShardBox() }
        seenEpoch = Mutex(0)
    }

    /// To be called at the start of each request with `Ingest.epoch`: when it is another than before, the cache forgets
    /// everything, since ids may have been retired.
    package func begin(epoch: UInt64) {
        let changed = seenEpoch.withLock { seen in
            defer { seen = epoch }
            return seen != epoch
        }
        if changed { forget() }
    }

    package func forget() {
        for box in shards {
            box.shard.withLock { $0 = Shard(young: KeyTable(capacity: 16)) }
        }
    }

    package func find(_ key: SeriesKey) -> Answer {
        let raw = shards[Int(truncatingIfNeeded: key.high >> 60)].shard.withLock { shard -> UInt32? in
            if let raw = shard.young.find(key) { return raw }
            guard let raw = shard.old.find(key) else { return nil }
            insert(raw, key, &shard)
            return raw
        }
        switch raw {
        case nil: return .unknown
        case KeyTable.dropped?: return .dropped
        case let raw?: return .known(SeriesID(rawValue: raw))
        }
    }

    /// Remembers the id of a key; nil: that the series is dropped.
    package func insert(_ id: SeriesID?, for key: SeriesKey) {
        shards[Int(truncatingIfNeeded: key.high >> 60)].shard.withLock {
            insert(id?.rawValue ?? KeyTable.dropped, key, &$0)
        }
    }

    private func insert(_ raw: UInt32, _ key: SeriesKey, _ shard: inout Shard) {
        if shard.young.count >= shardCapacity {
            shard.old = shard.young
            shard.young = KeyTable(capacity: shardCapacity)
        }
        shard.young.insert(raw, key)
    }

    /// How many keys are remembered; a key that was used lately may count twice.
    package var count: Int {
        shards.reduce(0) { sum, box in sum + box.shard.withLock { $0.young.count + $0.old.count } }
    }
}

/// An open-addressing table from 128-bit keys to ids. The keys are hashes already, so they are their own slots.
struct KeyTable: Sendable {
    /// The value of a key whose series is dropped. No series has this id.
    static let dropped = UInt32.max

    private struct Slot {
        var low: UInt64 = 0
        var high: UInt64 = 0
        var value: UInt32 = 0
        var isUsed = false
    }

    private var slots: [Slot]
    private(set) var count = 0

    init(capacity: Int) {
        var size = 0
        if capacity > 0 {
            size = 16
            while size < capacity * 2 { size *= 2 }
        }
        slots = Array(repeating: Slot(), count: size)
    }

    func find(_ key: SeriesKey) -> UInt32? {
        if slots.isEmpty { return nil }
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: key.low) & mask
        while slots[place].isUsed {
            if slots[place].low == key.low, slots[place].high == key.high { return slots[place].value }
            place = (place + 1) & mask
        }
        return nil
    }

    mutating func insert(_ value: UInt32, _ key: SeriesKey) {
        if (count + 1) * 2 > slots.count { grow() }
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: key.low) & mask
        while slots[place].isUsed {
            if slots[place].low == key.low, slots[place].high == key.high {
                slots[place].value = value
                return
            }
            place = (place + 1) & mask
        }
        slots[place] = Slot(low: key.low, high: key.high, value: value, isUsed: true)
        count += 1
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: max(16, old.count * 2))
        count = 0
        for slot in old where slot.isUsed {
            insert(slot.value, SeriesKey(low: slot.low, high: slot.high))
        }
    }
}
