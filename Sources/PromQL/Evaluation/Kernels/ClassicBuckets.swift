/// The buckets of one classic histogram at one instant: cumulative counts by upper bound.
struct ClassicBuckets {
    struct Bucket {
        var upperBound: Double
        var count: Double
    }

    /// What had to be mended before a quantile could be taken.
    struct Mending {
        var lowestBound = Double.infinity
        var highestBound = -Double.infinity
        var differenceMax = 0.0
    }

    /// Differences between neighbours below this relative size are noise of floating point.
    private static let tolerance = 1e-12

    /// The bound that a label `le` names: a float as Go reads it.
    static func bound(_ text: String) -> Double? {
        switch text {
        case "+Inf", "Inf": .infinity
        case "-Inf": -.infinity
        default: Double(text)
        }
    }

    private(set) var buckets: [Bucket] = []

    var isEmpty: Bool { buckets.isEmpty }

    mutating func append(upperBound: Double, count: Double) {
        buckets.append(Bucket(upperBound: upperBound, count: count))
    }

    mutating func removeAll() { buckets.removeAll(keepingCapacity: true) }

    /// The value below which the given share of the observations lies, interpolated linearly inside a bucket.
    ///
    /// NaN without a +Inf bucket, with fewer than two buckets or without observations. `mending` says whether counts
    /// that fell with a rising bound had to be lifted.
    mutating func quantile(_ quantile: Double) -> (value: Double, mending: Mending?) {
        if quantile.isNaN { return (.nan, nil) }
        if quantile < 0 { return (-.infinity, nil) }
        if quantile > 1 { return (.infinity, nil) }
        sort()
        guard let last = buckets.last, last.upperBound == .infinity else { return (.nan, nil) }
        coalesce()
        let mending = makeMonotonic()
        guard buckets.count >= 2 else { return (.nan, mending) }
        let observations = buckets[buckets.count - 1].count
        if observations == 0 { return (.nan, mending) }
        var rank = quantile * observations
        let place = firstBucket(reaching: rank)
        if place == buckets.count - 1 { return (buckets[buckets.count - 2].upperBound, mending) }
        if place == 0, buckets[0].upperBound <= 0 { return (buckets[0].upperBound, mending) }
        var start = 0.0
        var count = buckets[place].count
        if place > 0 {
            start = buckets[place - 1].upperBound
            count -= buckets[place - 1].count
            rank -= buckets[place - 1].count
        }
        return (start + (buckets[place].upperBound - start) * (rank / count), mending)
    }

    /// The share of the observations between two values, interpolated linearly inside a bucket.
    mutating func fraction(from lower: Double, to upper: Double) -> Double {
        sort()
        guard let last = buckets.last, last.upperBound == .infinity else { return .nan }
        coalesce()
        let count = buckets[buckets.count - 1].count
        if count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        let lowerRank = min(rank(of: lower) ?? count, count)
        let upperRank = min(rank(of: upper) ?? count, count)
        return (upperRank - lowerRank) / count
    }

    /// How many observations lie below `value`; nil when it is above every bound.
    private func rank(of value: Double) -> Double? {
        var rank = 0.0
        for (index, bucket) in buckets.enumerated() {
            let lowerBound: Double
            if index == 0 {
                lowerBound = bucket.upperBound > 0 ? 0 : -.infinity
            } else {
                lowerBound = buckets[index - 1].upperBound
            }
            if lowerBound >= value { return rank }
            if lowerBound < value, bucket.upperBound > value {
                if lowerBound == -.infinity { return bucket.count }
                return rank + (bucket.count - rank) * (value - lowerBound) / (bucket.upperBound - lowerBound)
            }
            rank = bucket.count
        }
        return nil
    }

    private func firstBucket(reaching rank: Double) -> Int {
        var low = 0
        var high = buckets.count - 1
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].count >= rank { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func sort() {
        buckets.sort { $0.upperBound < $1.upperBound }
    }

    /// Joins buckets of the same bound (as `le="1"` and `le="1.0"`).
    private mutating func coalesce() {
        var kept = 0
        for index in buckets.indices.dropFirst() {
            if buckets[index].upperBound == buckets[kept].upperBound {
                buckets[kept].count += buckets[index].count
            } else {
                kept += 1
                buckets[kept] = buckets[index]
            }
        }
        buckets.removeLast(buckets.count - kept - 1)
    }

    private mutating func makeMonotonic() -> Mending? {
        var mending: Mending?
        var previous = buckets[0].count
        for index in buckets.indices.dropFirst() {
            let count = buckets[index].count
            if count == previous { continue }
            if Self.areAlmostEqual(previous, count) {
                buckets[index].count = previous
            } else if count < previous {
                buckets[index].count = previous
                var found = mending ?? Mending()
                found.lowestBound = min(found.lowestBound, buckets[index].upperBound)
                found.highestBound = max(found.highestBound, buckets[index].upperBound)
                found.differenceMax = max(found.differenceMax, previous - count)
                mending = found
            } else {
                previous = count
            }
        }
        return mending
    }

    private static func areAlmostEqual(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN && right.isNaN { return true }
        let sum = abs(left) + abs(right)
        let difference = abs(left - right)
        if left == 0 || right == 0 || sum < Double.leastNormalMagnitude {
            return difference < tolerance * Double.leastNormalMagnitude
        }
        return difference / min(sum, Double.greatestFiniteMagnitude) < tolerance
    }
}
