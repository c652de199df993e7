/// What an evaluation reads from: storage's shards, or a test's own series.
package protocol SeriesReader: Sendable {
    /// The samples of every series that all matchers accept with `start <= timestamp <= end`, stale markers included.
    /// A series without a sample in that time is left out. No order of the series is promised.
    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock
}

package struct SelectRequest: Sendable, Hashable {
    package var matchers: [Matcher]
    package var start: Timestamp
    package var end: Timestamp
    /// At most that many samples; beyond it `.tooManySamples` is thrown.
    package var samplesMax: Int
    /// Only these series, where given: what changed since the last evaluation.
    package var only: Set<SeriesID>?
    /// The newest sample in time of each series is all that is asked for. A reader may give more.
    package var newestOnly: Bool

    package init(
        matchers: [Matcher], start: Timestamp, end: Timestamp, samplesMax: Int = .max, only: Set<SeriesID>? = nil,
        newestOnly: Bool = false
    ) {
        self.matchers = matchers
        self.start = start
        self.end = end
        self.samplesMax = samplesMax
        self.only = only
        self.newestOnly = newestOnly
    }
}

package enum ReadError: Error, Sendable, Equatable {
    case tooManySamples(limit: Int)
    case unavailable(String)
}

/// Selected series with their samples, in columns: the samples of series `i` are at `bounds[i]..<bounds[i + 1]` of
/// `timestamps` (milliseconds, rising) and `values`.
package struct SeriesBlock: Sendable {
    package var ids: [SeriesID] = []
    package var labels: [LabelSet] = []
    package var bounds: [Int] = [0]
    package var timestamps: [Int64] = []
    package var values: [Double] = []

    package init() {}

    package var count: Int { labels.count }

    package mutating func append(_ other: SeriesBlock) {
        let base = timestamps.count
        ids += other.ids
        labels += other.labels
        bounds += other.bounds.dropFirst().map { $0 + base }
        timestamps += other.timestamps
        values += other.values
    }

    /// Adds one series with its samples.
    package mutating func append(_ id: SeriesID, _ labels: LabelSet, timestamps: [Int64], values: [Double]) {
        ids.append(id)
        self.labels.append(labels)
        self.timestamps += timestamps
        self.values += values
        bounds.append(self.timestamps.count)
    }
}
