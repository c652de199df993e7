import Sources
import Streams
import TestKit
import Testing

/// Families as client libraries write them.
private enum Exposed {
    static func family(_ name: String, type: Int64, help: String? = "Help.", _ metrics: [[UInt8]]) -> [UInt8] {
        let message = ProtobufWriter.message { writer in
            writer.text(1, name)
            if let help { writer.text(2, help) }
            writer.number(3, type)
            for metric in metrics { writer.block(4, metric) }
        }
        return ProtobufWriter.message { $0.varint(UInt64(message.count)) } + message
    }

    static func metric(
        _ labels: [(String, String)], _ field: UInt64, time: Int64? = nil,
        _ value: (inout ProtobufWriter) -> Void
    ) -> [UInt8] {
        ProtobufWriter.message { writer in
            for (name, text) in labels { writer.block(1, WriteRequest.label(name, text)) }
            writer.block(field, ProtobufWriter.message(value))
            if let time { writer.number(6, time) }
        }
    }

    static let started = ProtobufWriter.message {
        $0.number(1, 100)
        $0.number(2, 500_000_000)
    }

    static func histogram(_ change: (inout ProtobufWriter) -> Void = { _ in }) -> [UInt8] {
        metric([("x", "1")], 7) { writer in
            writer.number(1, 12)
            writer.double(2, 18.4)
            for (bound, count) in [(0.5, Int64(4)), (1, 10)] {
                writer.block(
                    3,
                    ProtobufWriter.message {
                        $0.number(1, count)
                        $0.double(2, bound)
                    })
            }
            writer.block(15, started)
            change(&writer)
        }
    }

    static func native(_ change: (inout ProtobufWriter) -> Void = { _ in }) -> [UInt8] {
        histogram {
            $0.signed(5, 1)
            $0.double(6, 0.001)
            $0.number(7, 2)
            $0.span(9, 0, 1)
            $0.packed(10, signed: [1])
            $0.span(12, 0, 2)
            $0.span(12, 1, 2)
            for delta: Int64 in [1, 1, -1, 4] { $0.signed(13, delta) }
            change(&$0)
        }
    }
}

@Suite struct ProtobufScrapeTests {
    private static let simple =
        Exposed.family(
            "a_total", type: 0,
            [
                Exposed.metric([("x", "1")], 3) {
                    $0.double(1, 5)
                    $0.block(3, Exposed.started)
                },
                Exposed.metric([("x", "")], 3, time: 77) { $0.double(1, 6) },
            ])
        + Exposed.family("g", type: 1, help: nil, [Exposed.metric([], 2) { $0.double(1, .infinity) }])
        + Exposed.family("u", type: 3, [Exposed.metric([], 5) { $0.double(1, 2) }])
        + Exposed.family(
            "s", type: 2,
            [
                Exposed.metric([], 4) {
                    $0.number(1, 3)
                    $0.double(2, 4.5)
                    $0.block(
                        3,
                        ProtobufWriter.message {
                            $0.double(1, 1)
                            $0.double(2, 7)
                        })
                }
            ])

    @Test func `every kind of metric gives the series that the text formats give`() throws {
        var target = ScrapedTarget()
        for round in 0..<3 {
            #expect(
                try target.scrape(bytes: Self.simple, .protobuf) == [
                    #"a_total{x="1"} 5 @1000"#, "a_total 6 @77", "g +Inf @1000", "u 2 @1000", "s_count 3 @1000",
                    "s_sum 4.5 @1000", #"s{quantile="1.0"} 7 @1000"#,
                ])
            #expect(target.unknownCount == (round == 0 ? 7 : 0))
            #expect(target.parser.newMetadata.count == (round == 0 ? 7 : 0))
            #expect(Set(target.parser.shownMetadata.map(\.family)) == ["a_total", "g", "u", "s"])
            #expect(target.parser.shownMetadata.count == 7)
            #expect(target.starts.first == 100_500 && target.starts.dropFirst().allSatisfy { $0 == 0 })
        }
        #expect(try target.scrape(bytes: [], .protobuf).count == 6)
    }

    @Test func `a target that changes to text goes on with its series`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape(bytes: Self.simple, .protobuf)
        let samples = try target.scrape(
            "a_total{x=\"1\"} 5\na_total 6 77\ng +Inf\nu 2\ns_count 3\ns_sum 4\ns{quantile=\"1.0\"} 7\n")
        #expect(samples.count == 7 && !samples.contains { $0.hasSuffix("stale") })
    }

    static let classic = [
        #"h_count{x="1"} 12 @1000"#, #"h_sum{x="1"} 18.4 @1000"#, #"h_bucket{le="0.5", x="1"} 4 @1000"#,
        #"h_bucket{le="1.0", x="1"} 10 @1000"#, #"h_bucket{le="+Inf", x="1"} 12 @1000"#,
    ]

    static let cases: [(String, [UInt8], Bool, Bool, [String])] = [
        ("classic only", Exposed.histogram(), true, false, classic),
        ("native, which is not asked for", Exposed.native(), false, false, classic),
        ("native", Exposed.native(), true, false, [#"h{x="1"} histogram of 12 @1000"#]),
        ("native and classic", Exposed.native(), true, true, [#"h{x="1"} histogram of 12 @1000"#] + classic),
    ]

    @Test("Of a histogram is taken what the settings say", arguments: cases)
    func takes(_ example: (String, [UInt8], Bool, Bool, [String])) throws {
        var target = ScrapedTarget(
            .init(takesNativeHistograms: example.2, alwaysTakesClassicHistograms: example.3))
        for _ in 0..<2 {
            #expect(
                try target.scrape(bytes: Exposed.family("h", type: 4, [example.1]), .protobuf) == example.4)
            #expect(target.starts == example.4.map { _ in 100_500 })
        }
    }

    @Test func `a native histogram is read as remote write reads it`() throws {
        var target = ScrapedTarget(.init(takesNativeHistograms: true))
        _ = try target.scrape(bytes: Exposed.family("h", type: 5, [Exposed.native()]), .protobuf)
        #expect(
            target.histograms == [
                NativeHistogram(
                    schema: 1, counterResetHint: .gauge, count: 12, sum: 18.4, zeroCount: 2, zeroThreshold: 0.001,
                    positive: .init(
                        spans: [.init(offset: 0, length: 2), .init(offset: 1, length: 2)], counts: [1, 2, 1, 5]),
                    negative: .init(spans: [.init(offset: 0, length: 1)], counts: [1]))
            ])
        let floats = Exposed.metric([], 7) {
            $0.double(4, 2.5)
            $0.double(8, 0.5)
            $0.span(12, 3, 1)
            $0.packed(14, [2])
        }
        _ = try target.scrape(bytes: Exposed.family("f", type: 4, [floats]), .protobuf)
        #expect(target.histograms.map(\.count) == [2.5] && target.histograms[0].positive.counts == [2])
        // One that has seen nothing yet.
        let empty = Exposed.metric([], 7) { $0.span(12, 0, 0) }
        #expect(
            try target.scrape(bytes: Exposed.family("e", type: 4, [empty]), .protobuf).first
                == "e histogram of 0 @1000")
    }

    static let refused: [(String, [UInt8], String)] = [
        ("cut off", Array(simple.dropLast()), "metric family 4: a field is cut off"),
        ("no name", Exposed.family("", type: 0, []), "metric family 1: it has no name"),
        ("an unknown type", Exposed.family("a", type: 9, []), "metric family 1: it has the unknown type 9"),
        ("no value", Exposed.family("a", type: 0, [[]]), "metric family 1: a metric has no value"),
        (
            "a value of another type", Exposed.family("a", type: 1, [Exposed.histogram()]),
            "metric family 1: a metric's value is not of the family's type"
        ),
        (
            "a label twice",
            Exposed.family("a", type: 1, [Exposed.metric([("x", "1"), ("x", "2")], 2) { $0.double(1, 1) }]),
            "metric family 1: the label name \"x\" is not unique"
        ),
        (
            "counts that do not add up", Exposed.family("h", type: 4, [Exposed.native { $0.number(1, 14) }]),
            "metric family 1: a histogram's buckets hold 12 observations, but its count is 14"
        ),
    ]

    @Test("What is wrong is told", arguments: refused)
    func refuses(_ example: (String, [UInt8], String)) {
        var target = ScrapedTarget(.init(takesNativeHistograms: true))
        #expect(throws: ExpositionError(.syntax, line: 0, example.2)) {
            try target.scrape(bytes: example.1, .protobuf)
        }
        _ = target.fail()
    }

    @Test func `a body that was changed on its way never traps`() {
        var generator = SeededGenerator(seed: 13)
        let body = Self.simple + Exposed.family("h", type: 4, [Exposed.native()])
        var target = ScrapedTarget(.init(takesNativeHistograms: true, alwaysTakesClassicHistograms: true))
        for _ in 0..<3000 {
            var changed = body
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            if (try? target.scrape(bytes: changed, .protobuf)) == nil { _ = target.fail() }
        }
    }
}
