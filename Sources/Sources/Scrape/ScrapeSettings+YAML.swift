import Streams
import Transport
package import YAML

extension Format where Value == ScrapeSettings {
    /// One `scrape_config`.
    package static func scrapeConfig(_ defaults: ScrapeDefaults) -> Format {
        Format { node, diagnostics in ScrapeSettings(node, defaults, diagnostics) }
    }
}

extension ScrapeSettings {
    /// - Parameter node: a scrape config with Prometheus's keys.
    package init(_ node: Node, _ defaults: ScrapeDefaults, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a scrape config", diagnostics)
        self.init(job: reader.required("job_name", .nonEmptyText, or: "?"))
        readTimes(reader, defaults)
        readRequest(reader, defaults)
        readLimits(reader, defaults.limits)
        let scheme = reader.optional("metric_name_validation_scheme", .text(oneOf: ["utf8", "legacy"]))
        usesLegacyNames = scheme.map { $0 == "legacy" } ?? defaults.usesLegacyNames
        targets = reader.list("static_configs", of: .staticTargets)
        relabelRules = reader.list("relabel_configs", of: .relabelRule(legacyNames: usesLegacyNames))
        metricRelabelRules = reader.list("metric_relabel_configs", of: .relabelRule(legacyNames: usesLegacyNames))
        http = HTTPSettings(reader)
        Self.refuseLater(reader)
        reader.finish()
    }

    private mutating func readTimes(_ reader: MappingReader, _ defaults: ScrapeDefaults) {
        // 0 is as good as nothing said, as for Prometheus.
        let ownInterval = reader.optional("scrape_interval", .duration()).flatMap { $0 == .zero ? nil : $0 }
        let ownTimeout = reader.optional("scrape_timeout", .duration()).flatMap { $0 == .zero ? nil : $0 }
        interval = ownInterval ?? defaults.interval
        timeout = ownTimeout ?? min(defaults.timeout, interval)
        if timeout > interval {
            reader.report(
                .conflict(
                    "scrape timeout \(timeout.prometheusText) is longer than the scrape interval "
                        + "\(interval.prometheusText) of job \(quoted(job))"), at: "scrape_timeout")
        }
    }

    private mutating func readRequest(_ reader: MappingReader, _ defaults: ScrapeDefaults) {
        metricsPath = reader.text("metrics_path", default: "/metrics")
        let schemes = Format<String>.text(oneOf: ["http", "https"])
        scheme = reader.filled("scheme").flatMap { schemes.decode($0, reader.diagnostics) } ?? "http"
        parameters = reader.value("params", .mapping(of: .list(of: .text)), default: [])
            .map { Parameter($0.key.scalar?.text ?? "", $0.value) }
        honorsLabels = reader.bool("honor_labels", default: false)
        honorsTimestamps = reader.bool("honor_timestamps", default: true)
        tracksTimestampsStaleness = reader.bool("track_timestamps_staleness", default: false)
        acceptsGzip = reader.bool("enable_compression", default: true)
        takesNativeHistograms = reader.bool("scrape_native_histograms", default: defaults.takesNativeHistograms)
        alwaysTakesClassicHistograms = reader.bool(
            "always_scrape_classic_histograms", default: defaults.alwaysTakesClassicHistograms)
        // Without a word about it, the histograms that are wanted are asked for as they can be told.
        protocols =
            reader.optional("scrape_protocols", .scrapeProtocols) ?? defaults.protocols
            ?? (takesNativeHistograms ? ScrapeProtocol.standardForHistograms : ScrapeProtocol.standard)
        fallbackProtocol = reader.optional("fallback_scrape_protocol", .scrapeProtocol)
    }

    /// As for Prometheus, 0 is the same as saying nothing: the global limit holds.
    private mutating func readLimits(_ reader: MappingReader, _ defaults: Limits) {
        func limit(_ key: String, _ fallback: Int) -> Int {
            let own = reader.value(key, .integer(in: 0 ... .max), default: 0)
            return own == 0 ? fallback : own
        }
        let body = reader.value("body_size_limit", .size(), default: ByteSize(bytes: 0)).bytes
        limits.bodyBytesMax = body == 0 ? defaults.bodyBytesMax : body
        limits.samplesMax = limit("sample_limit", defaults.samplesMax)
        limits.targetsMax = limit("target_limit", defaults.targetsMax)
        limits.labelsMax = limit("label_limit", defaults.labelsMax)
        limits.labelNameBytesMax = limit("label_name_length_limit", defaults.labelNameBytesMax)
        limits.labelValueBytesMax = limit("label_value_length_limit", defaults.labelValueBytesMax)
    }

    /// Keys of Prometheus's schema that nothing here acts on yet.
    private static func refuseLater(_ reader: MappingReader) {
        reader.notSupportedYet(
            "keep_dropped_targets", "native_histogram_bucket_limit", "native_histogram_min_bucket_factor",
            "convert_classic_histograms_to_nhcb", "scrape_classic_histograms", "extra_scrape_metrics",
            "metric_name_escaping_scheme",
            "scrape_failure_log_file",
            "azure_sd_configs", "consul_sd_configs", "digitalocean_sd_configs", "dns_sd_configs", "docker_sd_configs",
            "dockerswarm_sd_configs", "ec2_sd_configs", "eureka_sd_configs", "file_sd_configs", "gce_sd_configs",
            "hetzner_sd_configs", "http_sd_configs", "ionos_sd_configs", "kubernetes_sd_configs", "kuma_sd_configs",
            "lightsail_sd_configs", "linode_sd_configs", "marathon_sd_configs", "nerve_sd_configs", "nomad_sd_configs",
            "openstack_sd_configs", "ovhcloud_sd_configs", "puppetdb_sd_configs", "scaleway_sd_configs",
            "serverset_sd_configs", "stackit_sd_configs", "triton_sd_configs", "uyuni_sd_configs", "vultr_sd_configs")
    }
}

extension Format where Value == ScrapeSettings.StaticTargets {
    fileprivate static var staticTargets: Format {
        Format { node, diagnostics in
            if node.isNull {
                diagnostics.report(.expected("a mapping (a static config)", found: "nothing"), at: node)
            }
            let reader = MappingReader(node, "a static config", diagnostics)
            let targets = reader.list(
                "targets",
                of: Format<String>.nonEmptyText.checked { text in
                    text.contains("/")
                        ? "\(quoted(text)) is no target: leave the scheme and the path out, write host:port" : nil
                })
            let labels = reader.value("labels", .labels, default: LabelSet())
            reader.finish()
            return ScrapeSettings.StaticTargets(addresses: targets, labels: labels)
        }
    }
}

extension Format where Value == ScrapeProtocol {
    package static var scrapeProtocol: Format {
        .scalar(ScrapeProtocol.allCases.map { quoted($0.rawValue) }.joined(separator: " or ")) {
            ScrapeProtocol(rawValue: $0.text)
        }
    }
}

extension Format where Value == [ScrapeProtocol] {
    /// In order of preference, each at most once.
    package static var scrapeProtocols: Format {
        Format.list(of: .scrapeProtocol).checked { protocols in
            if protocols.isEmpty { return "scrape_protocols must not be empty" }
            return Set(protocols.map(\.rawValue)).count == protocols.count ? nil : "a scrape protocol is listed twice"
        }
    }
}
