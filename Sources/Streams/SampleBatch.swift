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
    package var isStaleMarker: Bool { bitPattern == StaleMarker.bits }
}

/// The samples of one scrape or one push, applied as one: three columns of the same length.
///
/// Order inside a series is the order of arrival; different series may interleave as they like.
package struct SampleBatch: Sendable {
    package private(set) var series: [SeriesID] = []
    package private(set) var timestamps: [Int64] = []
    package private(set) var values: [Double] = []

    package init() {}

    package var count: Int { series.count }
    package var isEmpty: Bool { series.isEmpty }
    /// What the batch costs while it waits, in bytes.
    package var byteCount: Int { series.count * (4 + 8 + 8) }

    package mutating func reserveCapacity(_ count: Int) {
        series.reserveCapacity(count)
        timestamps.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    @inline(__always)
    package mutating func append(_ id: SeriesID, at milliseconds: Int64, _ value: Double) {
        series.append(id)
        timestamps.append(milliseconds)
        values.append(value)
    }

    /// Adds samples from three columns of the same length.
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
        series += other.series
        timestamps += other.timestamps
        values += other.values
    }

    /// Empties the batch and keeps its memory.
    package mutating func removeAll() {
        series.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }
}
