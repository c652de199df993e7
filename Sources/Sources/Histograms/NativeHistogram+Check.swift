import Streams

/// What storage asks of a native histogram that comes from outside (Prometheus's rules).
extension NativeHistogram {
    /// Buckets of one sign that are read at most.
    static let bucketsMax = 1 << 16
    /// Bucket indexes beyond are refused: no finite value has one, and sums of them stay in 32 bits.
    private static let indexMax = 1 << 30

    /// What is wrong with it; nil: nothing.
    /// - Parameter isWhole: it was counted in whole numbers, so that the sums have to be exact.
    func problem(isWhole: Bool) -> String? {
        if usesCustomBuckets {
            if let problem = customProblem { return problem }
        } else {
            guard (-4...8).contains(schema) else {
                return "a histogram has the schema \(schema); -4 to 8 and \(Self.customSchema) are known"
            }
            if !customBounds.isEmpty { return "a histogram with an exponential schema has custom bounds" }
        }
        for (sign, buckets) in [("positive", positive), ("negative", negative)] {
            if let problem = Self.problem(of: buckets) { return "the \(sign) side of a histogram \(problem)" }
        }
        if count < 0 || zeroCount < 0 { return "a histogram has a negative count" }
        if zeroThreshold.isNaN { return "a histogram has a zero bucket whose width is not a number" }
        return isWhole ? sumProblem : nil
    }

    private var customProblem: String? {
        if zeroCount != 0 || zeroThreshold != 0 { return "a histogram with custom bounds has a zero bucket" }
        if !negative.spans.isEmpty || !negative.counts.isEmpty {
            return "a histogram with custom bounds has negative buckets"
        }
        for (index, bound) in customBounds.enumerated() {
            if !bound.isFinite { return "a histogram has a custom bound that is not finite" }
            if index > 0, customBounds[index - 1] >= bound { return "a histogram's custom bounds do not rise" }
        }
        let reach = positive.spans.reduce(0) { $0 + Int($1.offset) + Int($1.length) }
        if reach > customBounds.count + 1 {
            return "a histogram has \(customBounds.count) custom bounds, too few for its \(reach) buckets"
        }
        if let first = positive.spans.first, first.offset < 0 {
            return "a histogram has a bucket before its first bound"
        }
        return nil
    }

    private static func problem(of buckets: Buckets) -> String? {
        var index = 0
        var length = 0
        for (place, span) in buckets.spans.enumerated() {
            if place > 0, span.offset < 0 { return "has a span with the offset \(span.offset)" }
            index += Int(span.offset) + Int(span.length)
            length += Int(span.length)
            if abs(index) > indexMax || abs(Int(span.offset)) > indexMax {
                return "has a bucket that no value can be in"
            }
        }
        if length != buckets.counts.count {
            return "has spans for \(length) buckets, but \(buckets.counts.count) counts"
        }
        return buckets.counts.contains { $0 < 0 } ? "has a bucket with a negative count" : nil
    }

    /// Counts of whole numbers are exact as far as a float tells them apart.
    private var sumProblem: String? {
        let found = positive.counts.reduce(0, +) + negative.counts.reduce(0, +) + zeroCount
        guard sum.isNaN ? found > count : found != count else { return nil }
        if max(found, count) > 9_007_199_254_740_992 { return nil }
        return "a histogram's buckets hold \(FloatCount(found)) observations, but its count is \(FloatCount(count))"
    }
}

/// A count without the fraction that it does not have.
private struct FloatCount: CustomStringConvertible {
    let description: String
    init(_ count: Double) { description = UInt64(exactly: count).map { "\($0)" } ?? "\(count)" }
}
