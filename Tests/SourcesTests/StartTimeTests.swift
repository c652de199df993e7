import Sources
import Streams
import Testing

@Suite struct StartTimeTests {
    private static let body = """
        # TYPE a counter
        a_total{x="1"} 5
        a_created{x="1"} 100
        a_total{x="2"} 6
        a_created{x="2"} 200.5
        # TYPE g gauge
        g_created 1
        # TYPE h histogram
        h_bucket{le="1.0"} 3
        h_bucket{le="+Inf"} 4
        h_count 4
        h_sum 9
        h_created 300
        # TYPE s summary
        s{quantile="0.5",b="x"} 1
        s_count{b="x"} 1
        s_created{b="x"} 400
        # EOF

        """
    private static let starts: [Int64] = [
        100_000, 0, 200_500, 0, 0, 300_000, 300_000, 300_000, 300_000, 0, 400_000, 400_000,
    ]

    @Test func `a created line tells the start of its series, which stay what they are`() throws {
        var target = ScrapedTarget()
        for _ in 0..<3 {
            let samples = try target.scrape(Self.body, .openMetrics)
            #expect(samples.count == 13)
            #expect(samples[1] == #"a_created{x="1"} 100 @1000"#)
            #expect(target.starts == Self.starts)
        }
        target.epoch += 1
        _ = try target.scrape(Self.body, .openMetrics)
        #expect(target.starts == Self.starts)
        #expect(target.parser.counts.seriesAdded == 0)
    }

    @Test func `a restart shows as another start`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("# TYPE a counter\na_total 5\na_created 100\n# EOF\n", .openMetrics)
        _ = try target.scrape("# TYPE a counter\na_total 1\na_created 700\n# EOF\n", .openMetrics)
        #expect(target.starts == [700_000])
        _ = try target.scrape("# TYPE a counter\na_total 1\n# EOF\n", .openMetrics)
        #expect(target.starts.allSatisfy { $0 == 0 })
        for text in ["NaN", "+Inf", "-5", "1e300"] {
            _ = try target.scrape("# TYPE a counter\na_total 1\na_created \(text)\n# EOF\n", .openMetrics)
            #expect(target.starts.allSatisfy { $0 == 0 })
        }
    }

    @Test func `created lines that relabelling drops still tell the start`() throws {
        var target = ScrapedTarget()
        target.dropped = ["a_created", "h_created"]
        for _ in 0..<3 {
            #expect(try target.scrape(Self.body, .openMetrics).count == 10)
            #expect(target.starts == [100_000, 200_500, 0, 300_000, 300_000, 300_000, 300_000, 400_000, 400_000])
        }
    }

    @Test func `series that come up after the created line, or before it, belong to it too`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("# TYPE h histogram\nh_count 4\nh_created 300\n# EOF\n", .openMetrics)
        let more = "# TYPE h histogram\nh_bucket{le=\"1.0\"} 4\nh_count 4\nh_created 300\n# EOF\n"
        _ = try target.scrape(more, .openMetrics)
        // What is new comes behind what is known.
        #expect(target.starts == [300_000, 0, 300_000])

        var late = ScrapedTarget()
        _ = try late.scrape("# TYPE a counter\na_total 5\n# EOF\n", .openMetrics)
        #expect(late.starts.isEmpty)
        for _ in 0..<2 {
            #expect(try late.scrape("# TYPE a counter\na_total 5\na_created 9\n# EOF\n", .openMetrics).count == 2)
        }
        #expect(late.starts == [9000])
        #expect(late.parser.counts.seriesAdded == 0)
    }

    @Test func `a created line without series, and one of another family, tell nothing`() throws {
        var target = ScrapedTarget()
        for round in 0..<4 {
            #expect(
                try target.scrape("# TYPE a counter\na_created 9\nb_total 1\nb_created 4\n# EOF\n", .openMetrics).count
                    == 3)
            #expect(target.starts.isEmpty)
            #expect((target.unknownCount == 0) == (round > 0))
        }
    }

    @Test func `in the text format created lines are series like others`() throws {
        var target = ScrapedTarget()
        _ = try target.scrape("# TYPE a counter\na_total 5\na_created 100\n")
        #expect(target.starts.isEmpty)
    }

    @Test func `many series that come and go leave nothing behind`() throws {
        var target = ScrapedTarget()
        for round in 0..<6 {
            var text = "# TYPE a counter\n"
            for place in 0..<1200 {
                text +=
                    "a_total{r=\"\(round)\",i=\"\(place)\"} 1\na_created{r=\"\(round)\",i=\"\(place)\"} \(place + 1)\n"
            }
            for _ in 0..<2 {
                _ = try target.scrape(text + "# EOF\n", .openMetrics)
                #expect(
                    target.starts.enumerated().allSatisfy {
                        $0.offset % 2 == 1 || $0.element == ($0.offset / 2 + 1) * 1000
                    })
                #expect(target.starts.count == 2399)
            }
        }
        #expect(target.parser.knownCount < 4 * 2401)
    }

    /// What a text stream in pieces of `size` bytes tells, as starts of its samples.
    private static func streamed(
        _ text: String, pieces size: Int, samplesPerBatch: Int = 10_000, partial: Bool = false,
        cache: SeriesCache = SeriesCache(secret: HashSecret(low: 3, high: 4))
    ) throws -> [Int64] {
        var parser = StreamParser(
            at: Timestamp(milliseconds: 9), cache: cache,
            settings: .init(samplesPerBatch: samplesPerBatch, format: .openMetrics))
        var starts: [Int64] = []
        func take(_ batch: UnresolvedBatch) {
            var batch = batch
            batch.resolve(
                batch.unknown.map { SeriesID(rawValue: UInt32($0.fingerprint.rawValue & 0xFFFFF)) }, into: cache)
            let samples = batch.samples
            starts += (0..<samples.count).map { $0 < samples.starts.count ? samples.starts[$0] : 0 }
        }
        let bytes = Array(text.utf8)
        for offset in stride(from: 0, to: bytes.count, by: size) {
            bytes[offset..<min(bytes.count, offset + size)].withUnsafeBytes { parser.feed($0) }
            while let batch = try parser.next() { take(batch) }
            if partial, let batch = parser.takePartial() { take(batch) }
        }
        while let batch = try parser.finish() { take(batch) }
        return starts
    }

    @Test(arguments: [1, 7, 64, 4096])
    func `created lines of a stream tell the starts too, however it is cut, of new and of known series`(
        size: Int
    ) throws {
        let cache = SeriesCache(secret: HashSecret(low: 3, high: 4))
        for _ in 0..<2 {
            #expect(try Self.streamed(Self.body, pieces: size, cache: cache) == Self.starts + [0])
        }
    }

    @Test func `batches of a stream are not cut between a sample and its created line`() throws {
        let body = Self.body
        #expect(try Self.streamed(body, pieces: 4096, samplesPerBatch: 5)[2...] == (Self.starts + [0])[2...])
        let pieces = try Self.streamed("# TYPE z counter\nz_total 1\nz_created 1\n" + body, pieces: 1, partial: true)
        #expect(pieces[2...] == ([1000, 0] + Self.starts + [0])[2...])
    }

    @Test func `a family without created lines of ten thousand series keeps little and tells no start`() throws {
        let lines = (0..<10_000).map { "a_total{x=\"\($0)\"} 1\n" }.joined()
        let starts = try Self.streamed("# TYPE a counter\n\(lines)# EOF\n", pieces: 4096)
        #expect(starts.count == 10_000)
        #expect(starts.allSatisfy { $0 == 0 })
    }
}
