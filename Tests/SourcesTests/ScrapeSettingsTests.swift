import Sources
import Streams
import Testing
import Transport
import YAML

@Suite struct ScrapeSettingsTests {
    private func decode(
        _ text: String, _ defaults: ScrapeDefaults = ScrapeDefaults()
    ) throws -> (settings: ScrapeSettings, errors: [String]) {
        let diagnostics = Diagnostics()
        let node = try #require(DocumentParser.parse(try SourceText(text, file: "f.yaml"), diagnostics: diagnostics))
        let settings = ScrapeSettings(node, defaults, diagnostics)
        return (settings, diagnostics.errors.map { "\($0)" })
    }

    @Test func `every key has its meaning`() throws {
        let (settings, errors) = try decode(
            """
            job_name: j
            scrape_interval: 5s
            scrape_timeout: 4s
            metrics_path: /m
            scheme: https
            params: {module: [a, b]}
            honor_labels: true
            honor_timestamps: false
            track_timestamps_staleness: true
            enable_compression: false
            scrape_protocols: [PrometheusText0.0.4, OpenMetricsText1.0.0]
            fallback_scrape_protocol: PrometheusText1.0.0
            metric_name_validation_scheme: legacy
            body_size_limit: 1MB
            sample_limit: 1
            target_limit: 2
            label_limit: 3
            label_name_length_limit: 4
            label_value_length_limit: 5
            bearer_token: t
            tls_config: {insecure_skip_verify: true}
            static_configs:
            - {targets: ['a:1', 'b'], labels: {team: ml}}
            relabel_configs:
            - {action: drop, source_labels: [a], regex: x}
            metric_relabel_configs:
            - {action: keep, source_labels: [b], regex: y}
            """)
        #expect(errors == [])
        #expect(settings.job == "j" && settings.interval == .seconds(5) && settings.timeout == .seconds(4))
        #expect(settings.metricsPath == "/m" && settings.scheme == "https")
        #expect(settings.parameters == [.init("module", ["a", "b"])])
        #expect(settings.honorsLabels && !settings.honorsTimestamps && settings.tracksTimestampsStaleness)
        #expect(!settings.acceptsGzip && settings.usesLegacyNames)
        #expect(settings.protocols == [.text0, .openMetrics1] && settings.fallbackProtocol == .text1)
        let limits = settings.limits
        #expect(limits.bodyBytesMax == 1 << 20 && limits.samplesMax == 1 && limits.targetsMax == 2)
        #expect(limits.labelsMax == 3 && limits.labelNameBytesMax == 4 && limits.labelValueBytesMax == 5)
        #expect(settings.http.authentication == .credentials(scheme: "Bearer", SecretText("t")))
        #expect(settings.http.tls.skipsVerification)
        #expect(settings.targets == [.init(addresses: ["a:1", "b"], labels: ["team": "ml"])])
        #expect(settings.relabelRules.map(\.action) == [.drop])
        #expect(settings.metricRelabelRules.map(\.action) == [.keep])
    }

    @Test func `native histograms are asked for where they are wanted, unless protocols are named`() throws {
        #expect(try decode("{job_name: j}").0.protocols == ScrapeProtocol.standard)
        let (wanted, errors) = try decode("{job_name: j, scrape_native_histograms: true}")
        #expect(errors == [] && wanted.takesNativeHistograms && !wanted.alwaysTakesClassicHistograms)
        #expect(wanted.protocols == [.protobuf] + ScrapeProtocol.standard)
        let named = try decode(
            "{job_name: j, scrape_native_histograms: true, scrape_protocols: [PrometheusText0.0.4, PrometheusProto]}")
        #expect(named.0.protocols == [.text0, .protobuf])
        var defaults = ScrapeDefaults()
        defaults.takesNativeHistograms = true
        defaults.alwaysTakesClassicHistograms = true
        let inherited = try decode("{job_name: j}", defaults).0
        #expect(inherited.takesNativeHistograms && inherited.alwaysTakesClassicHistograms)
        #expect(inherited.protocols == ScrapeProtocol.standardForHistograms)
        let declined = try decode("{job_name: j, scrape_native_histograms: false}", defaults).0
        #expect(!declined.takesNativeHistograms && declined.protocols == ScrapeProtocol.standard)
    }

    @Test func `what is not said, or said as 0, is global`() throws {
        var defaults = ScrapeDefaults(interval: .seconds(3), timeout: .seconds(2), protocols: [.text0])
        defaults.limits.samplesMax = 7
        defaults.limits.bodyBytesMax = 9
        defaults.usesLegacyNames = true
        let (settings, errors) = try decode("{job_name: j, sample_limit: 0, body_size_limit: 0}", defaults)
        #expect(errors == [])
        #expect(settings.interval == .seconds(3) && settings.timeout == .seconds(2))
        #expect(settings.protocols == [.text0] && settings.usesLegacyNames)
        #expect(settings.limits == defaults.limits)
        #expect(settings.metricsPath == "/metrics" && settings.scheme == "http" && settings.acceptsGzip)
        #expect(settings.honorsTimestamps && !settings.honorsLabels)
        #expect(try decode("{job_name: j, scrape_interval: 1s}", defaults).settings.timeout == .seconds(1))
    }

    static let bad: [(String, [String])] = [
        ("{}", ["f.yaml:1:1: key \"job_name\" is missing in a scrape config"]),
        ("{job_name: ''}", ["f.yaml:1:12: "]),
        ("{job_name: j, job_nam: k}", ["f.yaml:1:15: unknown key \"job_nam\" in a scrape config"]),
        ("{job_name: j, scrape_interval: soon}", ["f.yaml:1:32: "]),
        ("{job_name: j, scrape_interval: -1s}", ["f.yaml:1:32: "]),
        (
            "{job_name: j, scrape_interval: 5s, scrape_timeout: 6s}",
            ["f.yaml:1:52: scrape timeout 6s is longer than the scrape interval 5s of job \"j\""]
        ),
        ("{job_name: j, scheme: ftp}", ["f.yaml:1:23: "]),
        ("{job_name: j, sample_limit: -1}", ["f.yaml:1:29: "]),
        ("{job_name: j, body_size_limit: large}", ["f.yaml:1:32: "]),
        ("{job_name: j, scrape_protocols: []}", ["f.yaml:1:33: scrape_protocols must not be empty"]),
        (
            "{job_name: j, scrape_protocols: [PrometheusText0.0.4, PrometheusText0.0.4]}",
            ["f.yaml:1:33: a scrape protocol is listed twice"]
        ),
        ("{job_name: j, fallback_scrape_protocol: Text}", ["f.yaml:1:41: "]),
        ("{job_name: j, params: [a]}", ["f.yaml:1:23: "]),
        (
            "{job_name: j, static_configs: [{targets: ['http://a:1/m']}]}",
            [
                "f.yaml:1:43: \"http://a:1/m\" is no target: leave the scheme and the path out, write host:port"
            ]
        ),
        ("{job_name: j, static_configs: [{target: ['a:1']}]}", ["f.yaml:1:33: unknown key \"target\""]),
        ("{job_name: j, static_configs: {targets: ['a:1']}}", ["f.yaml:1:31: "]),
        ("{job_name: j, honor_labels: maybe}", ["f.yaml:1:29: "]),
        (
            "{job_name: j, kubernetes_sd_configs: [{role: pod}]}",
            ["f.yaml:1:15: key \"kubernetes_sd_configs\" in a scrape config is not supported yet"]
        ),
        ("{job_name: j, bearer_token: a, basic_auth: {username: u}}", ["f.yaml:1:15: "]),
        ("{job_name: j, relabel_configs: [{action: dance}]}", ["f.yaml:1:42: unknown relabel action \"dance\""]),
        ("{job_name: j, relabel_configs: [{action: replace}]}", ["f.yaml:1:42: "]),
        ("{job_name: j, metric_relabel_configs: [{action: keep, regex: '('}]}", ["f.yaml:1:62: "]),
        ("{job_name: j, scheme: x, honor_labels: 7}", ["f.yaml:1:23: ", "f.yaml:1:40: "]),
        ("[1]", ["f.yaml:1:1: "]),
    ]

    @Test("What is wrong is told with its place", arguments: bad)
    func reports(_ text: String, _ expected: [String]) throws {
        let errors = try decode(text).errors
        #expect(errors.count == expected.count, "\(errors)")
        for (error, prefix) in zip(errors, expected) { #expect(error.hasPrefix(prefix), "\(error)") }
    }
}
