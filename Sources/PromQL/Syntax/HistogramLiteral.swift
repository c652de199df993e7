import Streams

/// A native histogram as series notation writes it: `{{schema:1 count:3 sum:5 buckets:[1 2]}}`.
package struct HistogramLiteral: Sendable, Hashable {
    /// What is known of a reset of the counter before this sample.
    package enum CounterResetHint: String, Sendable, Hashable {
        case unknown, reset
        case notReset = "not_reset"
        case gauge
    }

    /// Adjacent buckets from the index `offset` on.
    package struct Buckets: Sendable, Hashable {
        package var offset: Int
        package var counts: [Double]

        package init(offset: Int = 0, counts: [Double] = []) {
            self.offset = offset
            self.counts = counts
        }
    }

    /// The schema of histograms with bounds of their own.
    package static let customSchema = -53

    /// Buckets grow by 2^(2^-schema).
    package var schema = 0
    package var count = 0.0
    package var sum = 0.0
    package var zeroCount = 0.0
    package var zeroThreshold = 0.0
    /// Upper bounds of the buckets, of `customSchema` only.
    package var customValues: [Double] = []
    package var counterResetHint = CounterResetHint.unknown
    /// The hint was written, `unknown` perhaps.
    package var hasCounterResetHint = false
    package var positive = Buckets()
    package var negative = Buckets()

    package init() {}

    package var usesCustomBuckets: Bool { schema == Self.customSchema }
}

// MARK: - Text

extension HistogramLiteral: CustomStringConvertible {
    package var description: String {
        func number(_ value: Double) -> String { formatFloat(value, .general) }
        func list(_ values: [Double]) -> String { "[" + values.map(number).joined(separator: " ") + "]" }
        var parts: [String] = []
        if schema != 0 { parts.append("schema:\(schema)") }
        if count != 0 { parts.append("count:" + number(count)) }
        if sum != 0 { parts.append("sum:" + number(sum)) }
        if zeroCount != 0 { parts.append("z_bucket:" + number(zeroCount)) }
        if zeroThreshold != 0 { parts.append("z_bucket_w:" + number(zeroThreshold)) }
        if usesCustomBuckets { parts.append("custom_values:" + list(customValues)) }
        if counterResetHint != .unknown { parts.append("counter_reset_hint:" + counterResetHint.rawValue) }
        for (prefix, buckets) in [("", positive.trimmed), ("n_", negative.trimmed)] where !buckets.counts.isEmpty {
            if buckets.offset != 0 { parts.append("\(prefix)offset:\(buckets.offset)") }
            parts.append("\(prefix)buckets:" + list(buckets.counts))
        }
        return "{{" + parts.joined(separator: " ") + "}}"
    }
}

// MARK: - Arithmetic

extension HistogramLiteral {
    /// Why two histograms cannot be added.
    package struct ArithmeticError: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// More buckets than that are not made.
    private static let bucketsMax = 10_000

    /// This histogram plus `factor` (1 or -1) times another one of the same or a finer schema.
    package func adding(_ other: HistogramLiteral, times factor: Double = 1) throws(ArithmeticError) -> HistogramLiteral
    {
        func problem(_ reason: String) -> ArithmeticError {
            ArithmeticError(description: "error combining histograms: \(reason)")
        }
        if schema > other.schema { throw problem("cannot merge from schema \(other.schema) to \(schema)") }
        if usesCustomBuckets != other.usesCustomBuckets {
            throw problem("one has custom buckets, the other exponential ones")
        }
        if customValues != other.customValues { throw problem("different custom bounds are not supported") }
        if zeroThreshold != other.zeroThreshold { throw problem("different zero bucket widths are not supported") }
        var result = self
        result.counterResetHint = Self.hint(counterResetHint, other.counterResetHint)
        result.count += factor * other.count
        result.sum += factor * other.sum
        result.zeroCount += factor * other.zeroCount
        let steps = other.schema - schema
        guard let positive = positive.adding(other.positive.coarser(by: steps), times: factor, max: Self.bucketsMax),
            let negative = negative.adding(other.negative.coarser(by: steps), times: factor, max: Self.bucketsMax)
        else { throw problem("their buckets are more than \(Self.bucketsMax) apart") }
        result.positive = positive
        result.negative = negative
        return result
    }

    private static func hint(_ left: CounterResetHint, _ right: CounterResetHint) -> CounterResetHint {
        if left == right { return left }
        return left == .gauge || right == .gauge ? .gauge : .unknown
    }
}

extension HistogramLiteral.Buckets {
    /// Without empty buckets at both ends.
    fileprivate var trimmed: Self {
        guard let first = counts.firstIndex(where: { $0 != 0 }), let last = counts.lastIndex(where: { $0 != 0 }) else {
            return Self()
        }
        return Self(offset: offset + first, counts: Array(counts[first...last]))
    }

    /// The same at a schema that is lower by so many steps: each step joins two buckets.
    fileprivate func coarser(by steps: Int) -> Self {
        guard steps > 0, !counts.isEmpty else { return self }
        func index(_ index: Int) -> Int { ((index - 1) >> steps) + 1 }
        var result = Self(offset: index(offset), counts: [])
        for (position, count) in counts.enumerated() {
            let place = index(offset + position) - result.offset
            if place == result.counts.count { result.counts.append(0) }
            result.counts[place] += count
        }
        return result
    }

    /// Nil where the sum had more than `max` buckets.
    fileprivate func adding(_ other: Self, times factor: Double, max: Int) -> Self? {
        if other.counts.isEmpty { return self }
        if counts.isEmpty { return Self(offset: other.offset, counts: other.counts.map { factor * $0 }) }
        let start = Swift.min(offset, other.offset)
        let end = Swift.max(offset + counts.count, other.offset + other.counts.count)
        guard end - start <= max else { return nil }
        var sum = [Double](repeating: 0, count: end - start)
        for (index, count) in counts.enumerated() { sum[offset - start + index] += count }
        for (index, count) in other.counts.enumerated() { sum[other.offset - start + index] += factor * count }
        return Self(offset: start, counts: sum)
    }
}
