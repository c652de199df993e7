package import Streams

extension NativeHistogram {
    /// Whether the counter was reset after `previous`: a count fell, or a bucket that had observations is gone. A hint
    /// that says so, or denies it, is believed.
    package func isReset(after previous: NativeHistogram) -> Bool {
        switch counterResetHint {
        case .reset: return true
        case .notReset: return false
        case .unknown, .gauge: break
        }
        if count < previous.count { return true }
        if usesCustomBuckets {
            guard previous.usesCustomBuckets else { return true }
            return isAnyCustomBucketLess(than: previous)
        }
        // A running counter can become coarser and its zero bucket wider, never the other way round.
        if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
        var before = CompensatedHistogram(previous)
        let (zeros, threshold) = before.zeroBucket(reaching: zeroThreshold)
        if threshold != zeroThreshold || zeroCount < zeros.sum { return true }
        before.coarsen(to: schema)
        before.dropBuckets(within: zeroThreshold)
        var now = CompensatedHistogram(self)
        now.dropBuckets(within: zeroThreshold)
        return now.buckets.positive.isAnyLess(than: before.buckets.positive)
            || now.buckets.negative.isAnyLess(than: before.buckets.negative)
    }

    private func isAnyCustomBucketLess(than previous: NativeHistogram) -> Bool {
        var before = CompensatedHistogram(previous)
        var now = CompensatedHistogram(self)
        if customBounds != previous.customBounds {
            let common = CompensatedHistogram.commonBounds(customBounds, previous.customBounds)
            before.moveBuckets(to: common)
            now.moveBuckets(to: common)
        }
        return now.buckets.positive.isAnyLess(than: before.buckets.positive)
    }
}

extension CompensatedBuckets {
    /// Whether a bucket of `previous` has more observations than the same one here, which may be missing.
    fileprivate func isAnyLess(than previous: CompensatedBuckets) -> Bool {
        var place = 0
        for (index, sum) in zip(previous.indices, previous.sums) {
            while place < indices.count, indices[place] < index { place += 1 }
            if place < indices.count, indices[place] == index {
                if sums[place].sum < sum.sum { return true }
            } else if sum.sum != 0 {
                return true
            }
        }
        return false
    }
}
