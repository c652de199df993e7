import Streams
package import YAML

extension ScrapeDefaults {
    /// Reads its keys of `global`; whoever made the reader reads the rest and finishes it.
    package init(_ reader: MappingReader) {
        let count = Format<Int>.integer(in: 0 ... .max)
        // 0 is as good as nothing said, as for Prometheus.
        interval = reader.optional("scrape_interval", .duration()).flatMap { $0 == .zero ? nil : $0 } ?? .seconds(60)
        let ownTimeout = reader.optional("scrape_timeout", .duration()).flatMap { $0 == .zero ? nil : $0 }
        timeout = ownTimeout ?? min(.seconds(10), interval)
        protocols = reader.optional("scrape_protocols", .scrapeProtocols)
        limits = ScrapeSettings.Limits()
        limits.bodyBytesMax = reader.value("body_size_limit", .size(), default: ByteSize(bytes: 0)).bytes
        limits.samplesMax = reader.value("sample_limit", count, default: 0)
        limits.targetsMax = reader.value("target_limit", count, default: 0)
        limits.labelsMax = reader.value("label_limit", count, default: 0)
        limits.labelNameBytesMax = reader.value("label_name_length_limit", count, default: 0)
        limits.labelValueBytesMax = reader.value("label_value_length_limit", count, default: 0)
        let scheme = reader.optional("metric_name_validation_scheme", .text(oneOf: ["utf8", "legacy"]))
        usesLegacyNames = scheme == "legacy"
        takesNativeHistograms = reader.bool("scrape_native_histograms", default: false)
        alwaysTakesClassicHistograms = reader.bool("always_scrape_classic_histograms", default: false)
        if timeout > interval {
            reader.report(
                .conflict(
                    "the global scrape timeout \(timeout.prometheusText) is longer than the scrape interval "
                        + interval.prometheusText), at: "scrape_timeout")
        }
        reader.notSupportedYet(
            "keep_dropped_targets", "metric_name_escaping_scheme", "convert_classic_histograms_to_nhcb",
            "scrape_classic_histograms", "extra_scrape_metrics")
    }
}
