/// What an evaluation reads from: storage's shards, or a test's own series.
package protocol SeriesReader: Sendable {
    /// The samples of every series that all matchers accept with `start <= timestamp <= end`, stale markers included.
    /// A series without a sample in that time is left out. No order of the series is promised.
    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock

    /// The same for those who can work on some of the series at a time.
    func selection(_ request: SelectRequest) async throws(ReadError) -> SeriesSelection
}

extension SeriesReader {
    package func selection(_ request: SelectRequest) async throws(ReadError) -> SeriesSelection {
        .whole(try await select(request))
    }
}

/// What a request selects: all of it where it is little, else parts that may be read side by side.
package enum SeriesSelection: Sendable {
    case whole(SeriesBlock)
    case parts([any SeriesCursor])
}

/// Walks over a part of the selected series.
package protocol SeriesCursor: Sendable {
    /// Some more series with all their samples, about as many as fit into a core's cache; nil at the end.
    /// - Parameter block: memory to be used again; what it holds is given up.
    mutating func next(reusing block: consuming SeriesBlock) async throws(ReadError) -> SeriesBlock?
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
    /// Floats, stale markers, and cells of `histograms` (`Double.isHistogram`).
    package var values: [Double] = []
    package var histograms: [NativeHistogram] = []
    /// When each sample's count began (milliseconds, 0: not known); empty where none of them is known.
    package var starts: [Int64] = []

    package init() {}

    package var count: Int { labels.count }

    package mutating func append(_ other: SeriesBlock) {
        let base = timestamps.count
        ids += other.ids
        labels += other.labels
        bounds += other.bounds.dropFirst().map { $0 + base }
        appendStarts(other.starts, count: other.timestamps.count)
        timestamps += other.timestamps
        appendValues(other.values, other.histograms)
    }

    /// Empties the block and keeps its memory.
    package mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        labels.removeAll(keepingCapacity: true)
        bounds.removeAll(keepingCapacity: true)
        bounds.append(0)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
    }

    /// Adds one series with its samples.
    package mutating func append(
        _ id: SeriesID, _ labels: LabelSet, timestamps: [Int64], values: [Double], histograms: [NativeHistogram] = [],
        starts: [Int64] = []
    ) {
        ids.append(id)
        self.labels.append(labels)
        appendStarts(starts, count: timestamps.count)
        self.timestamps += timestamps
        appendValues(values, histograms)
        bounds.append(self.timestamps.count)
    }

    /// Adds values whose histogram cells point into `histograms`.
    private mutating func appendValues(_ values: [Double], _ histograms: [NativeHistogram]) {
        let base = self.histograms.count
        if histograms.isEmpty || base == 0 {
            self.values += values
        } else {
            self.values += values.lazy.map { $0.isHistogram ? .histogram(at: $0.histogramPlace + base) : $0 }
        }
        self.histograms += histograms
    }

    /// Before the timestamps are added.
    private mutating func appendStarts(_ starts: [Int64], count: Int) {
        if starts.isEmpty {
            if !self.starts.isEmpty { self.starts += repeatElement(0, count: count) }
            return
        }
        if self.starts.isEmpty { self.starts = Array(repeating: 0, count: timestamps.count) }
        self.starts += starts
    }
}
