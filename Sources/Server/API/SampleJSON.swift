import PromQL
package import Streams

/// Samples as Prometheus's API writes them: times are numbers, values texts.
package enum SampleJSON {
    /// `[time, "value"]`
    package static func point(_ milliseconds: Int64, _ value: Double, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        writeSeconds(milliseconds, to: &bytes)
        bytes.append(UInt8(ascii: ","))
        bytes.append(UInt8(ascii: "\""))
        writeNumber(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: "]"))
    }

    /// The rest of a point after `[time,"`.
    @inline(__always)
    static func endPoint(_ value: Double, to bytes: inout [UInt8]) {
        writeNumber(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: "]"))
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

    static func seconds(_ milliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        writeSeconds(milliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Seconds with as many digits after the point as are not zero. Here and below nothing is allocated: it is done for
    /// every sample of an answer.
    static func writeSeconds(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        if whole == 0, milliseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        appendInteger(whole, to: &bytes)
        if rest == 0 { return }
        bytes.append(UInt8(ascii: "."))
        var left = rest.magnitude
        var scale: UInt64 = 100
        while left > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: left / scale))
            left %= scale
            scale /= 10
        }
    }

    static func writeNumber(_ value: Double, to bytes: inout [UInt8]) {
        if value.magnitude < 1e21, value.magnitude >= 1e-6 || value == 0 {
            appendFixedFloat(value, to: &bytes)
        } else {
            bytes += number(value).utf8
        }
    }

    /// Go's shortest form without an exponent, as the API writes values.
    static func number(_ value: Double) -> String {
        value.magnitude != 0 && (value.magnitude < 1e-6 || value.magnitude >= 1e21)
            ? formatFloat(value, .exponent) : formatFloat(value, .fixed)
    }
}
