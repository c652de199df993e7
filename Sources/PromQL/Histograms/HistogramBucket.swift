package import Streams

/// One bucket of a native histogram with its bounds.
package struct HistogramBucket: Sendable, Equatable {
    package var lower: Double
    package var upper: Double
    package var includesLower: Bool
    package var includesUpper: Bool
    package var count: Double
}

extension NativeHistogram.Buckets {
    /// The indices of the buckets, rising, one for each count.
    var indices: [Int32] {
        var indices: [Int32] = []
        indices.reserveCapacity(counts.count)
        var next: Int32 = 0
        for span in spans {
            next = next &+ span.offset
            for _ in 0..<span.length {
                // Spans that promise more buckets than there are counts have no more to say.
                if indices.count == counts.count { return indices }
                indices.append(next)
                next = next &+ 1
            }
        }
        return indices
    }

    /// Buckets in runs as long as can be.
    init(indices: some Collection<Int32>, counts: [Double]) {
        var spans: [NativeHistogram.Span] = []
        var end: Int32 = 0
        for index in indices {
            if index == end, !spans.isEmpty {
                spans[spans.count - 1].length += 1
            } else {
                spans.append(NativeHistogram.Span(offset: index &- end, length: 1))
            }
            end = index &+ 1
        }
        self.init(spans: spans, counts: counts)
    }
}

extension NativeHistogram {
    /// The buckets above zero from the lowest on, empty ones included; of a custom schema all of them.
    var positiveBuckets: [HistogramBucket] {
        let bounds = BucketBounds(self)
        return zip(positive.indices, positive.counts).map { index, count in
            let lower = bounds[index &- 1]
            let upper = bounds[index]
            return HistogramBucket(
                lower: lower, upper: upper, includesLower: usesCustomBuckets ? index == 0 : lower < 0,
                includesUpper: usesCustomBuckets || upper > 0, count: count)
        }
    }

    /// The buckets below zero, from the one next to zero on.
    var negativeBuckets: [HistogramBucket] {
        let bounds = BucketBounds(self)
        return zip(negative.indices, negative.counts).map { index, count in
            HistogramBucket(
                lower: -bounds[index], upper: -bounds[index &- 1], includesLower: true, includesUpper: false,
                count: count)
        }
    }

    var zeroBucket: HistogramBucket {
        HistogramBucket(
            lower: -zeroThreshold, upper: zeroThreshold, includesLower: true, includesUpper: true, count: zeroCount)
    }

    /// All buckets in rising order, the one around zero among them when it has observations. Those that overlap with it
    /// end at its threshold.
    package var buckets: [HistogramBucket] {
        var buckets = negativeBuckets.reversed().map { bucket in
            var bucket = bucket
            if bucket.upper < 0, bucket.upper > -zeroThreshold { bucket.upper = -zeroThreshold }
            return bucket
        }
        if zeroCount > 0 { buckets.append(zeroBucket) }
        for var bucket in positiveBuckets {
            if bucket.lower > 0, bucket.lower < zeroThreshold { bucket.lower = zeroThreshold }
            buckets.append(bucket)
        }
        return buckets
    }
}
