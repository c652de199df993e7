package import Streams

/// What a push brought: samples of known series, and samples that wait until the caller has interned their series.
///
/// Use: relabel and check `unknown`, intern what is left in one call, then `resolve`; after it `samples` has all of
/// them, and the cache knows the series. A batch that is not resolved is simply forgotten.
package struct UnresolvedBatch: Sendable {
    private struct Waiting: Sendable {
        var unknown: Int32
        var timestamp: Int64
        /// A float, or a cell of `waitingHistograms`.
        var value: Double
        /// When the count began, in milliseconds; 0: not told.
        var start: Int64 = 0
    }

    /// Where a sample is until the batch is resolved.
    struct Place: Sendable {
        fileprivate var index: Int
        fileprivate var isWaiting: Bool
    }

    /// The samples with known ids: all, once resolved.
    package private(set) var samples = SampleBatch()
    /// The label sets that the cache did not know, as exposed, each raw spelling once. `__name__` is among the labels.
    package private(set) var unknown: [LabelSet] = []
    /// What was told about metric families.
    package internal(set) var metadata: [MetricMetadata] = []
    /// Their series are named by their labels as exposed.
    package internal(set) var exemplars: [SeriesExemplar] = []
    /// Samples of series that relabelling is known to drop.
    package private(set) var dropped = 0
    private var keys: [SeriesKey] = []
    private var places: [SeriesKey: Int32] = [:]
    private var waiting: [Waiting] = []
    private var waitingHistograms: [NativeHistogram] = []

    package init() {}

    /// All samples, those that wait included, those that were dropped not.
    package var count: Int { samples.count + waiting.count }
    /// Everything that it holds: samples, metadata and exemplars.
    var weight: Int { count + metadata.count + exemplars.count }
    package var isEmpty: Bool { weight == 0 }

    /// Puts the waiting samples into `samples`, behind those of known series, in the order of arrival.
    /// - Parameter ids: one for each of `unknown`; nil for a series that is dropped, now and until the cache forgets it.
    package mutating func resolve(_ ids: [SeriesID?], into cache: SeriesCache) {
        precondition(ids.count == unknown.count, "an id, or nil, for each unknown series")
        for (key, id) in zip(keys, ids) { cache.insert(id, for: key) }
        for sample in waiting {
            guard let id = ids[Int(sample.unknown)] else {
                dropped += 1
                continue
            }
            if sample.value.isHistogram {
                samples.append(id, at: sample.timestamp, waitingHistograms[sample.value.histogramPlace])
            } else {
                samples.append(id, at: sample.timestamp, sample.value)
            }
            samples.setStart(sample.start)
        }
        unknown = []
        keys = []
        places = [:]
        waiting = []
        waitingHistograms = []
    }

    /// Adds a sample by the key of its series; false when the series is unknown to the cache and to this batch.
    mutating func append(_ key: SeriesKey, at timestamp: Int64, _ value: Double, _ cache: SeriesCache) -> Bool {
        switch cache.find(key) {
        case .known(let id): samples.append(id, at: timestamp, value)
        case .dropped: dropped += 1
        case .unknown:
            guard let place = places[key] else { return false }
            waiting.append(Waiting(unknown: place, timestamp: timestamp, value: value))
        }
        return true
    }

    /// Adds a series that `append` did not know, with its first sample.
    mutating func append(_ key: SeriesKey, _ labels: LabelSet, at timestamp: Int64, _ value: Double) {
        let place = Int32(unknown.count)
        places[key] = place
        keys.append(key)
        unknown.append(labels)
        waiting.append(Waiting(unknown: place, timestamp: timestamp, value: value))
    }

    /// The number of samples of either kind: what tells whether, and where, a sample was added.
    var mark: (known: Int, waiting: Int) { (samples.count, waiting.count) }

    /// Where the sample is that was added since; nil when there's none.
    func place(since mark: (known: Int, waiting: Int)) -> Place? {
        if samples.count > mark.known { return Place(index: mark.known, isWaiting: false) }
        return waiting.count > mark.waiting ? Place(index: mark.waiting, isWaiting: true) : nil
    }

    /// Says when the count of a sample began.
    mutating func setStart(_ milliseconds: Int64, of place: Place) {
        if place.isWaiting {
            waiting[place.index].start = milliseconds
        } else {
            samples.setStart(milliseconds, of: place.index)
        }
    }

    // MARK: Native histograms

    /// As for floats.
    mutating func append(
        _ key: SeriesKey, at timestamp: Int64, _ histogram: NativeHistogram, _ cache: SeriesCache
    ) -> Bool {
        switch cache.find(key) {
        case .known(let id): samples.append(id, at: timestamp, histogram)
        case .dropped: dropped += 1
        case .unknown:
            guard let place = places[key] else { return false }
            wait(place, timestamp, histogram)
        }
        return true
    }

    /// As for floats.
    mutating func append(_ key: SeriesKey, _ labels: LabelSet, at timestamp: Int64, _ histogram: NativeHistogram) {
        let place = Int32(unknown.count)
        places[key] = place
        keys.append(key)
        unknown.append(labels)
        wait(place, timestamp, histogram)
    }

    private mutating func wait(_ place: Int32, _ timestamp: Int64, _ histogram: NativeHistogram) {
        let value = Double.histogram(at: waitingHistograms.count)
        waiting.append(Waiting(unknown: place, timestamp: timestamp, value: value))
        waitingHistograms.append(histogram)
    }
}
