package import Streams

/// A native histogram as series notation writes it: `{{schema:1 count:3 sum:5 buckets:[1 2]}}`.
package struct HistogramLiteral: Sendable, Equatable {
    package var histogram: NativeHistogram
    /// The hint was written, `unknown` perhaps.
    package var hasCounterResetHint: Bool

    package init(_ histogram: NativeHistogram, hasCounterResetHint: Bool = false) {
        self.histogram = histogram
        self.hasCounterResetHint = hasCounterResetHint
    }
}

extension HistogramLiteral: CustomStringConvertible {
    package var description: String { histogram.notation }
}

extension NativeHistogram {
    /// In series notation, without what has its default, and without empty buckets at the ends.
    /// One whose buckets are too far apart to be written side by side is shown as `text`.
    package var notation: String {
        guard max(positive.extent, negative.extent) <= 10_000 else { return text }
        func number(_ value: Double) -> String { formatFloat(value, .general) }
        func list(_ values: [Double]) -> String { "[" + values.map(number).joined(separator: " ") + "]" }
        var parts: [String] = []
        if schema != 0 { parts.append("schema:\(schema)") }
        if count != 0 { parts.append("count:" + number(count)) }
        if sum != 0 { parts.append("sum:" + number(sum)) }
        if zeroCount != 0 { parts.append("z_bucket:" + number(zeroCount)) }
        if zeroThreshold != 0 { parts.append("z_bucket_w:" + number(zeroThreshold)) }
        if usesCustomBuckets { parts.append("custom_values:" + list(customBounds)) }
        if let word = counterResetHint.word { parts.append("counter_reset_hint:" + word) }
        for (prefix, buckets) in [("", positive), ("n_", negative)] {
            guard let (offset, counts) = buckets.adjacent else { continue }
            if offset != 0 { parts.append("\(prefix)offset:\(offset)") }
            parts.append("\(prefix)buckets:" + list(counts))
        }
        return "{{" + parts.joined(separator: " ") + "}}"
    }
}

extension NativeHistogram.CounterResetHint {
    /// As notation writes it; nil for `unknown`, which it leaves out.
    private var writtenWord: String {
        switch self {
        case .unknown: "unknown"
        case .reset: "reset"
        case .notReset: "not_reset"
        case .gauge: "gauge"
        }
    }

    fileprivate var word: String? { self == .unknown ? nil : writtenWord }

    init?(word: String) {
        let hints: [Self] = [.unknown, .reset, .notReset, .gauge]
        guard let hint = hints.first(where: { $0.writtenWord == word }) else { return nil }
        self = hint
    }
}

extension NativeHistogram.Buckets {
    /// The counts from the first bucket with observations to the last, with the index of the first; nil without any.
    fileprivate var adjacent: (offset: Int32, counts: [Double])? {
        let filled = zip(indices, counts).filter { $0.1 != 0 }
        guard let first = filled.first, let last = filled.last else { return nil }
        var row = [Double](repeating: 0, count: Int(last.0) - Int(first.0) + 1)
        for (index, count) in filled { row[Int(index - first.0)] = count }
        return (first.0, row)
    }

    /// How far the first and the last bucket are apart; without end where the spans are wrong and the buckets don't rise.
    var extent: Int {
        let indices = indices
        guard let first = indices.first, let last = indices.last else { return 0 }
        let isRising = zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 }
        return isRising ? Int(last) - Int(first) : .max
    }
}
