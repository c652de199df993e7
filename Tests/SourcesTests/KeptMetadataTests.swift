import Foundation
import Sources
import Storage
import Streams
import TestKit
import Testing

@Suite struct KeptMetadataTests {
    private static func openMetrics(_ text: String) -> TestHTTPServer.Answer {
        .metrics(text, type: "application/openmetrics-text; version=1.0.0; charset=utf-8")
    }

    private static func told(_ samples: SampleStore) -> [String] {
        samples.ingest.metadata.families().flatMap(\.descriptions).map { "\($0.family) \($0.type.rawValue) \($0.help)" }
    }

    private static func exemplars(_ samples: SampleStore) -> [String] {
        samples.ingest.exemplars.select([[]], from: .distantPast, through: .distantFuture).flatMap { series in
            series.exemplars.map { "\(series.labels) \($0.labels) \(formatFloat($0.value, .general))" }
        }
    }

    @Test func `a target's metadata is that of its last scrape that could be read, until the target is gone`()
        async throws
    {
        let target = try TestTarget("# TYPE a gauge\n# HELP a A.\na 1\n")
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            #expect(Self.told(bench.samples) == ["a gauge A."])
            target.show("# TYPE a gauge\n# HELP a Other.\na 1\n# TYPE b counter\nb 1\n")
            await bench.scrape()
            #expect(Self.told(bench.samples) == ["a gauge Other.", "b counter "])
            target.show("# TYPE c counter\nbroken\n")
            await bench.scrape()
            #expect(Self.told(bench.samples) == ["a gauge Other.", "b counter "])
            target.show("# TYPE c counter\nc 1\n")
            await bench.scrape()
            #expect(Self.told(bench.samples).contains("c counter "))
            #expect(
                bench.samples.ingest.metadata.targets().map(\.labels) == [["instance": "t", "job": "j"]])
            await bench.source.retire()
            #expect(Self.told(bench.samples) == [])
        }
    }

    @Test func `another job's settings for the same target keep what it told`() async throws {
        let target = try TestTarget("# TYPE a gauge\na 1\n")
        let samples = SampleStore()
        let first = try await Reference.of(target, samples) { await $0.scrape() }
        #expect(Self.told(samples) == ["a gauge "])
        target.show("# TYPE b gauge\nb 1\n")
        try await ScrapeBench.run(.job(target.address) { $0.honorsLabels = true }, samples: samples, after: first) {
            bench async throws in
            #expect(Self.told(samples) == ["a gauge "])
            await bench.scrape()
            // The new one has read nothing before, so it tells all that there is.
            #expect(Self.told(samples) == ["b gauge "])
        }
    }

    /// Runs a source to its end and gives it back.
    private enum Reference {
        static func of(
            _ target: TestTarget, _ samples: SampleStore, _ body: @escaping @Sendable (ScrapeBench) async -> Void
        ) async throws -> ScrapeSource {
            let box = Box()
            try await ScrapeBench.run(.job(target.address), samples: samples) { bench async throws in
                await body(bench)
                await box.set(bench.source)
            }
            return try #require(await box.source)
        }

        private actor Box {
            var source: ScrapeSource?
            func set(_ source: ScrapeSource) { self.source = source }
        }
    }

    @Test func `a scrape's exemplars lie under the labels that its series are stored with`() async throws {
        let target = try TestTarget()
        target.answer(Self.openMetrics("a_total{job=\"x\"} 1 # {trace_id=\"1\"} 0.5\n# EOF\n"))
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            await bench.scrape()
            #expect(
                Self.exemplars(bench.samples) == [
                    #"a_total{exported_job="x", instance="t", job="j"} {trace_id="1"} 0.5"#
                ])
            #expect(bench.samples.metric("tocsin_exemplars_appended_total") == "1")
            target.answer(Self.openMetrics("a_total{job=\"x\"} 1 # {trace_id=\"2\"} 0.5\n# EOF\n"))
            await bench.scrape()
            #expect(Self.exemplars(bench.samples).count == 2)
        }
    }

    @Test func `a program that uses prometheus_client has its exemplars and metadata kept`() async throws {
        guard (try? await TestProcess.output(TestProcess.python, ["-c", "import prometheus_client"])) != nil else {
            print("prometheus_client: not there, not checked")
            return
        }
        let program = """
            import sys, prometheus_client as p
            c = p.Counter("steps", "Steps done.")
            c.inc(3, {"trace_id": "t1"})
            h = p.Histogram("step_seconds", "Time of a step.", unit="seconds", buckets=[1, 2])
            h.observe(1.5, {"trace_id": "t2"})
            server, thread = p.start_http_server(0, addr="127.0.0.1")
            print(server.server_port, flush=True)
            sys.stdin.read()
            """
        let process = try TestProcess(TestProcess.python, ["-c", program])
        let port = try #require(await process.line())
        try await ScrapeBench.run(.job("127.0.0.1:\(port)")) { bench async throws in
            await bench.scrape()
            #expect(bench.error == "")
            #expect(
                Self.exemplars(bench.samples) == [
                    #"step_seconds_bucket{instance="t", job="j", le="2.0"} {trace_id="t2"} 1.5"#,
                    #"steps_total{instance="t", job="j"} {trace_id="t1"} 3"#,
                ])
            let metadata = bench.samples.ingest.metadata
            #expect(
                metadata.families(named: "steps").map(\.descriptions) == [
                    [FamilyMetadata("steps", type: .counter, help: "Steps done.")]
                ])
            #expect(
                metadata.families(named: "step_seconds").map(\.descriptions) == [
                    [FamilyMetadata("step_seconds", type: .histogram, help: "Time of a step.", unit: "seconds")]
                ])
        }
        withExtendedLifetime(process) {}
    }

    // MARK: pushes

    private static let key = GroupingKey(labels: ["job": "j"])

    @Test func `what pushed groups say of their families goes with the last group that has them`() async throws {
        let samples = SampleStore()
        let gateway = PushGateway(
            PushSettings(), ingest: samples.ingest, clock: samples.clock, telemetry: samples.telemetry)
        let other = GroupingKey(labels: ["job": "k"])
        try await gateway.push(Array("# TYPE a gauge\n# HELP a A.\na 1\nb 1\n".utf8), to: Self.key, replacing: true)
        try await gateway.push(Array("# TYPE a gauge\na 1\n# TYPE c counter\nc 1\n".utf8), to: other, replacing: true)
        let own = Self.told(samples).filter { $0.hasPrefix("push_") }
        #expect(own.count == 2)
        func told() -> [String] { Self.told(samples).filter { !$0.hasPrefix("push_") } }
        #expect(told() == ["a gauge A.", "c counter "])
        let next = SampleStore()
        let restarted = PushGateway(
            PushSettings(), ingest: next.ingest, clock: next.clock, telemetry: next.telemetry)
        await restarted.restore(await gateway.savedGroups())
        #expect(Set(Self.told(next)) == Set(Self.told(samples)))
        try await gateway.push(Array("# TYPE a gauge\na 1\n".utf8), to: other, replacing: true)
        #expect(told() == ["a gauge A."])
        try await gateway.delete(Self.key)
        #expect(told() == ["a gauge A."])
        try await gateway.delete(other)
        #expect(Self.told(samples) == [])
    }

    @Test(arguments: [
        ("a{x=\"1\",y=\"2\"} 1\n", "a series of \"a\" has 4 labels, more than label_limit (3)"),
        ("a{long_name=\"1\"} 1\n", "the label name \"long_name\" is longer than label_name_length_limit (8 bytes)"),
        ("a{x=\"1234567890\"} 1\n", "a value of label \"x\" is longer than label_value_length_limit (9 bytes)"),
    ])
    func `a push whose labels are too many or too long is refused, and counted`(
        _ text: String, _ reason: String
    ) async throws {
        let samples = SampleStore()
        var settings = PushSettings()
        settings.labels = LabelLimits(labelsMax: 3, nameBytesMax: 8, valueBytesMax: 9)
        let gateway = PushGateway(
            settings, ingest: samples.ingest, clock: samples.clock, telemetry: samples.telemetry)
        await #expect {
            try await gateway.push(Array(text.utf8), to: Self.key, replacing: true)
        } throws: {
            "\($0)".hasSuffix(reason)
        }
        #expect(samples.metric("tocsin_push_label_limit_total{source=\"push\"}") == "1")
        try await gateway.push(Array("a{x=\"123456789\"} 1\n".utf8), to: Self.key, replacing: true)
    }
}
