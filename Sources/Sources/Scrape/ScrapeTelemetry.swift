package import Streams

/// What the scrapes of one job count.
package struct ScrapeTelemetry: Sendable {
    let scrapes: Counter
    let failures: Counter
    let refused: Counter
    let missed: Counter
    let duration: Histogram
    let targets: Gauge

    package init(_ telemetry: Telemetry, job: String) {
        let labels: LabelSet = ["job": job]
        scrapes = telemetry.counter("tocsin_scrape_total", help: "Scrapes that ended, well or not.", labels: labels)
        failures = telemetry.counter(
            "tocsin_scrape_failures_total", help: "Scrapes after which the target is down.", labels: labels)
        refused = telemetry.counter(
            "tocsin_scrape_refused_total", help: "Scrapes whose samples the graph did not take.", labels: labels)
        missed = telemetry.counter(
            "tocsin_scrape_missed_intervals_total", help: "Times that a scrape began after its interval was over.",
            labels: labels)
        duration = telemetry.histogram(
            "tocsin_scrape_duration_seconds", help: "From the request to the end of parsing.", labels: labels)
        targets = telemetry.gauge("tocsin_scrape_targets", help: "Targets that are scraped.", labels: labels)
    }
}
