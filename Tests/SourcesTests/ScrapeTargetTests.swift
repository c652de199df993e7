import Sources
import Streams
import Testing
import Transport

@Suite struct ScrapeTargetTests {
    private func targets(_ change: (inout ScrapeSettings) -> Void) throws -> [ScrapeTarget] {
        try ScrapeTarget.all(of: .job("h:1", change))
    }

    private static func replace(
        _ label: String, _ value: String, from sources: [String] = [], matching pattern: String = "(.*)"
    ) -> RelabelRule {
        RelabelRule(
            .replace, sourceLabels: sources, regex: .known(pattern), targetLabel: label,
            replacement: value)
    }

    @Test func `a target's labels are what relabelling leaves, without those of relabelling's own`() throws {
        let target = try #require(
            try targets {
                $0.targets = [.init(addresses: ["h:1"], labels: ["team": "ml", "__meta": "x"])]
                $0.relabelRules = [Self.replace("copied", "$1", from: ["__meta"])]
            }.first)
        #expect(target.labels == ["copied": "x", "instance": "h:1", "job": "j", "team": "ml"])
        #expect(target.discoveredLabels["__scrape_interval__"] == "10s")
        #expect(target.url.text == "http://h:1/metrics")
    }

    @Test func `relabelling sets the address, the scheme, the path, the times and the parameters`() throws {
        let target = try #require(
            try targets {
                $0.parameters = [.init("module", ["icmp", "more"])]
                $0.relabelRules = [
                    Self.replace("__param_target", "$1", from: ["__address__"]),
                    Self.replace("__address__", "exporter:9115"), Self.replace("__scheme__", "https"),
                    Self.replace("__metrics_path__", "probe"), Self.replace("__scrape_interval__", "1m"),
                    Self.replace("__scrape_timeout__", "7s"), Self.replace("__param_module", "http"),
                ]
            }.first)
        #expect(target.url.text == "https://exporter:9115/probe?module=http&module=more&target=h%3A1")
        #expect(target.interval == .seconds(60) && target.timeout == .seconds(7))
        #expect(target.labels["instance"] == "t")
    }

    @Test func `a parameter that relabelling removes stays`() throws {
        let target = try #require(
            try targets {
                $0.parameters = [.init("module", ["icmp"])]
                $0.relabelRules = [RelabelRule(.labeldrop, regex: .known("__param_.*"))]
            }.first)
        #expect(target.url.text == "http://h:1/metrics?module=icmp")
    }

    @Test func `a target that relabelling drops is none, and one that is found twice is one`() throws {
        #expect(
            try targets {
                $0.relabelRules = [
                    RelabelRule(.drop, sourceLabels: ["__address__"], regex: .known("h:.*"))
                ]
            } == [])
        #expect(
            try targets {
                $0.targets = [
                    .init(addresses: ["h:1"], labels: ["__meta_a": "1"]),
                    .init(addresses: ["h:1"], labels: ["__meta_a": "2"]),
                    .init(addresses: ["h:1"], labels: ["a": "3"]),
                ]
            }.map(\.labels) == [["instance": "h:1", "job": "j"], ["a": "3", "instance": "h:1", "job": "j"]])
    }

    static let bad: [(RelabelRule, String)] = [
        (replace("__address__", ""), "target \"h:1\": relabelling left no __address__"),
        (replace("__address__", "h/x"), "target \"h:1\": \"h/x\" is not host:port"),
        (replace("__address__", "h:70000"), "target \"h:1\": invalid URL: its port is not a number from 1 to 65535"),
        (replace("__scheme__", "ftp"), "target \"h:1\": invalid URL: the scheme \"ftp\" is not http or https"),
        (replace("__scrape_interval__", "0s"), "target \"h:1\": the scrape interval is 0"),
        (replace("__scrape_timeout__", "0s"), "target \"h:1\": the scrape timeout is 0"),
        (replace("__scrape_timeout__", "11s"), "target \"h:1\": the scrape timeout is longer than the interval"),
        (
            replace("__scrape_interval__", "often"),
            "target \"h:1\": __scrape_interval__: \"often\" is no duration; write one such as 30s, 5m or 1h30m"
        ),
    ]

    @Test("What makes no target is refused", arguments: bad)
    func refuses(_ rule: RelabelRule, _ reason: String) throws {
        do {
            let made = try targets { $0.relabelRules = [rule] }
            Issue.record("a target was made: \(made)")
        } catch {
            #expect("\(error)" == reason)
        }
    }
}
