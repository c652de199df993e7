import Streams

/// How a scrape went.
package struct ScrapeOutcome: Sendable, Equatable {
    /// Nil: the target is up.
    package var error: String?
    package var duration: Duration = .zero
    /// What the target showed, though a limit may have kept it out; zeroes where nothing could be read.
    package var counts = ScrapeParser.Counts()

    package init(error: String? = nil, counts: ScrapeParser.Counts = .init()) {
        self.error = error
        self.counts = counts
    }
}

/// The series that tell of a target's scrapes themselves: `up` and its companions.
struct ReportSeries {
    static let names = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
        "scrape_series_added",
    ]

    private let target: LabelSet
    private var ids: [SeriesID] = []
    private var epoch: UInt64?

    init(target: LabelSet) { self.target = target }

    /// The label sets to intern, when the ids of this epoch are not known yet.
    func labelSets(unlessKnownIn now: UInt64) -> [LabelSet]? {
        epoch == now ? nil : Self.names.map { target.merging([LabelSet.metricName: $0]) }
    }

    mutating func know(_ ids: [SeriesID], in epoch: UInt64) {
        self.ids = ids
        self.epoch = epoch
    }

    func add(_ outcome: ScrapeOutcome, at time: Timestamp, to batch: inout SampleBatch) {
        let counts = outcome.counts
        let values = [
            outcome.error == nil ? 1 : 0, outcome.duration.inSeconds, Double(counts.scraped),
            Double(counts.afterRelabelling), Double(counts.seriesAdded),
        ]
        for (id, value) in zip(ids, values) { batch.append(id, at: time.milliseconds, value) }
    }

    func end(at time: Timestamp, in batch: inout SampleBatch) {
        for id in ids { batch.append(id, at: time.milliseconds, StaleMarker.value) }
    }
}
