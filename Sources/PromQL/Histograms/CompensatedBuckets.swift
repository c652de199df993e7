import Streams

/// The buckets of one sign while histograms are added up: beside each count what rounding has lost of it.
struct CompensatedBuckets: Sendable {
    /// Rising, one for each of `sums`.
    private(set) var indices: [Int32]
    private(set) var sums: [CompensatedSum]

    init(_ buckets: NativeHistogram.Buckets) {
        indices = buckets.indices
        sums = buckets.counts.prefix(indices.count).map { CompensatedSum($0) }
    }

    private init(capacity: Int) {
        indices = []
        sums = []
        indices.reserveCapacity(capacity)
        sums.reserveCapacity(capacity)
    }

    var isEmpty: Bool { indices.isEmpty }

    /// The counts as far as they fit into a float.
    var rounded: NativeHistogram.Buckets { NativeHistogram.Buckets(indices: indices, counts: sums.map(\.sum)) }

    /// The counts with what was lost to rounding.
    var exact: NativeHistogram.Buckets { NativeHistogram.Buckets(indices: indices, counts: sums.map(\.value)) }

    var overflows: Bool { sums.contains(where: \.sum.isInfinite) }

    private mutating func append(_ index: Int32, _ sum: CompensatedSum) {
        indices.append(index)
        sums.append(sum)
    }

    mutating func scale(_ change: (Double) -> Double) {
        for place in sums.indices { sums[place].scale(change) }
    }

    /// Adds the buckets times 1 or -1; missing ones are made.
    mutating func add(_ other: CompensatedBuckets, times factor: Double) {
        if indices == other.indices {
            for place in sums.indices { sums[place].add(other.sums[place], times: factor) }
            return
        }
        var union = CompensatedBuckets(capacity: indices.count + other.indices.count)
        var (mine, theirs) = (0, 0)
        while mine < indices.count || theirs < other.indices.count {
            let isMine =
                mine < indices.count && (theirs == other.indices.count || indices[mine] <= other.indices[theirs])
            let index = isMine ? indices[mine] : other.indices[theirs]
            var sum = isMine ? sums[mine] : nil
            if isMine { mine += 1 }
            if theirs < other.indices.count, other.indices[theirs] == index {
                if sum == nil {
                    sum = other.sums[theirs].times(factor)
                } else {
                    sum?.add(other.sums[theirs], times: factor)
                }
                theirs += 1
            }
            if let sum { union.append(index, sum) }
        }
        self = union
    }

    /// Moves each bucket to where `target` says, joining those that meet; the new indices must not fall.
    mutating func move(_ target: (Int32) -> Int32) {
        var moved = CompensatedBuckets(capacity: indices.count)
        for (index, sum) in zip(indices, sums) {
            let index = target(index)
            if moved.indices.last == index {
                moved.sums[moved.sums.count - 1].add(sum)
            } else {
                moved.append(index, sum)
            }
        }
        self = moved
    }

    /// As a schema that is coarser by so many steps has them: each step joins two buckets.
    mutating func coarsen(by steps: Int32) {
        if steps > 0 { move { (($0 &- 1) >> steps) &+ 1 } }
    }

    /// Takes away the buckets that `isKept` denies, and all that are empty.
    mutating func keep(where isKept: (Int32) -> Bool = { _ in true }) {
        filter { $1.sum != 0 || $1.compensation != 0 ? isKept($0) : false }
    }

    /// Takes away the buckets that `isKept` denies.
    mutating func filter(_ isKept: (Int32, CompensatedSum) -> Bool) {
        var kept = CompensatedBuckets(capacity: indices.count)
        for (index, sum) in zip(indices, sums) where isKept(index, sum) { kept.append(index, sum) }
        self = kept
    }
}

extension CompensatedSum {
    mutating func scale(_ change: (Double) -> Double) {
        self = CompensatedSum(change(sum), compensation: change(compensation))
    }

    func times(_ factor: Double) -> CompensatedSum {
        CompensatedSum(factor * sum, compensation: factor * compensation)
    }

    mutating func add(_ other: CompensatedSum, times factor: Double = 1) {
        add(factor * other.sum)
        if other.compensation != 0 { add(factor * other.compensation) }
    }
}
