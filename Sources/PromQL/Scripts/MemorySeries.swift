package import Streams

/// Series held in memory as a value: what tests and scripts evaluate over.
package struct MemorySeries: SeriesReader, Sendable {
    /// A float (or stale marker) or a histogram at a time, with the time at which its count began, where that is known.
    package struct Sample: Sendable {
        package var at: Timestamp
        package var value: Double
        package var histogram: NativeHistogram?
        package var start: Timestamp?

        package init(at: Timestamp, value: Double, histogram: NativeHistogram? = nil, start: Timestamp? = nil) {
            self.at = at
            self.value = value
            self.histogram = histogram
            self.start = start
        }
    }

    private struct Column: Sendable {
        /// In the order of time.
        var samples: [Sample] = []
        var hasStarts = false
    }

    private var columns: [LabelSet: Column] = [:]
    private var order: [LabelSet] = []

    package init() {}

    package mutating func append(_ labels: LabelSet, _ samples: [(at: Timestamp, value: Double)]) {
        append(labels, samples.map { Sample(at: $0.at, value: $0.value) })
    }

    /// Adds samples to a series, keeping time order; a sample at a time already present replaces the one there.
    /// Histograms that come last in time get the hints that Prometheus's storage gives them.
    package mutating func append(_ labels: LabelSet, _ samples: [Sample]) {
        if columns[labels] == nil { order.append(labels) }
        var column = columns.removeValue(forKey: labels) ?? Column()
        for var sample in samples {
            if sample.start != nil { column.hasStarts = true }
            if let last = column.samples.last, last.at >= sample.at {
                let place = Self.firstIndex(column.samples) { $0.at >= sample.at }
                if column.samples[place].at == sample.at {
                    column.samples[place] = sample
                } else {
                    column.samples.insert(sample, at: place)
                }
            } else {
                if let histogram = sample.histogram {
                    sample.histogram?.counterResetHint = histogram.storedHint(after: column.samples.last?.histogram)
                }
                column.samples.append(sample)
            }
        }
        columns[labels] = column
    }

    package func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        var block = SeriesBlock()
        for (number, labels) in order.enumerated() where request.matchers.accept(labels) {
            let id = SeriesID(rawValue: UInt32(truncatingIfNeeded: number))
            if let only = request.only, !only.contains(id) { continue }
            guard let column = columns[labels] else { continue }
            let first = Self.firstIndex(column.samples) { $0.at >= request.start }
            let last = Self.firstIndex(column.samples) { $0.at > request.end }
            if first >= last { continue }
            let samples = column.samples[first..<last]
            let histograms = samples.compactMap(\.histogram)
            var place = -1
            let values = samples.map { sample in
                if sample.histogram == nil { return sample.value }
                place += 1
                return Double.histogram(at: place)
            }
            block.append(
                id, labels, timestamps: samples.map(\.at.milliseconds), values: values, histograms: histograms,
                starts: column.hasStarts ? samples.map { $0.start?.milliseconds ?? 0 } : [])
            if block.timestamps.count > request.samplesMax { throw .tooManySamples(limit: request.samplesMax) }
        }
        return block
    }

    private static func firstIndex(_ samples: [Sample], where holds: (Sample) -> Bool) -> Int {
        var (low, high) = (0, samples.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(samples[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension NativeHistogram {
    /// The hint with which Prometheus's storage gives back a histogram that was appended after `previous` (nil where that
    /// was none): inside of one of its chunks nothing was reset, and at the beginning of one nothing is known.
    fileprivate func storedHint(after previous: NativeHistogram?) -> CounterResetHint {
        if counterResetHint == .gauge { return .gauge }
        guard let previous, counterResetHint != .reset, previous.counterResetHint != .gauge else { return .unknown }
        let isSameChunk =
            schema == previous.schema && zeroThreshold == previous.zeroThreshold
            && customBounds == previous.customBounds && !hinted(.unknown).isReset(after: previous)
        return isSameChunk ? .notReset : .unknown
    }
}
