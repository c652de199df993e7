import Streams

/// Label sets as plain bytes with their hashes, made outside of the shards, so that interning inside of one touches no
/// `String` and counts no reference.
struct LabelColumns: Sendable {
    /// One label of one set.
    struct Label: Sendable {
        var start: Int
        var nameCount: UInt32
        var valueCount: UInt32
        var nameHash: UInt64
        var valueHash: UInt64
    }

    private(set) var bytes: [UInt8] = []
    private(set) var labels: [Label] = []
    /// Set `i` is `labels[bounds[i]..<bounds[i + 1]]`.
    private(set) var bounds: [Int] = [0]
    private(set) var hashes: [UInt64] = []

    var count: Int { hashes.count }

    init(_ labelSets: [LabelSet], seed: UInt64) {
        bounds.reserveCapacity(labelSets.count + 1)
        hashes.reserveCapacity(labelSets.count)
        for labelSet in labelSets {
            var hash = seed
            for label in labelSet {
                let start = bytes.count
                bytes.append(contentsOf: label.name.utf8)
                let middle = bytes.count
                bytes.append(contentsOf: label.value.utf8)
                let (nameHash, valueHash) = bytes.withUnsafeBytes { all in
                    (
                        ByteHash.hash(UnsafeRawBufferPointer(rebasing: all[start..<middle]), seed: seed),
                        ByteHash.hash(UnsafeRawBufferPointer(rebasing: all[middle...]), seed: seed)
                    )
                }
                labels.append(
                    Label(
                        start: start, nameCount: UInt32(truncatingIfNeeded: middle - start),
                        valueCount: UInt32(truncatingIfNeeded: bytes.count - middle), nameHash: nameHash,
                        valueHash: valueHash))
                hash = ByteHash.combine(ByteHash.combine(hash, nameHash), valueHash)
            }
            bounds.append(labels.count)
            hashes.append(hash)
        }
    }
}
