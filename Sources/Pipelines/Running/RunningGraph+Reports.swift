package import Actors
package import Sources
package import Streams

/// A job that is scraped, with its targets.
package struct ScrapeReport: Sendable {
    package var job: String
    package var targets: [TargetStatus]
    /// The labels, before relabelling, of targets that relabelling drops.
    package var dropped: [LabelSet]
}

extension RunningGraph {
    /// What runs of all rule groups, by file and name, as Prometheus orders them.
    package var ruleGroups: [RuleGroupReport] {
        get async {
            var reports: [RuleGroupReport] = []
            for group in groups.values.map(\.component.value) { reports.append(await group.report()) }
            return reports.sorted {
                ($0.file, $0.name, $0.pipeline) < ($1.file, $1.name, $1.pipeline)
            }
        }
    }

    /// What is scraped, by job.
    package var scrapes: [ScrapeReport] {
        sources.values.compactMap { $0.component.value as? ScrapeSource }.map { source in
            ScrapeReport(
                job: source.settings.job, targets: source.status.all, dropped: ScrapeTarget.dropped(by: source.settings)
            )
        }.sorted { $0.job < $1.job }
    }

    /// The relabelling rules of a job; nil: there is none of that name.
    package func relabelRules(of job: String) -> [RelabelRule]? {
        sources.values.compactMap { $0.component.value as? ScrapeSource }.first { $0.settings.job == job }?
            .settings.relabelRules
    }

    /// Under which URL users reach this server.
    package nonisolated var externalURL: String { settings.externalURL }
}
