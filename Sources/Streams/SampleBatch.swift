/// A series, for as long as the process runs: a small integer that stands for an interned label set.
///
/// The low bits tell the shard that owns the series; see `ShardLayout` in Storage. Ids are never used twice.
package struct SeriesID: Hashable, Sendable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// The NaN that marks the end of a series (Prometheus's `value.StaleNaN`); told from other NaNs by its bits only.
package enum StaleMarker {
    package static let bits: UInt64 = 0x7FF0_0000_0000_0002
    package static let value = Double(bitPattern: bits)
    /// The NaN that stands for an ordinary NaN in a sample.
    package static let normalNaN = Double(bitPattern: 0x7FF8_0000_0000_0001)
}

extension Double {
    /// Written out, as the bits are asked for a sample at a time from other modules.
    @inlinable package var isStaleMarker: Bool { bitPattern == 0x7FF0_0000_0000_0002 }
}

/// The samples of one scrape or one push, applied as one: three columns of the same length, and beside them what only
/// some samples have.
///
/// Order inside a series is the order of arrival; different series may interleave as they like.
package struct SampleBatch: Sendable {
    package private(set) var series: [SeriesID] = []
    package private(set) var timestamps: [Int64] = []
    /// Floats, stale markers, and cells of `histograms` (`Double.isHistogram`).
    package private(set) var values: [Double] = []
    package private(set) var histograms: [NativeHistogram] = []
    /// When each sample's count began (milliseconds, 0: not known). Ends behind the last sample that has one: it is empty
    /// where none has, and may be shorter than the other columns.
    package private(set) var starts: [Int64] = []
    private var histogramBytes = 0

    package init() {}

    package var count: Int { series.count }
    package var isEmpty: Bool { series.isEmpty }
    /// What the batch costs while it waits, in bytes.
    package var byteCount: Int { series.count * (4 + 8 + 8) + starts.count * 8 + histogramBytes }

    package mutating func reserveCapacity(_ count: Int) {
        series.reserveCapacity(count)
        timestamps.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    /// - Parameter value: a float, or what `hold` returned.
    @inline(__always)
    package mutating func append(_ id: SeriesID, at milliseconds: Int64, _ value: Double) {
        series.append(id)
        timestamps.append(milliseconds)
        values.append(value)
    }

    package mutating func append(_ id: SeriesID, at milliseconds: Int64, _ histogram: NativeHistogram) {
        append(id, at: milliseconds, hold(histogram))
    }

    /// Keeps a histogram.
    /// - Returns: the value that stands for it in samples that are added to this batch later.
    package mutating func hold(_ histogram: NativeHistogram) -> Double {
        histograms.append(histogram)
        histogramBytes += histogram.byteCount
        return .histogram(at: histograms.count - 1)
    }

    /// Says when the count of the sample added last began.
    package mutating func setStart(_ milliseconds: Int64) {
        guard milliseconds != 0 || starts.count == count else { return }
        precondition(count > 0, "a start belongs to a sample")
        padStarts(to: count - 1)
        if starts.count == count { starts[count - 1] = milliseconds } else { starts.append(milliseconds) }
    }

    /// Says when the count of a sample of this batch began.
    package mutating func setStart(_ milliseconds: Int64, of place: Int) {
        precondition(place < count, "a start belongs to a sample")
        guard milliseconds != 0 || place < starts.count else { return }
        padStarts(to: place + 1)
        starts[place] = milliseconds
    }

    /// Says when the counts of the first samples began, in order; replaces what was said of them.
    package mutating func setStarts(_ milliseconds: [Int64]) {
        precondition(milliseconds.count <= count, "a start belongs to a sample")
        starts.replaceSubrange(0..<min(starts.count, milliseconds.count), with: milliseconds)
    }

    private mutating func padStarts(to wanted: Int) {
        if starts.count < wanted { starts += repeatElement(0, count: wanted - starts.count) }
    }

    /// Adds samples from three columns of the same length; values as for a single one.
    package mutating func append(
        _ ids: UnsafeBufferPointer<SeriesID>, at milliseconds: UnsafeBufferPointer<Int64>,
        _ values: UnsafeBufferPointer<Double>
    ) {
        precondition(ids.count == milliseconds.count && ids.count == values.count, "columns of different lengths")
        series.append(contentsOf: ids)
        timestamps.append(contentsOf: milliseconds)
        self.values.append(contentsOf: values)
    }

    package mutating func append(contentsOf other: SampleBatch) {
        if !other.starts.isEmpty {
            padStarts(to: count)
            starts += other.starts
        }
        series += other.series
        timestamps += other.timestamps
        let base = histograms.count
        if base == 0 || other.histograms.isEmpty {
            values += other.values
        } else {
            values += other.values.lazy.map { $0.isHistogram ? .histogram(at: $0.histogramPlace + base) : $0 }
        }
        histograms += other.histograms
        histogramBytes += other.histogramBytes
    }

    /// Empties the batch and keeps its memory.
    package mutating func removeAll() {
        series.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        histograms.removeAll()
        histogramBytes = 0
    }
}
