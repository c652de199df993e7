package import Streams

extension NativeHistogram {
    /// What is wrong with its numbers or its form, in Prometheus's words; nil: nothing.
    package var flaw: String? {
        if !usesCustomBuckets, !(-4...8).contains(schema) {
            return "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for"
                + " custom buckets, got schema \(schema)"
        }
        if count < 0 {
            return "observation count is \(formatFloat(count, .general)): histogram's observation count is negative"
        }
        if zeroCount < 0 {
            return "zero bucket has observation count of \(formatFloat(zeroCount, .general)): "
                + "histogram has a bucket whose observation count is negative"
        }
        return (usesCustomBuckets ? customFlaw : exponentialFlaw) ?? positive.flaw.map { "positive side: \($0)" }
            ?? negative.flaw.map { "negative side: \($0)" }
    }

    private var exponentialFlaw: String? {
        customBounds.isEmpty ? nil : "histogram with exponential schema must not have custom bounds"
    }

    private var customFlaw: String? {
        if customBounds.contains(where: \.isNaN) { return "histogram custom bounds must not be NaN" }
        for (bound, next) in zip(customBounds, customBounds.dropFirst()) where next <= bound {
            return "histogram custom bounds must be in strictly increasing order"
        }
        if customBounds.last == .infinity { return "histogram custom bounds must be finite" }
        if zeroCount != 0 { return "custom buckets: must have zero count of 0" }
        if zeroThreshold != 0 { return "custom buckets: must have zero threshold of 0" }
        if !negative.counts.isEmpty { return "custom buckets: must not have negative buckets" }
        let indices = positive.indices
        if let first = indices.first, first < 0 { return "histogram has a span whose offset is negative" }
        if let last = indices.last, Int(last) > customBounds.count { return "histogram custom bounds are too few" }
        return nil
    }
}

extension NativeHistogram.Buckets {
    fileprivate var flaw: String? {
        if spans.dropFirst().contains(where: { $0.offset < 0 }) {
            return "histogram has a span whose offset is negative"
        }
        if spans.reduce(0, { $0 + Int($1.length) }) != counts.count {
            return "histogram spans specify different number of buckets than provided"
        }
        return counts.contains { $0 < 0 } ? "histogram has a bucket whose observation count is negative" : nil
    }
}
