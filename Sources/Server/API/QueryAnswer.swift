import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Streams

/// A query's result as the JSON of Prometheus's API.
struct QueryAnswer: Sendable {
    private let result: QueryResult
    private let query: String
    private let warnings: [String]
    private let statistics: JSONValue?
    private let room: AnswerBudget.Hold

    /// - Parameters:
    ///   - warnings: those besides the result's own.
    ///   - room: what the result takes, until the client has read it.
    init(
        _ result: QueryResult, query: String, warnings: [String] = [], statistics: JSONValue? = nil,
        room: AnswerBudget.Hold
    ) {
        self.result = result
        self.query = query
        self.warnings = warnings
        self.statistics = statistics
        self.room = room
    }

    /// A small answer is made at once; a large one leaves in pieces, so that it is not there twice.
    /// - Parameter executor: where a large one's text is made, for it takes its time.
    func response(on executor: QueryExecutor) -> Response {
        let headers: HTTPFields = [.contentType: "application/json"]
        if isSmall {
            var text = PieceWriter(pieceBytes: .max)
            begin(&text)
            switch result.value {
            case .vector(let samples): for sample in samples.indices { Self.write(samples, sample, &text) }
            case .matrix(let series):
                var times = TimeTexts()
                for place in series.indices {
                    var points = Self.begin(series, place, &text)
                    points.write(to: &text, &times)
                }
            case .scalar, .string: break
            }
            end(&text)
            let buffer = ByteBuffer(bytes: text.bytes)
            // Two pieces' worth may wait for a slow client uncounted, as two pieces do of any answer.
            if buffer.readableBytes <= Self.uncountedBytesMax {
                return Response(status: .ok, headers: headers, body: .init(byteBuffer: buffer))
            }
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody(contentLength: buffer.readableBytes) { [room] writer in
                    try await writer.write(buffer)
                    try await writer.finish(nil)
                    _ = room
                })
        }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await withTaskExecutorPreference(executor) { try await write(to: &writer) }
            })
    }

    private static let uncountedBytesMax = 128 * 1024

    /// About half a megabyte of text at most.
    private var isSmall: Bool {
        switch result.value {
        case .scalar, .string: true
        case .vector(let samples): samples.count <= 2048 && samples.allSatisfy { $0.histogram == nil }
        case .matrix(let series):
            series.allSatisfy(\.histograms.isEmpty) && result.sampleCount + series.count * 8 <= 16_384
        }
    }

    @concurrent
    private func write(to writer: inout any ResponseBodyWriter) async throws {
        var text = PieceWriter()
        begin(&text)
        switch result.value {
        case .vector(let samples):
            for place in samples.indices {
                Self.write(samples, place, &text)
                if text.isFull { try await text.flush(to: &writer) }
            }
        case .matrix(let series):
            var times = TimeTexts()
            for place in series.indices {
                var points = Self.begin(series, place, &text)
                while !points.isDone {
                    points.write(to: &text, &times)
                    if text.isFull { try await text.flush(to: &writer) }
                }
            }
        case .scalar, .string: break
        }
        end(&text)
        try await text.finish(&writer)
        _ = room
    }

    private func begin(_ text: inout PieceWriter) {
        text.write("{\"status\":\"success\",\"data\":{\"resultType\":")
        switch result.value {
        case .scalar(let value, let time):
            text.write("\"scalar\",\"result\":")
            SampleJSON.point(time.milliseconds, value, to: &text.bytes)
        case .string(let value, let time):
            text.write("\"string\",\"result\":[\(SampleJSON.seconds(time.milliseconds)),")
            JSONValue.write(string: value, to: &text.bytes)
            text.write("]")
        case .vector: text.write("\"vector\",\"result\":[")
        case .matrix: text.write("\"matrix\",\"result\":[")
        }
    }

    private func end(_ text: inout PieceWriter) {
        switch result.value {
        case .vector, .matrix: text.write("]")
        case .scalar, .string: break
        }
        if let statistics {
            text.write(",\"stats\":")
            statistics.write(to: &text.bytes)
        }
        text.write("}")
        Self.list("warnings", warnings + result.warnings(in: query), kind: "warning", to: &text.bytes)
        Self.list("infos", result.infos(in: query), kind: "info", to: &text.bytes)
        text.write("}")
    }

    private static func write(_ samples: [VectorSample], _ place: Int, _ text: inout PieceWriter) {
        text.write(place == 0 ? "{\"metric\":" : ",{\"metric\":")
        write(samples[place].labels, to: &text.bytes)
        if let histogram = samples[place].histogram {
            text.write(",\"histogram\":")
            SampleJSON.point(samples[place].timestamp.milliseconds, histogram, to: &text.bytes)
        } else {
            text.write(",\"value\":")
            SampleJSON.point(samples[place].timestamp.milliseconds, samples[place].value, to: &text.bytes)
        }
        text.write("}")
    }

    /// A series up to its points.
    private static func begin(_ series: [SeriesSamples], _ place: Int, _ text: inout PieceWriter) -> PointWriter {
        text.write(place == 0 ? "{\"metric\":" : ",{\"metric\":")
        write(series[place].labels, to: &text.bytes)
        return PointWriter(series[place])
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

/// Writes the points of one series, first the floats, then the histograms, as many at a time as fit into a piece.
private struct PointWriter {
    private let series: SeriesSamples
    private var writesHistograms = false
    private var next = 0
    private var hasBegun = false

    init(_ series: SeriesSamples) { self.series = series }

    /// Whether the series is there with its end.
    private(set) var isDone = false

    mutating func write(to text: inout PieceWriter, _ times: inout TimeTexts) {
        while !isDone, !text.isFull {
            if series.histograms.isEmpty {
                writeFloats(to: &text, &times)
            } else {
                while next < series.timestamps.count, !text.isFull { writePoint(to: &text, &times) }
            }
            guard next == series.timestamps.count else { return }
            if hasBegun { text.write("]") }
            if writesHistograms || series.histograms.isEmpty {
                text.write("}")
                isDone = true
            }
            writesHistograms = true
            hasBegun = false
            next = 0
        }
    }

    /// The points of a series that has no others.
    private mutating func writeFloats(to text: inout PieceWriter, _ times: inout TimeTexts) {
        let series = self.series
        let timestamps = series.timestamps.span
        let values = series.values.span
        var place = next
        while place < timestamps.count, !text.isFull {
            begin(&text)
            times.point(timestamps[place], values[place], at: place, to: &text.bytes)
            place += 1
        }
        next = place
    }

    private mutating func writePoint(to text: inout PieceWriter, _ times: inout TimeTexts) {
        let place = next
        next += 1
        let value = series.values[place]
        guard value.isHistogram == writesHistograms else { return }
        begin(&text)
        if writesHistograms {
            SampleJSON.point(series.timestamps[place], series.histograms[value.histogramPlace], to: &text.bytes)
        } else {
            times.point(series.timestamps[place], value, at: place, to: &text.bytes)
        }
    }

    private mutating func begin(_ text: inout PieceWriter) {
        if hasBegun {
            text.bytes.append(UInt8(ascii: ","))
        } else {
            text.write(writesHistograms ? ",\"histograms\":[" : ",\"values\":[")
            hasBegun = true
        }
    }
}

/// The texts of the times of a range, which are the same for most series of an answer.
private struct TimeTexts {
    private var times: [Int64] = []
    /// `[time,"` of each.
    private var texts: [UInt8] = []
    private var bounds = [0]
    private static let countMax = 11_001

    /// Appends a point.
    /// - Parameter place: which of its series it is; times are kept from the first series that comes so far.
    mutating func point(_ time: Int64, _ value: Double, at place: Int, to bytes: inout [UInt8]) {
        if place < times.count, times[place] == time {
            let range = bounds[place]..<bounds[place + 1]
            texts.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
            return SampleJSON.endPoint(value, to: &bytes)
        }
        guard place == times.count, place < Self.countMax else {
            return SampleJSON.point(time, value, to: &bytes)
        }
        times.append(time)
        texts.append(UInt8(ascii: "["))
        SampleJSON.writeSeconds(time, to: &texts)
        texts.append(UInt8(ascii: ","))
        texts.append(UInt8(ascii: "\""))
        bounds.append(texts.count)
        bytes += texts[bounds[place]...]
        SampleJSON.endPoint(value, to: &bytes)
    }
}
