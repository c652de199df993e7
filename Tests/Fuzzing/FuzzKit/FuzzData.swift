package import PromQL
import Streams
import TestKit

/// The series that fuzzed expressions are evaluated over, the same in each run: an hour of everything that a store may
/// hold, with gaps, resets, stale markers, numbers at the ends of their range and histograms of all kinds.
package enum FuzzData {
    package static let metrics = [
        "requests_total", "loss", "odd", "latency_bucket", "latency_count", "exponential", "gauge_histogram",
        "custom", "mixed", "far_buckets", "target_info", "up", "{__name__=~\".+\"}", "{\"a.b\"}", "absent_metric",
    ]

    /// From the epoch to an hour after it.
    package static let series: MemorySeries = {
        var random = SeededGenerator(seed: 42)
        var result = MemorySeries()
        for rank in 0..<6 {
            let labels: LabelSet = [
                "job": rank % 2 == 0 ? "a" : "b", "rank": "\(rank)", "instance": "node-\(rank / 2):1",
            ]
            func append(_ name: String, _ extra: LabelSet = [:], _ value: (Int) -> MemorySeries.Sample?) {
                var labels = labels
                labels["__name__"] = name
                for label in extra { labels[label.name] = label.value }
                result.append(labels, (0...120).compactMap(value))
            }
            var count = 0.0
            append("requests_total") { step in
                count =
                    Int.random(in: 0..<25, using: &random) == 0
                    ? 0 : count + Double(Int.random(in: 0..<9, using: &random))
                return sample(step, rank, count, &random)
            }
            append("loss") { sample($0, rank, Double.random(in: -3...3, using: &random), &random) }
            append("odd") { sample($0, rank, odd.randomElement(using: &random) ?? 0, &random) }
            for bound in ["0.1", "1", "2.5", "+Inf", "junk"] {
                append("latency_bucket", ["le": bound]) {
                    sample($0, rank, Double($0 * (bound.utf8.count + rank)), &random)
                }
            }
            append("latency_count") { sample($0, rank, Double($0 * 7), &random) }
            append("exponential") { step in
                sample(step, rank, exponential(step % 40 + 1, schema: Int32(rank) - 2), &random)
            }
            append("gauge_histogram") { step in
                var histogram = exponential((step * 7) % 23 + 1, schema: step % 50 < 30 ? 1 : 0)
                histogram.counterResetHint = .gauge
                return sample(step, rank, histogram, &random)
            }
            append("custom") {
                sample($0, rank, custom($0 % 60 + 1, bounds: $0 % 90 < 70 ? [0.5, 1, 4] : [1, 3]), &random)
            }
            append("mixed") { step in
                step % (rank + 2) == 0
                    ? sample(step, rank, Double(step), &random)
                    : sample(
                        step, rank, step % 3 == 0 ? custom(step, bounds: [1]) : exponential(step, schema: 0), &random)
            }
            append("far_buckets") { sample($0, rank, far($0 + 1, &random), &random) }
            append("up") { sample($0, rank, 1, &random) }
        }
        for (place, version) in ["1", "2", ""].enumerated() {
            result.append(
                [
                    "__name__": "target_info", "job": "a", "instance": "node-\(place):1", "version": version,
                    "zone": "z\(place)",
                ],
                (0...120).map { MemorySeries.Sample(at: Timestamp(milliseconds: Int64($0) * 30_000), value: 1) })
        }
        result.append(
            ["__name__": "a.b", "a b": "c", "é\n\"": "\\"],
            [MemorySeries.Sample(at: Timestamp(milliseconds: 0), value: 3)])
        return result
    }()

    private static let odd: [Double] = [
        .nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 1.7976931348623157e308,
        -1.7976931348623157e308, 1e300,
        1, -1, 9.223372036854775e18, 9_007_199_254_740_992, 1.0 / 3,
    ]

    private static func sample(_ step: Int, _ rank: Int, _ value: Double, _ random: inout SeededGenerator)
        -> MemorySeries.Sample?
    {
        let draw = Int.random(in: 0..<60, using: &random)
        if draw == 0 || (step > 50 && step < 55 + rank * 5 && rank > 2) { return nil }
        // Off the grid by some milliseconds for most series, on it for the first.
        let time = Timestamp(milliseconds: Int64(step) * 30_000 + Int64(rank * 37))
        let start = rank == 5 ? Timestamp(milliseconds: Int64(step / 20) * 600_000) : nil
        return MemorySeries.Sample(at: time, value: draw == 1 ? StaleMarker.value : value, start: start)
    }

    private static func sample(
        _ step: Int, _ rank: Int, _ histogram: NativeHistogram, _ random: inout SeededGenerator
    ) -> MemorySeries.Sample? {
        guard var sample = sample(step, rank, 0, &random) else { return nil }
        if !sample.value.isNaN { sample.histogram = histogram }
        return sample
    }

    private static func exponential(_ size: Int, schema: Int32) -> NativeHistogram {
        let buckets = NativeHistogram.Buckets(
            spans: [.init(offset: -2, length: 3), .init(offset: 2, length: 2)],
            counts: (0..<5).map { Double(size * ($0 % 3)) })
        let negative = NativeHistogram.Buckets(spans: [.init(offset: 0, length: 2)], counts: [Double(size), 1])
        return NativeHistogram(
            schema: schema, count: buckets.counts.reduce(0, +) + Double(size + 1) + 2, sum: Double(size) * 1.5,
            zeroCount: 2, zeroThreshold: size % 30 < 20 ? 0.001 : 0.5, positive: buckets, negative: negative)
    }

    private static func custom(_ size: Int, bounds: [Double]) -> NativeHistogram {
        let counts = (0...bounds.count).map { Double(size * ($0 + 1)) }
        return NativeHistogram(
            schema: NativeHistogram.customSchema, count: counts.reduce(0, +), sum: Double(size),
            positive: .init(spans: [.init(offset: 0, length: UInt32(counts.count))], counts: counts),
            customBounds: bounds)
    }

    /// Buckets at the ends of their indices, and counts that are no numbers.
    private static func far(_ size: Int, _ random: inout SeededGenerator) -> NativeHistogram {
        let offsets: [Int32] = [.min, -2_000_000_000, -1100, 0, 1100, 2_000_000_000, Int32.max - 1]
        let first = offsets.randomElement(using: &random) ?? 0
        let gap: Int32 = first < 0 ? [0, 5, Int32.max].randomElement(using: &random) ?? 0 : 0
        let counts = [Double(size), odd.map { abs($0) }.randomElement(using: &random) ?? 1]
        let buckets = NativeHistogram.Buckets(
            spans: [.init(offset: first, length: 1), .init(offset: gap, length: 1)], counts: counts)
        return NativeHistogram(
            schema: Int32.random(in: -4...8, using: &random), count: counts.reduce(0, +),
            sum: odd.randomElement(using: &random) ?? 0, zeroThreshold: size % 3 == 0 ? 1e300 : 0, positive: buckets,
            negative: size % 5 == 0 ? buckets : .init())
    }
}
