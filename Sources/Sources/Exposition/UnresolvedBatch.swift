package import Streams

/// What a push brought: samples of known series, and samples that wait until the caller has interned their series.
///
/// Use: relabel and check `unknown`, intern what is left in one call, then `resolve`; after it `samples` has all of
/// them, and the cache knows the series. A batch that is not resolved is simply forgotten.
package struct UnresolvedBatch: Sendable {
    struct Waiting: Sendable {
        var unknown: Int32
        var timestamp: Int64
        var value: Double
    }

    /// The samples with known ids: all, once resolved.
    package internal(set) var samples = SampleBatch()
    /// The label sets that the cache did not know, as exposed, each raw spelling once. `__name__` is among the labels.
    package internal(set) var unknown: [LabelSet] = []
    var keys: [SeriesKey] = []
    var places: [SeriesKey: Int32] = [:]
    var waiting: [Waiting] = []

    package init() {}

    /// All samples, those that wait included.
    package var count: Int { samples.count + waiting.count }
    package var isEmpty: Bool { count == 0 }

    /// Puts the waiting samples into `samples`, behind those of known series, in the order of arrival.
    /// - Parameter ids: one for each of `unknown`; nil for a series that is dropped, now and until the cache forgets it.
    /// - Returns: how many samples were dropped.
    @discardableResult
    package mutating func resolve(_ ids: [SeriesID?], into cache: SeriesCache) -> Int {
        precondition(ids.count == unknown.count, "an id, or nil, for each unknown series")
        var dropped = 0
        for (key, id) in zip(keys, ids) { cache.insert(id, for: key) }
        for sample in waiting {
            if let id = ids[Int(sample.unknown)] {
                samples.append(id, at: sample.timestamp, sample.value)
            } else {
                dropped += 1
            }
        }
        unknown = []
        keys = []
        places = [:]
        waiting = []
        return dropped
    }

    /// Adds a sample by the bytes of its series: at once when the cache knows them, else to those that wait.
    /// - Parameter labels: called only when the key is seen for the first time.
    mutating func append<Failure>(
        _ key: SeriesKey, at timestamp: Int64, _ value: Double, cache: SeriesCache,
        labels: () throws(Failure) -> LabelSet
    ) throws(Failure) {
        switch cache.find(key) {
        case .known(let id):
            samples.append(id, at: timestamp, value)
        case .dropped:
            break
        case .unknown:
            let place: Int32
            if let known = places[key] {
                place = known
            } else {
                let set = try labels()
                place = Int32(unknown.count)
                places[key] = place
                keys.append(key)
                unknown.append(set)
            }
            waiting.append(Waiting(unknown: place, timestamp: timestamp, value: value))
        }
    }
}
