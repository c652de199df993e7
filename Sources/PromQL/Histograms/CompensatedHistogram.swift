import Streams

/// Histograms of exponential and of custom buckets don't go together.
struct IncompatibleBuckets: Error, CustomStringConvertible {
    var description: String {
        "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
    }
}

/// What had to be put up with when two histograms were combined.
struct HistogramConflicts: OptionSet, Sendable {
    let rawValue: UInt8

    /// One counter is said to be reset, the other not.
    static let counterResets = HistogramConflicts(rawValue: 1)
    /// Custom bounds differed, so only those of both are left.
    static let customBounds = HistogramConflicts(rawValue: 2)
}

/// A sum of histograms in the making, with what rounding has lost of each of its numbers.
///
/// Differing schemas end up as the coarser one, differing zero buckets as the wider one (or still wider, where its
/// threshold would cut a bucket in two), differing custom bounds as those that both have.
struct CompensatedHistogram: Sendable {
    private(set) var hint: NativeHistogram.CounterResetHint
    private var schema: Int32
    private var zeroThreshold: Double
    private var customBounds: [Double]
    private var count: CompensatedSum
    private var sum: CompensatedSum
    private var zeroCount: CompensatedSum
    private var positive: CompensatedBuckets
    private var negative: CompensatedBuckets

    init(_ histogram: NativeHistogram) {
        hint = histogram.counterResetHint
        schema = histogram.schema
        zeroThreshold = histogram.zeroThreshold
        customBounds = histogram.customBounds
        count = CompensatedSum(histogram.count)
        sum = CompensatedSum(histogram.sum)
        zeroCount = CompensatedSum(histogram.zeroCount)
        positive = CompensatedBuckets(histogram.positive)
        negative = CompensatedBuckets(histogram.negative)
    }

    /// Adds a histogram times 1 or -1.
    @discardableResult
    mutating func add(
        _ histogram: NativeHistogram, times factor: Double = 1
    ) throws(IncompatibleBuckets) -> HistogramConflicts {
        guard usesCustomBuckets == histogram.usesCustomBuckets else { throw IncompatibleBuckets() }
        var other = CompensatedHistogram(histogram)
        var conflicts = combineHints(other.hint)
        if !usesCustomBuckets { reconcileZeroBuckets(&other) }
        count.add(other.count, times: factor)
        sum.add(other.sum, times: factor)
        zeroCount.add(other.zeroCount, times: factor)
        if usesCustomBuckets {
            if customBounds != other.customBounds {
                conflicts.insert(.customBounds)
                reconcileBounds(&other)
            }
            positive.add(other.positive, times: factor)
            if conflicts.contains(.customBounds) { positive.keep() }
            return conflicts
        }
        let coarsest = min(schema, other.schema)
        coarsen(to: coarsest)
        other.coarsen(to: coarsest)
        let threshold = zeroThreshold
        other.dropBuckets(within: threshold)
        positive.add(other.positive, times: factor)
        negative.add(other.negative, times: factor)
        return conflicts
    }

    /// Multiplies everything by a number that is not negative.
    mutating func scale(by factor: Double) { change { $0 * factor } }

    /// Divides everything by a positive number.
    mutating func divide(by divisor: Double) { change { $0 / divisor } }

    private mutating func change(_ change: (Double) -> Double) {
        count.scale(change)
        sum.scale(change)
        zeroCount.scale(change)
        positive.scale(change)
        negative.scale(change)
    }

    /// A number became infinite.
    var overflows: Bool {
        count.sum.isInfinite || sum.sum.isInfinite || zeroCount.sum.isInfinite || positive.overflows
            || negative.overflows
    }

    /// The result as plain additions would give it.
    var rounded: NativeHistogram {
        histogram(count.sum, sum.sum, zeroCount.sum, positive.rounded, negative.rounded)
    }

    /// The result with what was lost to rounding.
    var exact: NativeHistogram {
        histogram(count.value, sum.value, zeroCount.value, positive.exact, negative.exact)
    }

    private func histogram(
        _ count: Double, _ sum: Double, _ zeroCount: Double, _ positive: NativeHistogram.Buckets,
        _ negative: NativeHistogram.Buckets
    ) -> NativeHistogram {
        NativeHistogram(
            schema: schema, counterResetHint: hint, count: count, sum: sum, zeroCount: zeroCount,
            zeroThreshold: zeroThreshold, positive: positive, negative: negative, customBounds: customBounds)
    }
}

// MARK: - Reconciliation

extension CompensatedHistogram {
    private var usesCustomBuckets: Bool { schema == NativeHistogram.customSchema }

    /// A gauge makes the result one; what is not known of one is not known of the result.
    private mutating func combineHints(_ other: NativeHistogram.CounterResetHint) -> HistogramConflicts {
        if hint == other { return [] }
        if hint == .gauge || other == .gauge {
            hint = .gauge
            return []
        }
        let isCollision = hint != .unknown && other != .unknown
        hint = .unknown
        return isCollision ? .counterResets : []
    }

    mutating func coarsen(to target: Int32) {
        positive.coarsen(by: schema - target)
        negative.coarsen(by: schema - target)
        schema = target
    }

    /// Makes both have the same zero bucket. The buckets of `other` that lie in it stay.
    private mutating func reconcileZeroBuckets(_ other: inout CompensatedHistogram) {
        // A width that is not a number is neither, so that it does not go on for ever.
        while zeroThreshold < other.zeroThreshold || zeroThreshold > other.zeroThreshold {
            if zeroThreshold > other.zeroThreshold {
                (other.zeroCount, other.zeroThreshold) = other.zeroBucket(reaching: zeroThreshold)
            }
            if other.zeroThreshold > zeroThreshold {
                (zeroCount, zeroThreshold) = zeroBucket(reaching: other.zeroThreshold)
                let lower = lowerBound
                let threshold = zeroThreshold
                positive.keep { lower($0) >= threshold }
                negative.keep { lower($0) >= threshold }
            }
        }
    }

    /// What the zero bucket would be with that threshold, which is not below the present one: it grows further where it
    /// would cut a bucket in two.
    func zeroBucket(reaching threshold: Double) -> (count: CompensatedSum, threshold: Double) {
        var threshold = threshold
        while true {
            var result = zeroCount
            var isCutting = false
            for buckets in [positive, negative] {
                for (index, sum) in zip(buckets.indices, buckets.sums) where !isCutting {
                    if lowerBound(index) >= threshold { break }
                    result.add(sum)
                    let upper = BucketBounds.exponential(index, schema)
                    if upper > threshold, sum.sum != 0 {
                        threshold = upper
                        isCutting = true
                    }
                }
            }
            if !isCutting { return (result, threshold) }
        }
    }

    private var lowerBound: (Int32) -> Double {
        let schema = schema
        return { BucketBounds.exponential($0 &- 1, schema) }
    }

    /// Takes away buckets that a zero bucket of that threshold contains.
    mutating func dropBuckets(within threshold: Double) {
        if threshold <= 0 { return }
        let schema = schema
        positive.filter { index, _ in BucketBounds.exponential(index, schema) > threshold }
        negative.filter { index, _ in BucketBounds.exponential(index, schema) > threshold }
    }

    /// Leaves both only the bounds that both have.
    private mutating func reconcileBounds(_ other: inout CompensatedHistogram) {
        let common = Self.commonBounds(customBounds, other.customBounds)
        moveBuckets(to: common)
        other.moveBuckets(to: common)
    }

    static func commonBounds(_ left: [Double], _ right: [Double]) -> [Double] {
        var common: [Double] = []
        var place = 0
        for bound in left {
            while place < right.count, right[place] < bound { place += 1 }
            if place < right.count, right[place] == bound { common.append(bound) }
        }
        return common
    }

    /// Joins custom buckets so that only these of their bounds are left.
    mutating func moveBuckets(to bounds: [Double]) {
        let old = customBounds
        var target = 0
        positive.move { index in
            guard Int(index) < old.count, index >= 0 else { return Int32(bounds.count) }
            while target < bounds.count, bounds[target] < old[Int(index)] { target += 1 }
            return Int32(target)
        }
        customBounds = bounds
    }

    /// Takes the buckets as columns: what comparisons of buckets need.
    var buckets: (positive: CompensatedBuckets, negative: CompensatedBuckets) { (positive, negative) }
}
