package import Logging
package import Streams
package import Transport

/// Scrapes the targets of one job.
package struct ScrapeSource: Source {
    package static let key = "scrape"

    package let settings: ScrapeSettings
    package let status: TargetStatusBoard
    private let scrapers: [TargetScraper]
    private let counters: ScrapeTelemetry
    private let clock: any WallClock

    /// - Throws: when a target's address or labels make no URL.
    package init(
        _ settings: ScrapeSettings, client: HTTPClient, ingest: any Ingest, clock: any WallClock, telemetry: Telemetry,
        logger: Logger
    ) throws(ScrapeTarget.Invalid) {
        self.settings = settings
        self.clock = clock
        let targets = try ScrapeTarget.all(of: settings)
        counters = ScrapeTelemetry(telemetry, job: settings.job)
        let status = TargetStatusBoard(job: settings.job, targets: targets)
        let tools = TargetScraper.Tools(
            client: client, ingest: ingest, clock: clock, telemetry: counters, logger: logger)
        // As Prometheus has it: beyond the limit none is scraped, and all are down for that reason.
        let limit = settings.limits.targetsMax
        let reason = "target_limit exceeded: \(targets.count) targets, the limit is \(limit)"
        let excess = limit > 0 && targets.count > limit ? reason : nil
        scrapers = targets.map { TargetScraper($0, settings, status: status, tools: tools, forcedError: excess) }
        self.status = status
    }

    package func run() async {
        counters.targets.add(Double(scrapers.count))
        defer { counters.targets.add(-Double(scrapers.count)) }
        await withDiscardingTaskGroup { group in
            // A job without targets runs as well.
            if scrapers.isEmpty { group.addTask { await idle() } }
            for scraper in scrapers {
                group.addTask { await scraper.run() }
            }
        }
    }

    private func idle() async {
        do {
            while true { try await clock.sleep(for: .seconds(3600)) }
        } catch {
            return  // Cancelled.
        }
    }

    package func retire() async {
        // Together: while the graph is full each waits for room, and they wait at the same time.
        await withDiscardingTaskGroup { group in
            for scraper in scrapers { group.addTask { await scraper.retire() } }
        }
    }

    /// A target that stays the same keeps its series; those that its next scrape does not show end then.
    package func takeOver(from old: any Source) async {
        guard let old = old as? ScrapeSource else { return await old.retire() }
        let own = Dictionary(uniqueKeysWithValues: scrapers.map { ($0.target.identity, $0) })
        await withDiscardingTaskGroup { group in
            for scraper in old.scrapers {
                if let successor = own[scraper.target.identity] {
                    group.addTask { await successor.adopt(await scraper.release()) }
                } else {
                    group.addTask { await scraper.retire() }
                }
            }
        }
    }
}
