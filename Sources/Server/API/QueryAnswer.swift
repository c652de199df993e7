import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Streams

/// A query's result as the JSON of Prometheus's API. It leaves in pieces, so that a large one is not there twice.
enum QueryAnswer {
    private static let pieceBytes = 64 * 1024

    static func response(_ result: QueryResult, query: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody { writer in
                var bytes: [UInt8] = []
                func text(_ text: String) { bytes += text.utf8 }
                text("{\"status\":\"success\",\"data\":{\"resultType\":")
                switch result.value {
                case .scalar(let value, let time):
                    text("\"scalar\",\"result\":")
                    point(time.milliseconds, value, to: &bytes)
                case .string(let value, let time):
                    text("\"string\",\"result\":[\(seconds(time.milliseconds)),")
                    JSONValue.write(string: value, to: &bytes)
                    text("]")
                case .vector(let samples):
                    text("\"vector\",\"result\":[")
                    for (place, sample) in samples.enumerated() {
                        text(place == 0 ? "{\"metric\":" : ",{\"metric\":")
                        JSONValue.labels(sample.labels).write(to: &bytes)
                        text(",\"value\":")
                        point(sample.timestamp.milliseconds, sample.value, to: &bytes)
                        text("}")
                        try await flush(&bytes, to: &writer, atLeast: pieceBytes)
                    }
                    text("]")
                case .matrix(let series):
                    text("\"matrix\",\"result\":[")
                    for (place, one) in series.enumerated() {
                        text(place == 0 ? "{\"metric\":" : ",{\"metric\":")
                        JSONValue.labels(one.labels).write(to: &bytes)
                        text(",\"values\":[")
                        for index in one.timestamps.indices {
                            if index > 0 { text(",") }
                            point(one.timestamps[index], one.values[index], to: &bytes)
                            try await flush(&bytes, to: &writer, atLeast: pieceBytes)
                        }
                        text("]}")
                    }
                    text("]")
                }
                text("}")
                list("warnings", result.warnings(in: query), to: &bytes)
                list("infos", result.infos(in: query), to: &bytes)
                text("}")
                try await flush(&bytes, to: &writer, atLeast: 1)
                try await writer.finish(nil)
            })
    }

    @concurrent
    private static func flush(
        _ bytes: inout [UInt8], to writer: inout any ResponseBodyWriter, atLeast count: Int
    ) async throws {
        guard bytes.count >= count else { return }
        try await writer.write(ByteBuffer(bytes: bytes))
        bytes.removeAll(keepingCapacity: true)
    }

    private static func list(_ name: String, _ texts: [String], to bytes: inout [UInt8]) {
        if texts.isEmpty { return }
        bytes += ",\"\(name)\":".utf8
        JSONValue.array(texts.map { .string($0) }).write(to: &bytes)
    }

    private static func point(_ milliseconds: Int64, _ value: Double, to bytes: inout [UInt8]) {
        bytes += "[\(seconds(milliseconds)),\"\(number(value))\"]".utf8
    }

    /// Seconds with as many digits after the point as are not zero.
    private static func seconds(_ milliseconds: Int64) -> String {
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
