import PromQL
package import Streams

/// Samples as Prometheus's API writes them: times are numbers, values texts.
package enum SampleJSON {
    /// `[time, "value"]`
    package static func point(_ milliseconds: Int64, _ value: Double, to bytes: inout [UInt8]) {
        bytes += "[\(seconds(milliseconds)),\"\(number(value))\"]".utf8
    }

    /// `[time, {"count": .., "sum": .., "buckets": [[rule, lower, upper, count], ..]}]`; the rule says which bounds belong
    /// to the bucket: 0 the upper, 1 the lower, 2 none, 3 both.
    package static func point(_ milliseconds: Int64, _ histogram: NativeHistogram, to bytes: inout [UInt8]) {
        bytes += "[\(seconds(milliseconds)),".utf8
        bytes += "{\"count\":\"\(number(histogram.count))\",\"sum\":\"\(number(histogram.sum))\"".utf8
        var isFirst = true
        for bucket in histogram.buckets where bucket.count != 0 {
            let rule = bucket.includesLower ? bucket.includesUpper ? 3 : 1 : bucket.includesUpper ? 0 : 2
            bytes += (isFirst ? ",\"buckets\":[" : ",").utf8
            isFirst = false
            bytes += "[\(rule),\"\(number(bucket.lower))\",\"\(number(bucket.upper))\"".utf8
            bytes += ",\"\(number(bucket.count))\"]".utf8
        }
        bytes += (isFirst ? "}]" : "]}]").utf8
    }

    /// Seconds with as many digits after the point as are not zero.
    static func seconds(_ milliseconds: Int64) -> String {
        let whole = milliseconds / 1000
        let rest = abs(milliseconds % 1000)
        if rest == 0 { return "\(whole)" }
        var digits = String(rest + 1000).dropFirst()
        while digits.hasSuffix("0") { digits = digits.dropLast() }
        return (milliseconds < 0 && whole == 0 ? "-0" : "\(whole)") + ".\(digits)"
    }

    /// Go's shortest form without an exponent, as the API writes values.
    private static func number(_ value: Double) -> String {
        value.magnitude != 0 && (value.magnitude < 1e-6 || value.magnitude >= 1e21)
            ? formatFloat(value, .exponent) : formatFloat(value, .fixed)
    }
}
