import PromQL
import Streams

/// The program's own metrics as `status/self_metrics` has them: the JSON form of Prometheus's protobuf families.
enum SelfMetrics {
    /// - Throws: 400 where `metric_name_pattern` is no expression.
    static func answer(_ parameters: RequestParameters, _ telemetry: Telemetry) throws(APIFailure) -> APIAnswer {
        var wanted: RegularExpression?
        if let pattern = parameters["metric_name_pattern"] {
            do throws(RegularExpression.SyntaxError) {
                wanted = try RegularExpression(pattern)
            } catch {
                throw .badData("invalid metric_name_pattern: \(error.reason)")
            }
        }
        let families = telemetry.families().filter { wanted?.matches($0.name) ?? true }
        return APIAnswer(.array(families.map(json)))
    }

    private static func json(_ family: MetricFamilyReading) -> JSONValue {
        [
            "name": .string(family.name), "help": .string(family.help),
            "type": .string(family.kind.rawValue.uppercased()),
            "metric": .array(family.series.map { json($0, family.kind) }),
        ]
    }

    private static func json(_ series: MetricFamilyReading.Series, _ kind: Telemetry.Kind) -> JSONValue {
        var members: [JSONValue.Member] = []
        if !series.labels.isEmpty {
            let labels = series.labels.map { JSONValue.object([text("name", $0.name), text("value", $0.value)]) }
            members.append(.init("label", .array(labels)))
        }
        return .object(members + [.init(kind.rawValue, json(series.value))])
    }

    private static func text(_ name: String, _ value: String) -> JSONValue.Member { .init(name, .string(value)) }

    private static func json(_ value: MetricFamilyReading.Value) -> JSONValue {
        switch value {
        case .number(let value): return ["value": number(value)]
        case .histogram(let buckets, let sum, let count):
            let list = buckets.map { bucket -> JSONValue in
                ["cumulativeCount": .string(String(bucket.count)), "upperBound": number(bucket.bound)]
            }
            return ["sampleCount": .string(String(count)), "sampleSum": number(sum), "bucket": .array(list)]
        case .summary(let quantiles, let sum, let count):
            let list = quantiles.map { one -> JSONValue in
                ["quantile": number(one.quantile), "value": number(one.value)]
            }
            return ["sampleCount": .string(String(count)), "sampleSum": number(sum), "quantile": .array(list)]
        }
    }

    /// What JSON has no number for is a text.
    private static func number(_ value: Double) -> JSONValue {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "Infinity" : "-Infinity" }
        return .number(formatFloat(value, .fixed))
    }
}
