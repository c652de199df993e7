import Sources
import Streams
import Testing

@Suite struct ExpositionStreamTests {
    private static let secret = HashSecret(low: 3, high: 4)

    /// Reads a text fed in pieces of `size` bytes. Series get the ids of their order of appearance.
    private static func read(
        _ text: [UInt8], pieces size: Int, cache: SeriesCache = SeriesCache(secret: secret),
        settings: StreamParser.Settings = .init(), labels: inout [LabelSet]
    ) throws -> (samples: [String], batches: Int, unknown: Int) {
        var parser = StreamParser(at: Timestamp(milliseconds: 9), cache: cache, settings: settings)
        var samples: [String] = []
        var batches = 0
        var unknown = 0
        func take(_ batch: UnresolvedBatch) {
            var batch = batch
            batches += 1
            unknown += batch.unknown.count
            let ids = batch.unknown.map { set -> SeriesID? in
                if set.name == "dropped" { return nil }
                if let place = labels.firstIndex(of: set) { return SeriesID(rawValue: UInt32(place)) }
                labels.append(set)
                return SeriesID(rawValue: UInt32(labels.count - 1))
            }
            batch.resolve(ids, into: cache)
            for index in 0..<batch.samples.count {
                samples.append(
                    "\(labels[Int(batch.samples.series[index].rawValue)]) \(batch.samples.values[index]) @\(batch.samples.timestamps[index])"
                )
            }
        }
        var offset = 0
        while offset < text.count {
            let end = min(text.count, offset + size)
            text.withUnsafeBytes { parser.feed(UnsafeRawBufferPointer(rebasing: $0[offset..<end])) }
            while let batch = try parser.next() { take(batch) }
            offset = end
        }
        while let batch = try parser.finish() { take(batch) }
        return (samples, batches, unknown)
    }

    private static let text = """
        # HELP a Some "help".
        # TYPE h histogram
        h_bucket{le="1"} 1
        h_bucket{le="+Inf"} 2 1234
        # a comment

        a{x="}",y="é\\n\\""} 1.25
        dropped 5
        a 5e-1 77
        {"a.b","c.d"="e"}\t7\t8
        a{x="1",} NaN
        """

    @Test func `a text reads the same however it is cut`() throws {
        var labels: [LabelSet] = []
        let whole = try Self.read(Array(Self.text.utf8), pieces: .max, labels: &labels)
        #expect(
            whole.samples == [
                #"h_bucket{le="1.0"} 1.0 @9"#, #"h_bucket{le="+Inf"} 2.0 @1234"#, #"a{x="}", y="é\n\""} 1.25 @9"#,
                "a 0.5 @77", #"{"a.b", "c.d"="e"} 7.0 @8"#, #"a{x="1"} nan(0x1) @9"#,
            ])
        for size in 1...40 {
            var labels: [LabelSet] = []
            #expect(try Self.read(Array(Self.text.utf8), pieces: size, labels: &labels).samples == whole.samples)
        }
    }

    @Test func `a series known from an earlier push is not parsed again`() throws {
        let cache = SeriesCache(secret: Self.secret)
        var labels: [LabelSet] = []
        let first = try Self.read(Array(Self.text.utf8), pieces: 7, cache: cache, labels: &labels)
        let second = try Self.read(Array(Self.text.utf8), pieces: 9, cache: cache, labels: &labels)
        #expect(first.samples == second.samples)
        #expect((first.unknown, second.unknown) == (7, 0))
        cache.begin(epoch: 1)
        #expect(try Self.read(Array(Self.text.utf8), pieces: 9, cache: cache, labels: &labels).unknown == 7)
    }

    @Test func `batches have the size that was asked for, and samples keep their order within a series`() throws {
        var labels: [LabelSet] = []
        let text = (0..<1000).map { "a{n=\"\($0 % 7)\"} \($0)\n" }.joined()
        let read = try Self.read(
            Array(text.utf8), pieces: 1000, settings: .init(samplesPerBatch: 64), labels: &labels)
        #expect(read.samples.count == 1000)
        #expect(read.batches == 16)
        for series in 0..<7 {
            let values = read.samples.filter { $0.hasPrefix("a{n=\"\(series)\"}") }
            #expect(values == values.indices.map { "a{n=\"\(series)\"} \(Double($0 * 7 + series)) @9" })
        }
    }

    @Test(arguments: [
        ("a 1\nb 2\nc x\n", 3, "expected a number, found \"x\""),
        ("a 1\n\n# x\na{b=\"1} 2\nok 1\n", 4, "the value of label \"b\" has no closing quote"),
        ("a 1\na{b=\"1\",b=\"2\"} 2\n", 2, "the label name \"b\" is not unique"),
        ("a 1\n{b=\"c\"} 2", 2, "the series has no metric name"),
        ("a 1\n\u{0}b 2\n", 2, "expected a metric name, a brace or a comment, found \"\\x00b 2\""),
    ])
    func `an error tells the line in the whole body`(_ text: String, _ line: Int, _ reason: String) {
        for size in [1, 3, 1000] {
            var labels: [LabelSet] = []
            #expect {
                try Self.read(Array(text.utf8), pieces: size, labels: &labels)
            } throws: {
                let error = $0 as? ExpositionError
                return error?.line == line && error?.reason == reason
            }
        }
    }

    private static let openMetrics = """
        # TYPE h_seconds histogram
        # UNIT h_seconds seconds
        # HELP h_seconds Some \\"help\\".
        h_seconds_bucket{le="1"} 1 # {id="x"} 0.5 12.5
        h_seconds_bucket{le="+Inf"} 2 1.5 # {id="y"} 7
        h_seconds_bucket{le="1"} 3 2 # {id="z"} 0.75
        # EOF
        """

    @Test(arguments: [1, 2, 7, 1000])
    func `OpenMetrics reads the same however it is cut, with its exemplars and what it says of families`(
        _ size: Int
    ) throws {
        var parser = StreamParser(
            at: Timestamp(milliseconds: 9), cache: SeriesCache(secret: Self.secret),
            settings: .init(format: .openMetrics))
        let bytes = Array(Self.openMetrics.utf8)
        var batches: [UnresolvedBatch] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(bytes.count, start + size)].withUnsafeBytes { parser.feed($0) }
            while let batch = try parser.next() { batches.append(batch) }
        }
        while let batch = try parser.finish() { batches.append(batch) }
        let batch = try #require(batches.first)
        #expect(batches.count == 1 && batch.count == 3 && batch.unknown.count == 2)
        #expect(
            batch.metadata == [
                MetricMetadata(family: "h_seconds", fact: .type(.histogram)),
                MetricMetadata(family: "h_seconds", fact: .unit("seconds")),
                MetricMetadata(family: "h_seconds", fact: .help("Some \"help\".")),
            ])
        let one: LabelSet = ["__name__": "h_seconds_bucket", "le": "1.0"]
        let all: LabelSet = ["__name__": "h_seconds_bucket", "le": "+Inf"]
        #expect(
            batch.exemplars == [
                SeriesExemplar(.labels(one), Exemplar(["id": "x"], value: 0.5, timestamp: 12_500)),
                SeriesExemplar(.labels(all), Exemplar(["id": "y"], value: 7, timestamp: 1500, hasOwnTime: false)),
                SeriesExemplar(.labels(one), Exemplar(["id": "z"], value: 0.75, timestamp: 2000, hasOwnTime: false)),
            ])
    }

    @Test(arguments: [
        ("a 1\n", 2, "the text does not end with \"# EOF\""), ("a 1\n# EOF\nb 1\n", 3, "there is text after \"# EOF\""),
        ("a 1\n# hm\n# EOF\n", 2, "expected HELP, TYPE, UNIT or EOF after \"# \", found \"# hm\""),
    ])
    func `OpenMetrics that is none is refused with its line`(_ text: String, _ line: Int, _ reason: String) {
        var labels: [LabelSet] = []
        #expect {
            try Self.read(Array(text.utf8), pieces: 1000, settings: .init(format: .openMetrics), labels: &labels)
        } throws: {
            ($0 as? ExpositionError)?.line == line && ($0 as? ExpositionError)?.reason == reason
        }
    }

    @Test func `metadata alone fills batches too`() throws {
        var labels: [LabelSet] = []
        let text = (0..<100).map { "# TYPE m\($0) gauge\n" }.joined()
        let (_, batches, _) = try Self.read(
            Array(text.utf8), pieces: 1000, settings: .init(samplesPerBatch: 10), labels: &labels)
        #expect(batches == 10)
    }

    @Test func `a label without end is refused once the line passes its bound, in bounded memory`() throws {
        let cache = SeriesCache(secret: Self.secret)
        var parser = StreamParser(
            at: Timestamp(milliseconds: 0), cache: cache, settings: .init(lineBytesMax: 1 << 16))
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 12)
        Array("ok 1\na{b=\"".utf8).withUnsafeBytes { parser.feed($0) }
        #expect(throws: ExpositionError(.limit, line: 2, "the line is longer than 65536 bytes")) {
            for _ in 0..<100 {
                while try parser.next() != nil {}
                piece.withUnsafeBytes { parser.feed($0) }
            }
        }
        #expect(throws: ExpositionError.self) { _ = try parser.next() }
        #expect(throws: ExpositionError.self) { _ = try parser.finish() }
    }

    @Test func `a full cache forgets what was not used lately, and keeps what was`() {
        let cache = SeriesCache(capacity: 4096, secret: Self.secret)
        func key(_ number: Int) -> SeriesKey {
            withUnsafeBytes(of: number) { SeriesKey($0, secret: cache.secret) }
        }
        for number in 0..<100_000 {
            cache.insert(SeriesID(rawValue: UInt32(number)), for: key(number))
            #expect(cache.find(key(0)) == .known(SeriesID(rawValue: 0)))
            if cache.count > 4096 { break }
        }
        #expect(cache.count <= 4096)
        #expect(cache.find(key(1)) == .unknown)
        #expect(cache.find(key(99_999)) == .known(SeriesID(rawValue: 99_999)))
        cache.insert(nil, for: key(5))
        #expect(cache.find(key(5)) == .dropped)
    }
}
