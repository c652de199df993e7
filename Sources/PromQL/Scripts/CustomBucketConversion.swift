import Streams

/// Makes native histograms with custom buckets of classic ones: `load_with_nhcb`.
struct CustomBucketConversion {
    struct Problem: Error {
        let description: String
    }

    /// The classic series at one time.
    fileprivate struct Classic {
        var bounds: [Double] = []
        /// Cumulative, one a bound.
        var counts: [Double] = []
        var count: Double?
        var sum = 0.0
    }

    private var classics: [LabelSet: [Timestamp: Classic]] = [:]
    private var order: [LabelSet] = []

    /// Takes in a series if it is part of a classic histogram.
    mutating func add(_ labels: LabelSet, _ samples: [MemorySeries.Sample]) {
        let suffixes = ["_bucket", "_count", "_sum"]
        guard let name = labels.name, let suffix = suffixes.first(where: { name.hasSuffix($0) }) else { return }
        var bound: Double?
        if suffix == "_bucket" {
            bound = labels[LabelSet.bucketLabel].flatMap(ClassicBuckets.bound)
            guard let bound, !bound.isNaN else { return }
        }
        var base = labels.without(LabelSet.bucketLabel)
        base[LabelSet.metricName] = String(name.dropLast(suffix.count))
        if classics[base] == nil { order.append(base) }
        for sample in samples where sample.histogram == nil {
            var classic = classics[base]?[sample.at] ?? Classic()
            switch suffix {
            case "_bucket":
                if let bound { classic.add(bound, sample.value) }
            case "_count": classic.count = sample.value
            default: classic.sum = sample.value
            }
            classics[base, default: [:]][sample.at] = classic
        }
    }

    /// The native series, each in the order of time.
    func series() throws(Problem) -> [(labels: LabelSet, samples: [MemorySeries.Sample])] {
        var result: [(LabelSet, [MemorySeries.Sample])] = []
        for labels in order {
            var samples: [MemorySeries.Sample] = []
            for (time, classic) in (classics[labels] ?? [:]).sorted(by: { $0.key < $1.key }) {
                samples.append(MemorySeries.Sample(at: time, value: .nan, histogram: try classic.native()))
            }
            result.append((labels, samples))
        }
        return result
    }
}

extension CustomBucketConversion.Classic {
    /// Of equal bounds the first stays.
    mutating func add(_ bound: Double, _ count: Double) {
        let place = bounds.firstIndex { $0 >= bound } ?? bounds.count
        if place < bounds.count, bounds[place] == bound { return }
        bounds.insert(bound, at: place)
        counts.insert(count, at: place)
    }

    func native() throws(CustomBucketConversion.Problem) -> NativeHistogram {
        var counts = counts
        let count = count ?? counts.last ?? 0
        if bounds.last != .infinity { counts.append(count) }
        for (lower, upper) in zip(counts, counts.dropFirst()) where upper < lower {
            throw CustomBucketConversion.Problem(description: "the counts of a classic histogram fall")
        }
        guard count == counts.last, counts[0] >= 0 else {
            throw CustomBucketConversion.Problem(description: "a classic histogram's count is not that of its buckets")
        }
        var previous = 0.0
        let differences = counts.map { count in
            defer { previous = count }
            return count - previous
        }
        let isWhole = counts.allSatisfy { $0 == $0.rounded() }
        let kept = differences.indices.filter {
            differences[$0] != 0 || (isWhole && Self.isInShortGap($0, differences))
        }
        return NativeHistogram(
            schema: NativeHistogram.customSchema, count: count, sum: sum,
            positive: NativeHistogram.Buckets(indices: kept.map(Int32.init), counts: kept.map { differences[$0] }),
            customBounds: bounds.filter { $0 != .infinity })
    }

    /// Whether an empty bucket is one of at most two between others: Prometheus keeps those of whole counts.
    private static func isInShortGap(_ place: Int, _ counts: [Double]) -> Bool {
        guard let before = counts[..<place].lastIndex(where: { $0 != 0 }),
            let after = counts[place...].firstIndex(where: { $0 != 0 })
        else { return false }
        return after - before <= 3
    }
}
