import Foundation
import Sources
import Storage
import Streams
import TestKit
import Testing
import Transport

@Suite struct ScrapeFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: TestHTTPServer.Answer
        var reason: String
        var change: @Sendable (inout ScrapeSettings) -> Void
        /// `scrape_samples_scraped` and `scrape_samples_post_metric_relabeling`.
        var counts: [Int]

        init(
            _ name: String, _ answer: TestHTTPServer.Answer, _ reason: String, counts: [Int] = [0, 0],
            _ change: @escaping @Sendable (inout ScrapeSettings) -> Void = { _ in }
        ) {
            (testDescription, self.answer, self.reason, self.counts, self.change) = (
                name, answer, reason, counts, change
            )
        }
    }

    static let failures: [Case] = [
        Case("a bad status", .text(503, "busy"), "server returned HTTP status 503"),
        Case("no content either", .text(204, ""), "server returned HTTP status 204"),
        Case("a malformed line", .metrics("a 1\nb{x=\"1} 2\n"), "line 2: "),
        Case("a value that is none", .metrics("a one\n"), "line 1: expected a number, found \"one\""),
        Case(
            "no content type", .text(200, "a 1\n"),
            "the target sent a blank Content-Type, and it has no fallback_scrape_protocol"),
        Case(
            "a page", .text(200, "<html>", headers: ["Content-Type": "text/html"]),
            "the target sent the unsupported Content-Type \"text/html\", and it has no fallback_scrape_protocol"),
        Case(
            "OpenMetrics without its end", .metrics("a 1\n", type: "application/openmetrics-text; version=1.0.0"),
            "line 2: the text does not end with \"# EOF\""),
        Case("a target that never answers", .hang, "timed out after 50ms") { $0.timeout = .milliseconds(50) },
        Case("half a body", .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na 1\n".utf8)), ""),
        Case(
            "a body beyond its limit", .metrics(String(repeating: "a 1\n", count: 100)),
            "the body is larger than body_size_limit (100 bytes)"
        ) { $0.limits.bodyBytesMax = 100 },
        Case(
            "more samples than allowed", .metrics("a 1\nb 2\nc 3\nd 4\n"),
            "3 samples are more than sample_limit (2)", counts: [4, 3]
        ) {
            $0.limits.samplesMax = 2
            $0.metricRelabelRules = [
                RelabelRule(.drop, sourceLabels: ["__name__"], regex: .known("d"))
            ]
        },
        Case(
            "more labels than allowed, the target's own among them", .metrics("a{x=\"1\"} 1\n"),
            #"4 labels are more than label_limit (3): a{instance="t", job="j", x="1"}"#, counts: [1, 0]
        ) { $0.limits.labelsMax = 3 },
        Case(
            "a label name that is too long", .metrics("a{abcdefghi=\"1\"} 1\n"),
            "the label name \"abcdefghi\" is longer than label_name_length_limit (8)", counts: [1, 0]
        ) { $0.limits.labelNameBytesMax = 8 },
        Case(
            "a label value that is too long", .metrics("a{x=\"123456789\"} 1\n"),
            "a value of label \"x\" is longer than label_value_length_limit (8)", counts: [1, 0]
        ) { $0.limits.labelValueBytesMax = 8 },
        Case(
            "relabelling that leaves no name", .metrics("a 1\n"), "metric name is missing"
        ) {
            $0.metricRelabelRules = [
                RelabelRule(.labeldrop, regex: .known("__name__"))
            ]
        },
        Case(
            "a name that the classic scheme has not", .metrics("{\"a.b\"} 1\n"),
            #"invalid metric name or label names under the legacy scheme: {"a.b", instance="t", job="j"}"#
        ) { $0.usesLegacyNames = true },
    ]

    @Test("A scrape that fails leaves up 0, the reason and nothing else", arguments: failures)
    func fails(_ example: Case) async throws {
        let target = try TestTarget()
        let settings = ScrapeSettings.job(target.address, example.change)
        try await ScrapeBench.run(settings) { bench async throws in
            target.answer(example.answer)
            await bench.scrape()
            #expect(bench.error.hasPrefix(example.reason), "\(bench.error)")
            #expect(bench.error != "" && bench.error != "no target")
            #expect(bench.source.status.all.first?.health == .down)
            #expect(try await bench.report("up") == ["0 @0"])
            #expect(try await bench.report("scrape_samples_scraped") == ["\(example.counts[0]) @0"])
            #expect(try await bench.report("scrape_samples_post_metric_relabeling") == ["\(example.counts[1]) @0"])
            #expect(try await bench.report("scrape_series_added") == ["0 @0"])
            for name in ["a", "b", "c", "a.b"] { #expect(try await bench.samples(name) == [:]) }
            #expect(bench.samples.metric(#"tocsin_scrape_failures_total{job="j"}"#) == "1")
            // It is not for good, where neither a short time nor a rule stands against it.
            if settings.timeout < settings.interval || settings.metricRelabelRules.first?.action == .labeldrop {
                return
            }
            target.show("fine 1\n")
            await bench.scrape()
            #expect(try await bench.report("up") == ["0 @0", "1 @10000"], "\(bench.error)")
        }
    }

    @Test func `beyond target_limit no target is asked, and all are down for that reason`() async throws {
        let target = try TestTarget("a 1\n")
        let settings = ScrapeSettings.job(target.address) {
            $0.targets = [.init(addresses: [target.address, "localhost:1", target.address], labels: LabelSet())]
            $0.limits.targetsMax = 1
        }
        try await ScrapeBench.run(settings) { bench async throws in
            bench.samples.clock.advance(by: .seconds(10))
            await bench.samples.clock.waitForSleepers(count: 2)
            #expect(target.server.requests.isEmpty)
            #expect(try await bench.samples.values("up").values.sorted { $0.count < $1.count } == [["0"], ["0"]])
            #expect(
                bench.source.status.all.map(\.lastError) == [
                    "target_limit exceeded: 2 targets, the limit is 1",
                    "target_limit exceeded: 2 targets, the limit is 1",
                ])
        }
        try await ScrapeBench.run(
            .job(target.address) {
                $0.targets[0].addresses += [target.address]
                $0.limits.targetsMax = 1
            }
        ) { bench async throws in
            await bench.scrape()
            #expect(try await bench.report("up") == ["1 @0"], "a target that is found twice counts once")
        }
    }

    @Test func `a reached bound on series takes the new series away, and says so`() async throws {
        var storage = StorageSettings()
        storage.seriesMax = 7
        let target = try TestTarget("a 1\n")
        try await ScrapeBench.run(.job(target.address), samples: SampleStore(storage)) { bench async throws in
            await bench.scrape()
            #expect(try await bench.report("up") == ["1 @0"])
            target.show("a 1\nb{x=\"1\"} 1\nb{x=\"2\"} 1\n")
            await bench.scrape()
            #expect(try await bench.report("up") == ["1 @0", "0 @10000"])
            #expect(bench.error.contains("7"), "\(bench.error)")
        }
    }
}
