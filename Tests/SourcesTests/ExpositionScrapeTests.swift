import Sources
import Streams
import Testing

/// Scrapes as the loop would do them, with series interned in a dictionary.
struct ScrapedTarget {
    let parser: ScrapeParser
    private(set) var ids: [LabelSet: SeriesID] = [:]
    private(set) var labels: [SeriesID: LabelSet] = [:]
    private(set) var unknownCount = 0
    /// Of each sample of the last scrape, as far as the column reaches.
    private(set) var starts: [Int64] = []
    private(set) var histograms: [NativeHistogram] = []
    var dropped: Set<String> = []
    var epoch: UInt64 = 1

    init(_ settings: ScrapeParser.Settings = .init()) {
        parser = ScrapeParser(settings: settings, secret: HashSecret(low: 1, high: 2))
    }

    /// The samples as `series value @time`, then the series that went stale as `series stale`.
    mutating func scrape(
        _ text: String, _ format: ExpositionFormat = .text, at time: Int64 = 1000
    ) throws -> [String] {
        try scrape(bytes: Array(text.utf8), format, at: time)
    }

    mutating func scrape(
        bytes body: [UInt8], _ format: ExpositionFormat, at time: Int64 = 1000
    ) throws -> [String] {
        try scrape(bytes: body, .text(format), at: time)
    }

    mutating func scrape(
        bytes body: [UInt8], _ encoding: ScrapeEncoding, at time: Int64 = 1000
    ) throws -> [String] {
        var batch = SampleBatch()
        let padded = body + [UInt8](repeating: 0x39, count: 64)
        try padded.withUnsafeBytes { bytes in
            let body = UnsafeRawBufferPointer(rebasing: bytes[..<body.count])
            let time = Timestamp(milliseconds: time)
            switch encoding {
            case .text(let format): try parser.parse(body, as: format, at: time, epoch: epoch, into: &batch)
            case .protobuf: try parser.parseProtobuf(body, at: time, epoch: epoch, into: &batch)
            }
        }
        unknownCount = parser.unknown.count
        parser.resolve(parser.unknown.map { intern($0) }, into: &batch)
        starts = batch.starts
        histograms = batch.histograms
        var result = (0..<batch.count).map {
            let value = batch.values[$0]
            let text =
                value.isHistogram
                ? "histogram of \(formatFloat(batch.histograms[value.histogramPlace].count, .general))"
                : formatFloat(value, .general)
            return "\(labels[batch.series[$0], default: [:]]) \(text) @\(batch.timestamps[$0])"
        }
        result += parser.finish().map { "\(labels[$0, default: [:]]) stale" }.sorted()
        return result
    }

    mutating func fail() -> [String] {
        parser.fail().map { "\(labels[$0, default: [:]]) stale" }.sorted()
    }

    private mutating func intern(_ set: LabelSet) -> SeriesID? {
        if dropped.contains(set.name ?? "") { return nil }
        if let id = ids[set] { return id }
        let id = SeriesID(rawValue: UInt32(ids.count))
        ids[set] = id
        labels[id] = set
        return id
    }
}

@Suite struct ExpositionScrapeTests {
    private static let body = """
        # HELP requests_total Requests.
        # TYPE requests_total counter
        requests_total{code="200",path="/a}b\\"c"} 10
        requests_total{code="500",path="/"} 1.5
        # TYPE up gauge
        up 1

        """

    @Test func `a target that is known costs no new series and gives the same samples`() throws {
        var target = ScrapedTarget()
        let first = try target.scrape(Self.body)
        #expect(target.unknownCount == 3)
        #expect(target.parser.newMetadata.count == 3)
        let second = try target.scrape(Self.body)
        #expect(target.unknownCount == 0)
        #expect(target.parser.newMetadata.isEmpty)
        #expect(first == second)
        #expect(
            first == [
                #"requests_total{code="200", path="/a}b\"c"} 10 @1000"#,
                #"requests_total{code="500", path="/"} 1.5 @1000"#,
                "up 1 @1000",
            ])
        #expect(target.parser.counts.scraped == 3 && target.parser.counts.seriesAdded == 0)
    }

    @Test func `series that vanish go stale, whatever the order of the others`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("a 1\nb 2\nc 3\nd 4\n")
        #expect(try target.scrape("d 4\nb 2\na 1\n") == ["d 4 @1000", "b 2 @1000", "a 1 @1000", "c stale"])
        #expect(try target.scrape("c 3\nd 4\nb 2\na 1\n").count == 4)
        #expect(target.unknownCount == 0)
        #expect(try target.scrape("") == ["a stale", "b stale", "c stale", "d stale"])
        #expect(try target.scrape("") == [])
    }

    @Test func `a series with a timestamp of its own does not go stale, unless that is asked for`() throws {
        var target = ScrapedTarget()
        #expect(try target.scrape("a 1 7\nb 2\n") == ["a 1 @7", "b 2 @1000"])
        #expect(try target.scrape("b 2\n") == ["b 2 @1000"])
        var tracking = ScrapedTarget(.init(trackTimestampsStaleness: true))
        _ = try tracking.scrape("a 1 7\nb 2\n")
        #expect(try tracking.scrape("b 2\n") == ["b 2 @1000", "a stale"])
        var dishonouring = ScrapedTarget(.init(honorTimestamps: false))
        #expect(try dishonouring.scrape("a 1 7\nb 2\n") == ["a 1 @1000", "b 2 @1000"])
        #expect(try dishonouring.scrape("b 2\n") == ["b 2 @1000", "a stale"])
    }

    @Test func `a series that takes on timestamps leaves staleness behind`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("a 1\n")
        #expect(try target.scrape("a 1 7\n") == ["a 1 @7", "a stale"])
        #expect(try target.scrape("b 1\n") == ["b 1 @1000"])
    }

    @Test func `of a series that repeats only the first line counts, unless it has timestamps`() throws {
        var target = ScrapedTarget()
        for _ in 0..<2 {
            #expect(try target.scrape("a 1\na 2\nb 1\na 3\n") == ["a 1 @1000", "b 1 @1000"])
            #expect(target.parser.counts.duplicates == 2)
            #expect(target.parser.counts.afterRelabelling == 4 && target.parser.counts.scraped == 4)
        }
        #expect(try target.scrape("a 1 5\na 2 6\nb 1\n") == ["a 1 @5", "a 2 @6", "b 1 @1000", "a stale"])
    }

    @Test func `a series that relabelling drops is skipped from then on`() throws {
        var target = ScrapedTarget()
        target.dropped = ["b"]
        #expect(try target.scrape("a 1\nb 2\nc 3\n") == ["a 1 @1000", "c 3 @1000"])
        #expect(target.parser.counts.afterRelabelling == 2 && target.parser.counts.scraped == 3)
        #expect(try target.scrape("a 1\nb 2\nc 3\n") == ["a 1 @1000", "c 3 @1000"])
        #expect(target.unknownCount == 0)
        #expect(target.parser.counts.afterRelabelling == 2 && target.parser.counts.scraped == 3)
        #expect(try target.scrape("a 1\n") == ["a 1 @1000", "c stale"])
    }

    @Test func `a failed scrape makes all series stale, and is forgotten`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("a 1\nb 2\n")
        #expect(throws: ExpositionError(.number, line: 3, "expected a number, found \"x\"")) {
            try target.scrape("a 1\nnew 5\nb x\n")
        }
        #expect(target.fail() == ["a stale", "b stale"])
        #expect(target.parser.knownCount == 2)
        #expect(target.fail() == [])
        #expect(try target.scrape("a 1\nb 2\n") == ["a 1 @1000", "b 2 @1000"])
        #expect(target.unknownCount == 0)
        #expect(target.fail() == ["a stale", "b stale"])
    }

    @Test func `two spellings of a series are one`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("a{x=\"1\",y=\"2\"} 1\n")
        #expect(try target.scrape("a{y=\"2\",x=\"1\",} 1\n") == ["a{x=\"1\", y=\"2\"} 1 @1000"])
    }

    @Test func `after an epoch change series are interned again, and those that vanished with it go stale`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("a 1\nb 2\n")
        target.epoch = 2
        #expect(try target.scrape("a 1\nc 2\n") == ["a 1 @1000", "c 2 @1000", "b stale"])
        #expect(target.unknownCount == 2)
    }

    @Test func `le is normalised by the type that the text gives at that place, known or not`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# TYPE g gauge\ng{le=\"1\"} 1\n")
        let second = try target.scrape(
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 1\n# TYPE g gauge\ng{le=\"1\"} 1\ng{le=\"2\"} 1\n"
        )
        #expect(
            Set(second) == [
                #"h_bucket{le="1.0"} 1 @1000"#, #"h_bucket{le="2.0"} 1 @1000"#, #"g{le="1"} 1 @1000"#,
                #"g{le="2"} 1 @1000"#,
            ])
    }

    @Test(arguments: [
        "a 1\na{x=\"1\"} 2\n", "a{x=\"1\"} 1\na 2\n", "a 1\nab 2\n", "ab 1\na 2\n", "a 1\na {x=\"1\"} 2\n",
        "a{x=\"1\"} 1\na{x=\"1\",y=\"2\"} 2\n", "a NaN\nb Inf\nc -Inf\n", "a 1e3\nb .5\nc 5.\nd +7\n",
        "a{x=\"1\"}1\n", "a\t1\t7\n", "a 1", "a 1  \n\n\n", "a{x=\"}\"} 1\na{x=\"\\\\\"} 2\na{x=\"\n\"} 3\n",
        "a 0.1 123456789012345678\n", "  a 1\n", "{\"a.b\",c=\"d\"} 5\n", "a 12345678901234567890123\n",
    ])
    func `what is read the second time is what was read the first time`(_ body: String) throws {
        var target = ScrapedTarget()
        let first = try target.scrape(body)
        #expect(!first.isEmpty)
        #expect(Set(try target.scrape(body)) == Set(first))
        #expect(target.unknownCount == 0)
        // And after another body has moved the predictions.
        _ = try target.scrape("zzz 1\na 5\n")
        #expect(Set(try target.scrape(body)).subtracting(["zzz stale", "a stale"]) == Set(first))
    }

    @Test func `OpenMetrics has its end, its exemplars and its times in seconds`() throws {
        var target = ScrapedTarget()
        let body =
            "# TYPE a counter\na_total{x=\"1\"} 5 12.5 # {id=\"7\"} 1 2\na_total{x=\"2\"} 6 # {id=\"7\"} 1\na_created 3\n# EOF\n"
        for _ in 0..<2 {
            #expect(
                try target.scrape(body, .openMetrics) == [
                    #"a_total{x="1"} 5 @12500"#, #"a_total{x="2"} 6 @1000"#, "a_created 3 @1000",
                ])
            #expect(target.parser.counts.exemplars == 2)
            #expect(
                target.parser.exemplars.map(\.exemplar) == [
                    Exemplar(["id": "7"], value: 1, timestamp: 2000),
                    Exemplar(["id": "7"], value: 1, timestamp: 1000, hasOwnTime: false),
                ])
            #expect(target.parser.exemplars.map(\.series).allSatisfy { if case .id = $0 { true } else { false } })
        }
        for broken in ["a_total 1\n", "a_total 1\n# EOF\nb 1\n", "a_total  1\n# EOF\n", "# EOF\n\n"] {
            #expect(throws: ExpositionError.self) { try target.scrape(broken, .openMetrics) }
            _ = target.fail()
        }
        #expect(try target.scrape("# EOF", .openMetrics) == [])
    }

    @Test func `exemplars are those of the series that are kept`() throws {
        var target = ScrapedTarget()
        target.dropped = ["b_total"]
        let body = "a_total 1 # {id=\"1\"} 1\nb_total 1 # {id=\"2\"} 1\nc_total 1\n# EOF\n"
        for _ in 0..<2 {
            _ = try target.scrape(body, .openMetrics)
            #expect(target.parser.counts.exemplars == 2)
            #expect(target.parser.exemplars.map { $0.exemplar.labels["id"] } == ["1"])
        }
        _ = try target.scrape("a_total 1\n# EOF\n", .openMetrics)
        #expect(target.parser.exemplars.isEmpty)
    }

    @Test func `what is told of families is told once, and all of it when something was forgotten`() throws {
        var target = ScrapedTarget()
        let body = "# TYPE a gauge\n# HELP a A.\na 1\n# TYPE b counter\nb 1\n"
        _ = try target.scrape(body)
        #expect(target.parser.hasForgotten)
        let first = target.parser.newMetadata
        #expect(target.parser.shownMetadata == first)
        _ = try target.scrape(body.replacing("HELP a A.", with: "HELP a Other."))
        #expect(!target.parser.hasForgotten)
        #expect(target.parser.newMetadata == [MetricMetadata(family: "a", fact: .help("Other."))])
        target.epoch += 1
        _ = try target.scrape("# TYPE b counter\nb 1\n")
        #expect(target.parser.hasForgotten)
        #expect(target.parser.shownMetadata == [MetricMetadata(family: "b", fact: .type(.counter))])
        // A target that shows other families each time.
        var forgotten = 0
        for round in 0..<20 {
            let text = (0..<300).map { "# TYPE m\(round)_\($0) gauge\nm\(round)_\($0) 1\n" }.joined()
            _ = try target.scrape(text)
            if target.parser.hasForgotten { forgotten += 1 }
        }
        #expect((2...10).contains(forgotten), "\(forgotten)")
    }

    @Test(arguments: [
        ("a{b=\"1\",b=\"2\"} 1\n", ExpositionError.Kind.labels), ("ok 1\na{b=\"\u{0}1\n", .labels),
        ("ok 1\n{x=\"1\"} 1\n", .metricName), ("ok 1\nok 1 2 3\n", .timestamp),
    ])
    func `what no storage takes fails the scrape`(_ body: String, _ kind: ExpositionError.Kind) {
        var target = ScrapedTarget()
        #expect { try target.scrape(body) } throws: { ($0 as? ExpositionError)?.kind == kind }
        #expect(target.fail() == [])
    }

    @Test func `a target that changes its series all the time is forgotten bit by bit`() throws {
        var target = ScrapedTarget()
        for round in 0..<40 {
            let body = (0..<200).map { "a{round=\"\(round)\",n=\"\($0)\"} \($0)\n" }.joined()
            let samples = try target.scrape("steady 1\n" + body)
            #expect(samples.count == 201 + (round > 0 ? 200 : 0))
        }
        #expect(target.parser.knownCount < 1500)
        #expect(try target.scrape("steady 1\n").count == 201)
        #expect(target.unknownCount == 0)
    }
}
