import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Streams

/// A query's result as the JSON of Prometheus's API. It leaves in pieces, so that a large one is not there twice.
enum QueryAnswer {
    /// - Parameters:
    ///   - warnings: those besides the result's own.
    ///   - executor: where the text is made, for a large one takes its time.
    ///   - room: what the result takes, until the client has read it.
    static func response(
        _ result: QueryResult, query: String, warnings: [String] = [], statistics: JSONValue? = nil,
        on executor: QueryExecutor, room: AnswerBudget.Hold
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody { writer in
                try await withTaskExecutorPreference(executor) {
                    var text = PieceWriter("{\"status\":\"success\",\"data\":{\"resultType\":")
                    switch result.value {
                    case .scalar(let value, let time):
                        text.write("\"scalar\",\"result\":")
                        SampleJSON.point(time.milliseconds, value, to: &text.bytes)
                    case .string(let value, let time):
                        text.write("\"string\",\"result\":[\(SampleJSON.seconds(time.milliseconds)),")
                        JSONValue.write(string: value, to: &text.bytes)
                        text.write("]")
                    case .vector(let samples): try await write(samples, &text, &writer)
                    case .matrix(let series): try await write(series, &text, &writer)
                    }
                    if let statistics {
                        text.write(",\"stats\":")
                        statistics.write(to: &text.bytes)
                    }
                    text.write("}")
                    list("warnings", warnings + result.warnings(in: query), kind: "warning", to: &text.bytes)
                    list("infos", result.infos(in: query), kind: "info", to: &text.bytes)
                    text.write("}")
                    try await text.finish(&writer)
                    _ = room
                }
            })
    }

    @concurrent
    private static func write(
        _ samples: [VectorSample], _ text: inout PieceWriter, _ writer: inout any ResponseBodyWriter
    ) async throws {
        text.write("\"vector\",\"result\":[")
        for (place, sample) in samples.enumerated() {
            text.write(place == 0 ? "{\"metric\":" : ",{\"metric\":")
            write(sample.labels, to: &text.bytes)
            if let histogram = sample.histogram {
                text.write(",\"histogram\":")
                SampleJSON.point(sample.timestamp.milliseconds, histogram, to: &text.bytes)
            } else {
                text.write(",\"value\":")
                SampleJSON.point(sample.timestamp.milliseconds, sample.value, to: &text.bytes)
            }
            text.write("}")
            if text.isFull { try await text.flush(to: &writer) }
        }
        text.write("]")
    }

    @concurrent
    private static func write(
        _ series: [SeriesSamples], _ text: inout PieceWriter, _ writer: inout any ResponseBodyWriter
    ) async throws {
        text.write("\"matrix\",\"result\":[")
        for (place, one) in series.enumerated() {
            text.write(place == 0 ? "{\"metric\":" : ",{\"metric\":")
            write(one.labels, to: &text.bytes)
            for isHistogram in one.histograms.isEmpty ? [false] : [false, true] {
                var points = PointWriter(one, histograms: isHistogram)
                while !points.isDone {
                    points.write(to: &text)
                    if text.isFull { try await text.flush(to: &writer) }
                }
            }
            text.write("}")
        }
        text.write("]")
    }

    private static func write(_ labels: LabelSet, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for label in labels {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONValue.write(string: label.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONValue.write(string: label.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static let annotationsMax = 10

    /// No more of them than a reader takes in.
    private static func list(_ name: String, _ texts: [String], kind: String, to bytes: inout [UInt8]) {
        if texts.isEmpty { return }
        var shown = Array(texts.prefix(annotationsMax))
        if texts.count > shown.count { shown.append("\(texts.count - shown.count) more \(kind) annotations omitted") }
        bytes += ",\"\(name)\":".utf8
        JSONValue.array(shown.map { .string($0) }).write(to: &bytes)
    }
}

/// Writes the floats or the histograms of one series, as many at a time as fit into a piece.
private struct PointWriter {
    private let series: SeriesSamples
    private let writesHistograms: Bool
    private var next = 0
    private var hasBegun = false

    init(_ series: SeriesSamples, histograms: Bool) {
        self.series = series
        writesHistograms = histograms
    }

    private(set) var isDone = false

    mutating func write(to text: inout PieceWriter) {
        while next < series.timestamps.count, !text.isFull {
            let place = next
            next += 1
            let value = series.values[place]
            guard value.isHistogram == writesHistograms else { continue }
            begin(&text)
            if writesHistograms {
                SampleJSON.point(series.timestamps[place], series.histograms[value.histogramPlace], to: &text.bytes)
            } else {
                SampleJSON.point(series.timestamps[place], value, to: &text.bytes)
            }
        }
        guard next == series.timestamps.count else { return }
        if hasBegun { text.write("]") }
        isDone = true
    }

    private mutating func begin(_ text: inout PieceWriter) {
        if hasBegun {
            text.write(",")
        } else {
            text.write(writesHistograms ? ",\"histograms\":[" : ",\"values\":[")
            hasBegun = true
        }
    }
}
