package import Sinks
package import Sources
package import Streams
package import YAML

/// The `global` section: Prometheus's keys and Alertmanager's together.
package struct GlobalSettings: Equatable, Sendable {
    package var evaluationInterval: Duration
    package var ruleQueryOffset: Duration
    package var externalLabels: LabelSet
    /// After that long an alert from outside that gave no end counts as resolved.
    package var resolveTimeout: Duration
    /// Where that was written; nil where it was not.
    package var resolveTimeoutOrigin: Origin?
    package var scrape: ScrapeDefaults
    package var sinks: SinkGlobals

    /// - Parameter node: nil or null where there is no such section; then all is as the peers have it without.
    package init(_ node: Node?, _ diagnostics: Diagnostics) {
        guard let node else {
            evaluationInterval = .seconds(60)
            ruleQueryOffset = .zero
            externalLabels = LabelSet()
            resolveTimeout = .seconds(300)
            scrape = ScrapeDefaults()
            sinks = SinkGlobals()
            return
        }
        let reader = MappingReader(node, "global", diagnostics)
        // 0 is as good as nothing said, as for Prometheus.
        let interval = reader.value("evaluation_interval", .duration(), default: .zero)
        evaluationInterval = interval == .zero ? .seconds(60) : interval
        ruleQueryOffset = reader.value("rule_query_offset", .duration(), default: .zero)
        externalLabels = reader.value("external_labels", .labels, default: LabelSet())
        resolveTimeout = reader.value("resolve_timeout", .positiveDuration, default: .seconds(300))
        resolveTimeoutOrigin = reader.node("resolve_timeout").map { Origin($0.location) }
        scrape = ScrapeDefaults(reader)
        sinks = SinkGlobals(reader)
        reader.notSupportedYet(
            "query_log_file", "scrape_failure_log_file")
        reader.finish()
    }
}
