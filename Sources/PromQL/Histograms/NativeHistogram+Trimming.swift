import Streams

extension NativeHistogram {
    /// Without the observations above (`</`) or below (`>/`) a value. A bucket around the value is divided by
    /// interpolation; count and sum are then estimated from the buckets that are left.
    func trimmed(at value: Double, keepsBelow: Bool) -> NativeHistogram {
        let trim = BucketTrim(value: value, keepsBelow: keepsBelow, isLinear: usesCustomBuckets)
        var result = self
        var total = 0.0
        var sum = 0.0
        var isChanged = false
        func keep(_ bucket: HistogramBucket, isPositive: Bool, _ count: inout Double) {
            if bucket.count == 0 { return }
            let (kept, middle) = trim.kept(of: bucket, isPositive: isPositive)
            guard let middle else {
                count = 0
                isChanged = true
                return
            }
            total += kept
            sum += middle * kept
            if kept != count { isChanged = true }
            count = kept
        }
        for (place, bucket) in positiveBuckets.enumerated() {
            keep(bucket, isPositive: true, &result.positive.counts[place])
        }
        for (place, bucket) in negativeBuckets.enumerated() {
            keep(bucket, isPositive: false, &result.negative.counts[place])
        }
        if zeroCount > 0 {
            let hasPositive = positive.counts.contains { $0 != 0 }
            let hasNegative = negative.counts.contains { $0 != 0 }
            var bucket = zeroBucket
            if hasNegative, !hasPositive { bucket.upper = 0 }
            if hasPositive, !hasNegative { bucket.lower = 0 }
            let (kept, middle) = trim.kept(ofZeroBucket: bucket)
            if kept != zeroCount { isChanged = true }
            result.zeroCount = kept
            total += kept
            sum += middle * kept
        }
        if !isChanged { return result }
        result.count = total
        result.sum = sum
        return result.compacted()
    }
}

/// Where buckets are cut.
private struct BucketTrim {
    let value: Double
    let keepsBelow: Bool
    /// Observations are taken to lie evenly in a bucket, as custom buckets have it.
    let isLinear: Bool

    /// How many observations are left, and what they are on average; no average where the whole bucket goes.
    func kept(of bucket: HistogramBucket, isPositive: Bool) -> (count: Double, middle: Double?) {
        let isKept = keepsBelow ? bucket.upper <= value : bucket.lower >= value
        if isKept { return (bucket.count, middle(bucket.lower, bucket.upper, isPositive)) }
        guard keepsBelow ? bucket.lower < value : bucket.upper > value else { return (0, nil) }
        if bucket.lower == -.infinity { return lowest(bucket) }
        if bucket.upper == .infinity {
            // Nobody knows how far the observations reach: all of them count as just above the value, or as cut off.
            return keepsBelow ? (0, bucket.lower) : (bucket.count, value)
        }
        let below: Double
        if value <= bucket.lower {
            below = 0
        } else if value >= bucket.upper {
            below = bucket.count
        } else {
            below = bucket.count * bucket.share(below: value, isLinear: isLinear)
        }
        return keepsBelow
            ? (below, middle(bucket.lower, value, isPositive))
            : (bucket.count - below, middle(value, bucket.upper, isPositive))
    }

    /// The bucket from -Inf on, which is taken to begin at zero where it ends above.
    private func lowest(_ bucket: HistogramBucket) -> (count: Double, middle: Double?) {
        let reachesAboveZero = bucket.upper > 0 && bucket.upper != .infinity
        let rest = bucket.upper.isInfinite ? 0 : bucket.upper
        if keepsBelow {
            if value > 0, reachesAboveZero { return (bucket.count * value / bucket.upper, value / 2) }
            return bucket.upper <= 0 ? (bucket.count, value) : (0, rest)
        }
        if value >= 0, bucket.upper > value, reachesAboveZero {
            return (bucket.count * (1 - value / bucket.upper), (value + bucket.upper) / 2)
        }
        return (0, rest)
    }

    func kept(ofZeroBucket bucket: HistogramBucket) -> (count: Double, middle: Double) {
        let (lower, upper) = (bucket.lower, bucket.upper)
        let all = (bucket.count, (lower + upper) / 2)
        // A bucket without width at the value itself is not below it.
        if value <= lower { return keepsBelow ? (0, 0) : all }
        if value >= upper { return keepsBelow ? all : (0, 0) }
        let width = upper - lower
        return keepsBelow
            ? (bucket.count * ((value - lower) / width), (lower + value) / 2)
            : (bucket.count * ((upper - value) / width), (value + upper) / 2)
    }

    private func middle(_ lower: Double, _ upper: Double, _ isPositive: Bool) -> Double {
        if lower.isInfinite {
            if upper.isInfinite { return 0 }
            return upper > 0 ? upper / 2 : upper
        }
        if upper.isInfinite { return lower }
        if isLinear { return (lower + upper) / 2 }
        let mean = abs(lower * upper).squareRoot()
        return isPositive ? mean : -mean
    }
}
