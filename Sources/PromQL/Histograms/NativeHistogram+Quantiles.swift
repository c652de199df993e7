import Glibc
import Streams

extension NativeHistogram {
    /// What NaN observations, which are in no bucket, do to a result.
    enum NaNEffect: Hashable, Sendable {
        case resultIsNaN, resultIsSkewed, fractionsLackThem
    }

    private var hasOnlyPositiveBuckets: Bool { negative.counts.isEmpty && !positive.counts.isEmpty }
    private var hasOnlyNegativeBuckets: Bool { positive.counts.isEmpty && !negative.counts.isEmpty }

    /// The value below which the given share of the observations lies: interpolated linearly in custom buckets and in
    /// the zero bucket, exponentially elsewhere. A zero bucket beside buckets of one sign only reaches to zero.
    func quantile(_ quantile: Double) -> (value: Double, effect: NaNEffect?) {
        if quantile < 0 { return (-.infinity, nil) }
        if quantile > 1 { return (.infinity, nil) }
        if count == 0 || quantile.isNaN { return (.nan, nil) }
        // From the nearer end; with NaN observations, which count as above everything, from below.
        let isRising = sum.isNaN || quantile < 0.5
        let buckets = isRising ? self.buckets : self.buckets.reversed()
        var rank = (isRising ? quantile : 1 - quantile) * count
        var seen = 0.0
        var place = 0
        while place < buckets.count {
            seen += buckets[place].count
            if buckets[place].count != 0, seen >= rank { break }
            place += 1
        }
        let empty = HistogramBucket(lower: 0, upper: 0, includesLower: false, includesUpper: false, count: 0)
        var bucket = place < buckets.count ? buckets[place] : buckets.last ?? empty
        if usesCustomBuckets {
            if bucket.lower == -.infinity {
                if bucket.upper <= 0 { return (bucket.upper, nil) }
                bucket.lower = 0
            } else if bucket.upper == .infinity {
                return (bucket.lower, nil)
            }
        } else if bucket.lower < 0, bucket.upper > 0 {
            if hasOnlyPositiveBuckets { bucket.lower = 0 }
            if hasOnlyNegativeBuckets { bucket.upper = 0 }
        }
        seen = min(seen, count)
        if seen < rank { return sum.isNaN ? (.nan, .resultIsNaN) : (bucket.upper, nil) }
        rank = isRising ? rank - (seen - bucket.count) : seen - rank
        var effect: NaNEffect?
        if sum.isNaN {
            let rest = place < buckets.count ? buckets[(place + 1)...].reduce(0) { $0 + $1.count } : 0
            if seen + rest < count { effect = .resultIsSkewed }
        }
        return (bucket.value(at: rank / bucket.count, isLinear: usesCustomBuckets), effect)
    }

    /// The share of the observations between two values.
    func fraction(from lower: Double, to upper: Double) -> (value: Double, effect: NaNEffect?) {
        if count == 0 || lower.isNaN || upper.isNaN { return (.nan, nil) }
        if lower >= upper { return (0, nil) }
        let buckets = self.buckets
        let lowerRank = rank(of: lower, buckets)
        let upperRank = rank(of: upper, buckets)
        var total = count
        var effect: NaNEffect?
        if sum.isNaN {
            total = buckets.reduce(0) { $0 + $1.count }
            if total < count { effect = .fractionsLackThem }
        }
        let share = (min(upperRank ?? total, total) - min(lowerRank ?? total, total)) / count
        return (share, effect)
    }

    /// How many observations lie below the value; nil when it is above every bucket.
    private func rank(of value: Double, _ buckets: [HistogramBucket]) -> Double? {
        var rank = 0.0
        for var bucket in buckets {
            let isZeroBucket = bucket.lower <= 0 && bucket.upper >= 0
            if isZeroBucket, hasOnlyPositiveBuckets { bucket.lower = 0 }
            if isZeroBucket, hasOnlyNegativeBuckets { bucket.upper = 0 }
            if bucket.lower >= value { return rank }
            if bucket.upper > value {
                // An infinite bucket can't be divided: it lies below the value as a whole.
                if bucket.lower == -.infinity, usesCustomBuckets || isZeroBucket { return bucket.count }
                return rank + bucket.count * bucket.share(below: value, isLinear: usesCustomBuckets || isZeroBucket)
            }
            rank += bucket.count
        }
        return nil
    }

    /// The variance of the observations, each taken for the middle of its bucket.
    var variance: Double {
        let mean = sum / count
        var squares = CompensatedSum()
        for bucket in buckets where bucket.count != 0 {
            let middle: Double
            if usesCustomBuckets {
                middle = (bucket.upper + bucket.lower) / 2
            } else if bucket.lower <= 0, bucket.upper >= 0 {
                middle = 0
            } else {
                let root = (bucket.upper * bucket.lower).squareRoot()
                middle = bucket.upper < 0 ? -root : root
            }
            let difference = middle - mean
            squares.add(bucket.count * difference * difference)
        }
        return squares.value / count
    }
}

extension HistogramBucket {
    /// The value below which that share of the bucket's observations lies.
    fileprivate func value(at share: Double, isLinear: Bool) -> Double {
        if isLinear || (lower <= 0 && upper >= 0) { return lower + (upper - lower) * share }
        let (low, high) = (log2(abs(lower)), log2(abs(upper)))
        if lower > 0 { return exp2(low + (high - low) * share) }
        return -exp2(high + (low - high) * (1 - share))
    }

    /// The share of the bucket's observations below a value inside of it; both bounds are finite, or the result says
    /// nothing.
    func share(below value: Double, isLinear: Bool) -> Double {
        if isLinear { return (value - lower) / (upper - lower) }
        let (low, high, middle) = (log2(abs(lower)), log2(abs(upper)), log2(abs(value)))
        return value > 0 ? (middle - low) / (high - low) : 1 - (middle - high) / (low - high)
    }
}
