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
}
