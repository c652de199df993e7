package import Logging
package import Streams
package import Transport

/// Scrapes the targets of one job.
package struct ScrapeSource: Source {
    package static let key = "scrape"

    package let settings: ScrapeSettings
    package let status: TargetStatusBoard
    private let scrapers: [TargetScraper]

    /// - Throws: when a target's address or labels make no URL.
    package init(
        _ settings: ScrapeSettings, client: HTTPClient, ingest: any Ingest, clock: any WallClock, telemetry: Telemetry,
        logger: Logger
    ) throws(ScrapeTarget.Invalid) {
        self.settings = settings
        let targets = try ScrapeTarget.all(of: settings)
        let counters = ScrapeTelemetry(telemetry, job: settings.job)
        counters.targets.set(Double(targets.count))
        let status = TargetStatusBoard(job: settings.job, targets: targets)
        let tools = TargetScraper.Tools(
            client: client, ingest: ingest, clock: clock, telemetry: counters, logger: logger)
        scrapers = targets.map { TargetScraper($0, settings, status: status, tools: tools) }
        self.status = status
    }

    package func run() async {
        await withDiscardingTaskGroup { group in
            for scraper in scrapers {
                group.addTask { await scraper.run() }
            }
        }
    }

    package func retire() async {
        for scraper in scrapers { await scraper.retire() }
    }
}
