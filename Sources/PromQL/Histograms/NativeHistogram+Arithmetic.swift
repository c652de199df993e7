import Streams

extension NativeHistogram {
    /// This histogram plus another one times 1 or -1.
    func adding(
        _ other: NativeHistogram, times factor: Double = 1
    ) throws(IncompatibleBuckets) -> (sum: NativeHistogram, conflicts: HistogramConflicts) {
        var sum = CompensatedHistogram(self)
        let conflicts = try sum.add(other, times: factor)
        return (sum.rounded, conflicts)
    }

    /// All counts and the sum times a number. A negative one makes a gauge of it.
    func multiplied(by factor: Double) -> NativeHistogram {
        var result = self
        result.change { $0 * factor }
        if factor < 0 { result.counterResetHint = .gauge }
        return result
    }

    /// Division by zero leaves no buckets.
    func divided(by divisor: Double) -> NativeHistogram {
        var result = self
        if divisor == 0 {
            result.positive = Buckets()
            result.negative = Buckets()
        }
        result.change { $0 / divisor }
        if divisor < 0 { result.counterResetHint = .gauge }
        return result
    }

    private mutating func change(_ change: (Double) -> Double) {
        count = change(count)
        sum = change(sum)
        zeroCount = change(zeroCount)
        for place in positive.counts.indices { positive.counts[place] = change(positive.counts[place]) }
        for place in negative.counts.indices { negative.counts[place] = change(negative.counts[place]) }
    }

    /// Without empty buckets.
    func compacted() -> NativeHistogram {
        var result = self
        result.positive = positive.compacted()
        result.negative = negative.compacted()
        return result
    }

    /// In a schema that is not finer than its own.
    func coarsened(to target: Int32) -> NativeHistogram {
        if target >= schema { return self }
        var result = CompensatedHistogram(self)
        result.coarsen(to: target)
        return result.rounded
    }

    /// The same, known of its reset or not.
    func hinted(_ hint: CounterResetHint) -> NativeHistogram {
        var result = self
        result.counterResetHint = hint
        return result
    }

    /// Whether both have the same buckets (empty ones too), bounds and numbers, to the bit. Hints don't count.
    func hasSameData(as other: NativeHistogram) -> Bool {
        func bits(_ values: [Double]) -> [UInt64] { values.map(\.bitPattern) }
        func areEqual(_ left: Buckets, _ right: Buckets) -> Bool {
            left.counts.count == right.counts.count && left.indices == right.indices
                && bits(left.counts) == bits(right.counts)
        }
        return schema == other.schema
            && bits([count, sum, zeroCount]) == bits([other.count, other.sum, other.zeroCount])
            && zeroThreshold == other.zeroThreshold && (!usesCustomBuckets || customBounds == other.customBounds)
            && areEqual(positive, other.positive) && areEqual(negative, other.negative)
    }
}

extension NativeHistogram.Buckets {
    fileprivate func compacted() -> Self {
        if !counts.contains(0) { return self }
        var buckets = CompensatedBuckets(self)
        buckets.keep()
        return buckets.rounded
    }
}
