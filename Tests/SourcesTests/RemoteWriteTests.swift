import CSnappy
import Sources
import Streams
import TestKit
import Testing

/// Writes protobuf as a sender would.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    mutating func number(_ field: UInt64, _ value: Int64) {
        varint(field << 3)
        varint(UInt64(bitPattern: value))
    }

    mutating func double(_ field: UInt64, _ value: Double) {
        varint(field << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func block(_ field: UInt64, _ content: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    mutating func text(_ field: UInt64, _ text: String) { block(field, Array(text.utf8)) }

    static func message(_ build: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        build(&writer)
        return writer.bytes
    }
}

struct WriteRequest {
    struct Series {
        var labels: [(String, String)]
        var samples: [(Double, Int64)]
        var exemplars = 0
        var histograms: [[UInt8]] = []
    }
    var series: [Series]

    var message: [UInt8] {
        .init(
            ProtobufWriter.message { request in
                for series in series {
                    request.block(
                        1,
                        ProtobufWriter.message { writer in
                            for (name, value) in series.labels { writer.block(1, Self.label(name, value)) }
                            for (value, time) in series.samples { writer.block(2, Self.sample(value, time)) }
                            for _ in 0..<series.exemplars { writer.block(3, Self.exemplar) }
                            for histogram in series.histograms { writer.block(4, histogram) }
                        })
                }
            })
    }

    static func label(_ name: String, _ value: String) -> [UInt8] {
        ProtobufWriter.message {
            $0.text(1, name)
            $0.text(2, value)
        }
    }

    /// `{trace="1"} 0.5 @7`
    static let exemplar = ProtobufWriter.message {
        $0.block(1, label("trace", "1"))
        $0.double(2, 0.5)
        $0.number(3, 7)
    }

    static func sample(_ value: Double, _ time: Int64) -> [UInt8] {
        ProtobufWriter.message {
            $0.double(1, value)
            $0.number(2, time)
        }
    }

    static func compressed(_ message: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: snappy_max_compressed_length(message.count))
        var count = result.count
        message.withUnsafeBytes { message in
            result.withUnsafeMutableBytes { result in
                _ = snappy_compress(
                    message.bindMemory(to: CChar.self).baseAddress, message.count,
                    result.bindMemory(to: CChar.self).baseAddress, &count)
            }
        }
        return Array(result.prefix(count))
    }
}

@Suite struct RemoteWriteTests {
    private let cache = SeriesCache(secret: HashSecret(low: 5, high: 6))

    private func decode(
        _ message: [UInt8], settings: RemoteWriteDecoder.Settings = .init()
    ) throws -> RemoteWriteDecoder.Request {
        let body = WriteRequest.compressed(message)
        return try body.withUnsafeBytes { try RemoteWriteDecoder(cache: cache, settings: settings).decode($0) }
    }

    private static let request = WriteRequest(series: [
        .init(labels: [("__name__", "a"), ("x", "1")], samples: [(1, 1000), (2, 2000)]),
        .init(
            labels: [("x", "2"), ("__name__", "a"), ("empty", "")], samples: [(StaleMarker.value, Int64(-5))],
            exemplars: 1, histograms: [RemoteHistogramTests.whole(), RemoteHistogramTests.floats()]),
    ])

    @Test func `samples come out under their series, known or not`() throws {
        for round in 0..<2 {
            var request = try decode(Self.request.message)
            #expect(
                request.batch.unknown
                    == (round == 0 ? [["__name__": "a", "x": "1"], ["__name__": "a", "x": "2"]] : []))
            request.batch.resolve(round == 0 ? [SeriesID(rawValue: 7), SeriesID(rawValue: 8)] : [], into: cache)
            #expect(request.batch.samples.series.map { $0.rawValue } == [7, 7, 8, 8, 8])
            #expect(request.batch.samples.timestamps == ([1000, 2000, -5, 9000, 9000] as [Int64]))
            #expect(request.batch.samples.histograms.map(\.sum) == [18.4, -0.5])
            #expect(request.batch.samples.values[..<2] == [1, 2])
            #expect(request.batch.samples.values[2].isStaleMarker)
            #expect(
                request.batch.exemplars == [
                    SeriesExemplar(
                        .labels(["__name__": "a", "x": "2"]), Exemplar(["trace": "1"], value: 0.5, timestamp: 7))
                ])
        }
    }

    @Test func `labels behind the samples are labels too`() throws {
        let series = ProtobufWriter.message {
            $0.block(1, WriteRequest.label("__name__", "a"))
            $0.block(2, WriteRequest.sample(1, 2))
            $0.number(99, 5)
            $0.block(1, WriteRequest.label("z", "1"))
        }
        #expect(
            try decode(ProtobufWriter.message { $0.block(1, series) }).batch.unknown == [["__name__": "a", "z": "1"]])
    }

    @Test func `metadata is told`() throws {
        let metadata = ProtobufWriter.message {
            $0.number(1, 1)
            $0.text(2, "a_total")
            $0.text(4, "Help.")
            $0.text(5, "bytes")
        }
        #expect(
            try decode(ProtobufWriter.message { $0.block(3, metadata) }).batch.metadata == [
                .init(family: "a_total", fact: .type(.counter)), .init(family: "a_total", fact: .help("Help.")),
                .init(family: "a_total", fact: .unit("bytes")),
            ])
    }

    static let refused: [(String, WriteRequest.Series, String)] = [
        ("no name", .init(labels: [("x", "1")], samples: [(1, 1)]), "a series has no __name__ label"),
        ("an empty name", .init(labels: [("__name__", "")], samples: [(1, 1)]), "a series has no __name__ label"),
        (
            "a label twice", .init(labels: [("__name__", "a"), ("x", "1"), ("x", "2")], samples: [(1, 1)]),
            "the label name \"x\" is not unique"
        ),
        (
            "a label without name", .init(labels: [("__name__", "a"), ("", "2")], samples: [(1, 1)]),
            "a label has an empty name"
        ),
        ("no name and no sample", .init(labels: [], samples: []), "a series has no __name__ label"),
    ]

    @Test("What no storage takes is refused with its reason", arguments: refused)
    func refuses(_ example: (String, WriteRequest.Series, String)) {
        #expect(throws: RemoteWriteError(kind: .malformed, reason: example.2)) {
            try decode(WriteRequest(series: [example.1]).message)
        }
    }

    @Test func `text that is not UTF-8 is refused`() {
        let label = ProtobufWriter.message {
            $0.text(1, "__name__")
            $0.block(2, [0x61, 0xFF])
        }
        let series = ProtobufWriter.message {
            $0.block(1, label)
            $0.block(2, WriteRequest.sample(1, 1))
        }
        #expect(throws: RemoteWriteError.self) { try decode(ProtobufWriter.message { $0.block(1, series) }) }
    }

    @Test func `sizes are bounded, the decompressed one before memory is taken`() throws {
        let message = Self.request.message
        #expect(throws: RemoteWriteError(kind: .tooLarge, reason: "the request has more than 3 bytes")) {
            try decode(message, settings: .init(bodyBytesMax: 3))
        }
        #expect(throws: RemoteWriteError(kind: .tooLarge, reason: "the request decompresses to more than 10 bytes")) {
            try decode(message, settings: .init(decompressedBytesMax: 10))
        }
        #expect(throws: RemoteWriteError(kind: .tooLarge, reason: "the request has more than 4 samples and series")) {
            try decode(message, settings: .init(samplesMax: 4))
        }
        // A header that promises 4 GiB.
        let bomb: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0]
        #expect {
            try bomb.withUnsafeBytes { try RemoteWriteDecoder(cache: cache).decode($0) }
        } throws: {
            ($0 as? RemoteWriteError)?.status == 413
        }
        for body: [UInt8] in [[], [5], [5, 1, 2, 3], Array("not snappy at all".utf8)] {
            #expect {
                try body.withUnsafeBytes { try RemoteWriteDecoder(cache: cache).decode($0) }
            } throws: {
                ($0 as? RemoteWriteError)?.kind == .malformed
            }
        }
    }

    @Test func `a request that was changed on its way never traps`() {
        var generator = SeededGenerator(seed: 11)
        let message = Self.request.message
        for _ in 0..<5000 {
            var changed = message
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<changed.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: changed[place] = UInt8.random(in: 0...255, using: &generator)
                case 1:
                    changed.removeSubrange(place..<min(changed.count, place + Int.random(in: 1...5, using: &generator)))
                default: changed.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
                if changed.isEmpty { break }
            }
            let request = try? changed.withUnsafeBytes { try RemoteWriteDecoder(cache: cache).decode(message: $0) }
            #expect((request?.batch.count ?? 0) < 100)
        }
    }

    static let headers: [(String?, String?, Bool)] = [
        (nil, nil, true), ("application/x-protobuf", "snappy", true),
        ("application/x-protobuf;proto=prometheus.WriteRequest", "snappy", true),
        ("application/x-protobuf; proto=io.prometheus.write.v2.Request", "snappy", false),
        ("application/x-protobuf;proto=other", nil, false), ("application/json", nil, false),
        ("application/x-protobuf", "gzip", false),
    ]

    @Test("Only remote write 1.0 in snappy is read", arguments: headers)
    func reads(_ example: (String?, String?, Bool)) {
        do throws(RemoteWriteError) {
            try RemoteWriteDecoder.check(contentType: example.0, contentEncoding: example.1)
            #expect(example.2)
        } catch {
            #expect(!example.2 && error.status == 415)
        }
    }
}
