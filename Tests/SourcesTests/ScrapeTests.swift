import Foundation
import Sources
import Streams
import TestKit
import Testing
import Transport

@Suite struct ScrapeTests {
    @Test func `a scrape stores what the target shows, and how it went`() async throws {
        let target = try TestTarget("a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n")
        let settings = ScrapeSettings.job(target.address) {
            $0.metricRelabelRules = [
                RelabelRule(.drop, sourceLabels: ["__name__"], regex: .known("b"))
            ]
        }
        try await ScrapeBench.run(settings) { bench async throws in
            await bench.scrape()
            target.show("a{x=\"1\"} 5\na{x=\"2\"} 2\na{x=\"3\"} 3\nb 3\n")
            await bench.scrape()
            #expect(
                try await bench.samples("a") == [
                    #"a{instance="t", job="j", x="1"}"#: ["1 @0", "5 @10000"],
                    #"a{instance="t", job="j", x="2"}"#: ["2 @0", "2 @10000"],
                    #"a{instance="t", job="j", x="3"}"#: ["3 @10000"],
                ])
            #expect(try await bench.samples("b") == [:])
            #expect(try await bench.report("up") == ["1 @0", "1 @10000"])
            #expect(try await bench.report("scrape_samples_scraped") == ["3 @0", "4 @10000"])
            #expect(try await bench.report("scrape_samples_post_metric_relabeling") == ["2 @0", "3 @10000"])
            #expect(try await bench.report("scrape_series_added") == ["2 @0", "1 @10000"])
            let durations = try await bench.report("scrape_duration_seconds")
            #expect(durations.count == 2 && durations.allSatisfy { !$0.hasPrefix("0 ") && !$0.hasPrefix("-") })
            let status = try #require(bench.source.status.all.first)
            #expect(status.health == .up && status.lastError == "")
            #expect(status.lastScrape == bench.start + .seconds(10))
            #expect(bench.samples.metric(#"tocsin_scrape_total{job="j"}"#) == "2")
            #expect(bench.samples.metric(#"tocsin_scrape_failures_total{job="j"}"#) == "0")
            #expect(bench.samples.metric(#"tocsin_scrape_targets{job="j"}"#) == "1")
        }
    }

    @Test func `a job that ended has no targets any more`() async throws {
        let samples = SampleStore()
        try await ScrapeBench.run(.job("127.0.0.1:1"), samples: samples) { _ in }
        #expect(samples.metric(#"tocsin_scrape_targets{job="j"}"#) == "0")
    }

    @Test func `a job without targets waits to be ended`() async throws {
        try await ScrapeBench.run(.job("x:1") { $0.targets = [] }) { bench async throws in
            #expect(bench.source.status.all == [])
            #expect(bench.samples.metric(#"tocsin_scrape_targets{job="j"}"#) == "0")
        }
    }

    // MARK: staleness

    @Test func `a series that vanishes goes stale, and comes back`() async throws {
        let target = try TestTarget("a 1\nb 1\n")
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            target.show("b 1\n")
            await bench.scrape()
            target.show("a 2\nb 1\n")
            await bench.scrape()
            #expect(
                try await bench.samples("a") == [
                    #"a{instance="t", job="j"}"#: ["1 @0", "stale @10000", "2 @20000"]
                ])
        }
    }

    @Test func `all series of a target that fails go stale once, its own go on`() async throws {
        let target = try TestTarget("a 1\n")
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            target.answer(.text(500, "no"))
            await bench.scrape()
            await bench.scrape()
            #expect(try await bench.samples("a") == [#"a{instance="t", job="j"}"#: ["1 @0", "stale @10000"]])
            #expect(try await bench.report("up") == ["1 @0", "0 @10000", "0 @20000"])
            #expect(try await bench.report("scrape_samples_scraped") == ["1 @0", "0 @10000", "0 @20000"])
            #expect(bench.error == "server returned HTTP status 500")
            #expect(bench.source.status.all.first?.health == .down)
            target.show("a 3\n")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first?.last == "3 @30000")
            #expect(bench.source.status.all.first?.health == .up && bench.error == "")
        }
    }

    @Test func `everything ends when the job is gone, even right after a scrape`() async throws {
        let target = try TestTarget("a 1\n")
        let samples = SampleStore()
        nonisolated(unsafe) var bench: ScrapeBench?
        try await ScrapeBench.run(.job(target.address), samples: samples) { running async throws in
            await running.scrape()
            bench = running
        }
        let ended = try #require(bench)
        await ended.source.retire()
        #expect(try await ended.samples("a").values.first == ["1 @0", "stale @1"])
        for name in ["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added"] {
            #expect(try await ended.report(name).last == "stale @1", "\(name)")
        }
        #expect(ended.source.status.all == [])
    }

    @Test func `what the graph did not take is told by the next scrape that it takes`() async throws {
        let target = try TestTarget("gone 1\nkept 1\nold 1\n")
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            bench.samples.isFull = true
            target.show("gone 2\nkept 2\n")
            await bench.scrape()
            #expect(bench.error == "the graph is full")
            #expect(bench.source.status.all.first?.health == .up, "that the graph is full is not the target's fault")
            #expect(bench.samples.metric(#"tocsin_scrape_refused_total{job="j"}"#) == "1")
            bench.samples.isFull = false
            target.show("kept 3\n")
            await bench.scrape()
            await bench.scrape()
            #expect(try await bench.samples("gone").values.first == ["1 @0", "stale @20000"])
            #expect(try await bench.samples("old").values.first == ["1 @0", "stale @20000"])
            #expect(try await bench.samples("kept").values.first == ["1 @0", "3 @20000", "3 @30000"])
            #expect(try await bench.report("up") == ["1 @0", "1 @20000", "1 @30000"])
        }
    }

    @Test func `series whose end the graph did not take end when the job is gone`() async throws {
        let target = try TestTarget("a 1\n")
        let samples = SampleStore()
        nonisolated(unsafe) var bench: ScrapeBench?
        try await ScrapeBench.run(.job(target.address), samples: samples) { running async throws in
            await running.scrape()
            samples.isFull = true
            await running.scrape()
            bench = running
        }
        samples.isFull = false
        let ended = try #require(bench)
        await ended.source.retire()
        #expect(try await ended.samples("a").values.first == ["1 @0", "stale @10000"])
    }

    @Test func `an epoch change hides no end and makes no series new`() async throws {
        let target = try TestTarget("a 1\nb 1\n")
        let samples = SampleStore()
        let ingest = EpochIngest(samples.ingest)
        try await ScrapeBench.run(.job(target.address), samples: samples, ingest: ingest) { bench async throws in
            await bench.scrape()
            ingest.turn()
            target.show("b 1\n")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @0", "stale @10000"])
            #expect(try await bench.samples("b").values.first == ["1 @0", "1 @10000"])
            #expect(try await bench.report("scrape_series_added") == ["2 @0", "0 @10000"])
            #expect(try await bench.report("up") == ["1 @0", "1 @10000"])
        }
    }

    @Test func `a job that goes on under other settings ends only what it does not show any more`() async throws {
        let target = try TestTarget("kept 1\ndropped 1\n")
        let samples = SampleStore()
        nonisolated(unsafe) var bench: ScrapeBench?
        try await ScrapeBench.run(
            .job(target.address) { $0.targets.append(.init(addresses: ["localhost:1"], labels: ["instance": "u"])) },
            samples: samples
        ) { running async throws in
            samples.clock.advance(by: .seconds(10))
            await samples.clock.waitForSleepers(count: 2)
            bench = running
        }
        let old = try #require(bench)
        let changed = ScrapeSettings.job(target.address) {
            $0.metricRelabelRules = [RelabelRule(.drop, sourceLabels: ["__name__"], regex: .known("dropped"))]
        }
        try await ScrapeBench.run(changed, samples: samples, after: old.source) { running async throws in
            #expect(try await samples.values("kept").values.first == ["1"])
            #expect(
                try await samples.values("up") == [
                    #"up{instance="t", job="j"}"#: ["1"], #"up{instance="u", job="j"}"#: ["0", "stale"],
                ])
            await running.scrape()
            #expect(try await samples.values("kept").values.first == ["1", "1"])
            #expect(try await samples.values("dropped").values.first == ["1", "stale"])
            #expect(try await samples.values("up")[#"up{instance="t", job="j"}"#] == ["1", "1"])
        }
    }

    // MARK: labels and times

    @Test func `a label that the target has too is renamed, or honoured`() async throws {
        let text = #"m{job="own",instance="",exported_job="x",a="1"} 1"# + "\n"
        let target = try TestTarget(text)
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            #expect(
                try await Array(bench.samples("m").keys) == [
                    #"m{a="1", exported_exported_job="own", exported_job="x", instance="t", job="j"}"#
                ])
        }
        try await ScrapeBench.run(.job(target.address) { $0.honorsLabels = true }) { bench async throws in
            await bench.scrape()
            // An empty value keeps the target's own label away: so a Pushgateway tells that there is no instance.
            #expect(try await Array(bench.samples("m").keys) == [#"m{a="1", exported_job="x", job="own"}"#])
        }
    }

    @Test func `of labels that give way the shortest goes first`() async throws {
        let target = try TestTarget(#"m{z="1",exported_z="2"} 1"# + "\n")
        let settings = ScrapeSettings.job(target.address) {
            $0.targets[0].labels = ["instance": "t", "z": "T", "exported_z": "E"]
        }
        try await ScrapeBench.run(settings) { bench async throws in
            await bench.scrape()
            let labels =
                #"exported_exported_exported_z="2", exported_exported_z="1", exported_z="E", instance="t", job="j", z="T""#
            #expect(try await Array(bench.samples("m").keys) == ["m{\(labels)}"])
        }
    }

    @Test func `timestamps of the target are honoured, or not`() async throws {
        let target = try TestTarget()
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            target.show("a 1 \(bench.start.milliseconds - 5000)\n")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @-5000"])
            target.show("")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @-5000"], "it never goes stale")
        }
        try await ScrapeBench.run(.job(target.address) { $0.honorsTimestamps = false }) { bench async throws in
            target.show("a 1 \(bench.start.milliseconds - 5000)\n")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @0"])
        }
        try await ScrapeBench.run(.job(target.address) { $0.tracksTimestampsStaleness = true }) { bench async throws in
            target.show("a 1 \(bench.start.milliseconds - 5000)\n")
            await bench.scrape()
            target.show("")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @-5000", "stale @10000"])
        }
    }

    @Test func `a series that another source stores later samples of is refused and counted, the rest is stored`()
        async throws
    {
        let target = try TestTarget()
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            target.show("a 1 \(bench.start.milliseconds)\nb 1\n")
            await bench.scrape()
            target.show("a 2 \(bench.start.milliseconds - 60_000)\nb 2\n")
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @0"])
            #expect(try await bench.samples("b").values.first == ["1 @0", "2 @10000"])
            #expect(try await bench.report("up") == ["1 @0", "1 @10000"])
        }
    }

    // MARK: the interval

    @Test func `intervals that a slow target misses are counted`() async throws {
        let gate = DispatchSemaphore(value: 0)
        let server = try TestHTTPServer { request in
            gate.wait()
            return .metrics("a 1\n")
        }
        try await ScrapeBench.run(.job("127.0.0.1:\(server.port)")) { bench async throws in
            bench.samples.clock.advance(to: bench.start)
            await server.received(1)
            bench.samples.clock.advance(by: .seconds(30))
            gate.signal()
            await bench.samples.clock.waitForSleepers(count: 1)
            #expect(bench.samples.metric(#"tocsin_scrape_missed_intervals_total{job="j"}"#) == "3")
            #expect(bench.samples.clock.nextDeadline == bench.start + .seconds(40), "it stays on its grid")
            gate.signal()
            await bench.scrape()
            #expect(bench.samples.metric(#"tocsin_scrape_missed_intervals_total{job="j"}"#) == "3")
            #expect(try await bench.report("up") == ["1 @0", "1 @40000"])
        }
    }

    @Test func `a wake-up that is a little late does not show in the timestamps, a later one does`() async throws {
        let target = try TestTarget("a 1\n")
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            bench.samples.clock.advance(to: bench.start + .milliseconds(2))
            await bench.samples.clock.waitForSleepers(count: 1)
            bench.samples.clock.advance(to: bench.start + .milliseconds(10_003))
            await bench.samples.clock.waitForSleepers(count: 1)
            #expect(try await bench.report("up") == ["1 @0", "1 @10003"])
        }
    }

    @Test func `targets are spread over the interval, each at the same place always`() throws {
        var settings = ScrapeSettings.job("a:1")
        settings.targets[0].addresses = (0..<1000).map { "10.0.\($0 / 100).\($0 % 100):9100" }
        settings.targets[0].labels = LabelSet()
        let phases = try ScrapeTarget.all(of: settings).map(\.phase)
        #expect(try ScrapeTarget.all(of: settings).map(\.phase) == phases)
        var tenths = [Int](repeating: 0, count: 10)
        for phase in phases { tenths[Int(phase / .seconds(1))] += 1 }
        #expect(tenths.allSatisfy { (60...140).contains($0) }, "\(tenths)")
    }
}
