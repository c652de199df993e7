/// A family of the program's own metrics, as it stood at one moment.
package struct MetricFamilyReading: Sendable {
    package struct Series: Sendable {
        package var labels: LabelSet
        package var value: Value
    }

    package enum Value: Sendable {
        /// Of a counter or a gauge.
        case number(Double)
        /// Buckets without that of +Inf, each with all that lies below its bound.
        case histogram(buckets: [(bound: Double, count: UInt64)], sum: Double, count: UInt64)
        case summary(quantiles: [(quantile: Double, value: Double)], sum: Double, count: UInt64)
    }

    package var name: String
    package var help: String
    package var kind: Telemetry.Kind
    package var series: [Series]

    /// In the text format 0.0.4.
    package var text: String {
        var text = "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for one in series { write(one, to: &text) }
        return text
    }

    private func write(_ series: Series, to text: inout String) {
        func line(_ suffix: String, _ value: Double, _ name: String? = nil, _ bound: String = "") {
            var labels = series.labels
            if let name { labels[name] = bound }
            labels[LabelSet.metricName] = self.name + suffix
            text += "\(labels) \(Self.text(value))\n"
        }
        switch series.value {
        case .number(let value): line("", value)
        case .histogram(let buckets, let sum, let count):
            for bucket in buckets { line("_bucket", Double(bucket.count), "le", "\(bucket.bound)") }
            line("_bucket", Double(count), "le", "+Inf")
            line("_sum", sum)
            line("_count", Double(count))
        case .summary(let quantiles, let sum, let count):
            for quantile in quantiles { line("", quantile.value, "quantile", "\(quantile.quantile)") }
            line("_sum", sum)
            line("_count", Double(count))
        }
    }

    private static func text(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
