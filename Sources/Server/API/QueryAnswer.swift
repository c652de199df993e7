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
                    SampleJSON.point(time.milliseconds, value, to: &bytes)
                case .string(let value, let time):
                    text("\"string\",\"result\":[\(SampleJSON.seconds(time.milliseconds)),")
                    JSONValue.write(string: value, to: &bytes)
                    text("]")
                case .vector(let samples):
                    text("\"vector\",\"result\":[")
                    for (place, sample) in samples.enumerated() {
                        text(place == 0 ? "{\"metric\":" : ",{\"metric\":")
                        JSONValue.labels(sample.labels).write(to: &bytes)
                        if let histogram = sample.histogram {
                            text(",\"histogram\":")
                            SampleJSON.point(sample.timestamp.milliseconds, histogram, to: &bytes)
                        } else {
                            text(",\"value\":")
                            SampleJSON.point(sample.timestamp.milliseconds, sample.value, to: &bytes)
                        }
                        text("}")
                        try await flush(&bytes, to: &writer, atLeast: pieceBytes)
                    }
                    text("]")
                case .matrix(let series):
                    text("\"matrix\",\"result\":[")
                    for (place, one) in series.enumerated() {
                        text(place == 0 ? "{\"metric\":" : ",{\"metric\":")
                        JSONValue.labels(one.labels).write(to: &bytes)
                        for isHistogram in [false, true] {
                            var isFirst = true
                            for index in one.timestamps.indices where one.values[index].isHistogram == isHistogram {
                                text(isFirst ? isHistogram ? ",\"histograms\":[" : ",\"values\":[" : ",")
                                isFirst = false
                                if isHistogram {
                                    let histogram = one.histograms[one.values[index].histogramPlace]
                                    SampleJSON.point(one.timestamps[index], histogram, to: &bytes)
                                } else {
                                    SampleJSON.point(one.timestamps[index], one.values[index], to: &bytes)
                                }
                                try await flush(&bytes, to: &writer, atLeast: pieceBytes)
                            }
                            if !isFirst { text("]") }
                        }
                        text("}")
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
}
