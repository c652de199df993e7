/// One sample of a native histogram: counts in buckets whose bounds follow from `schema`, or are `customBounds`.
///
/// Semantics are those of Prometheus's float histograms; integer histograms are taken over as floats. Bucket `i` of an
/// exponential schema reaches from `2^((i - 1) * 2^-schema)`, exclusive, to `2^(i * 2^-schema)`, inclusive; bucket `i` of a
/// custom one from bound `i - 1` to bound `i`, the last to +Inf.
package struct NativeHistogram: Sendable, Equatable {
    /// What is known of a reset of the counter before this sample.
    package enum CounterResetHint: UInt8, Sendable, Hashable {
        case unknown, reset, notReset, gauge
    }

    /// A run of adjacent buckets: `offset` buckets after the end of the run before it (the first: from index 0).
    package struct Span: Sendable, Hashable {
        package var offset: Int32
        package var length: UInt32

        package init(offset: Int32, length: UInt32) {
            self.offset = offset
            self.length = length
        }
    }

    /// The buckets of one sign; `counts` are absolute, one for each bucket of the spans.
    package struct Buckets: Sendable, Equatable {
        package var spans: [Span]
        package var counts: [Double]

        package init(spans: [Span] = [], counts: [Double] = []) {
            self.spans = spans
            self.counts = counts
        }
    }

    /// The schema of histograms with bounds of their own.
    package static let customSchema: Int32 = -53

    /// -4 to 8, or `customSchema`.
    package var schema: Int32
    package var counterResetHint: CounterResetHint
    package var count: Double
    package var sum: Double
    package var zeroCount: Double
    package var zeroThreshold: Double
    package var positive: Buckets
    package var negative: Buckets
    /// Upper bounds, rising, of `customSchema` only; +Inf is implied.
    package var customBounds: [Double]

    package init(
        schema: Int32 = 0, counterResetHint: CounterResetHint = .unknown, count: Double = 0, sum: Double = 0,
        zeroCount: Double = 0, zeroThreshold: Double = 0, positive: Buckets = Buckets(), negative: Buckets = Buckets(),
        customBounds: [Double] = []
    ) {
        self.schema = schema
        self.counterResetHint = counterResetHint
        self.count = count
        self.sum = sum
        self.zeroCount = zeroCount
        self.zeroThreshold = zeroThreshold
        self.positive = positive
        self.negative = negative
        self.customBounds = customBounds
    }

    package var usesCustomBuckets: Bool { schema == Self.customSchema }

    /// About what it takes in memory, its arrays included.
    package var byteCount: Int {
        MemoryLayout<Self>.stride + 8 * (positive.spans.count + positive.counts.count)
            + 8 * (negative.spans.count + negative.counts.count + customBounds.count)
    }
}

/// How a histogram stands in a column of values: as a NaN that no arithmetic makes, with the place of the histogram in
/// the list beside the column. Columns without histograms stay plain floats, and cost nothing more.
///
/// Whatever takes floats with arbitrary bits from outside replaces all NaNs but the stale marker by
/// `StaleMarker.normalNaN`: a sign or arithmetic turns others into these.
extension Double {
    /// The cell of the histogram at that place, which has to fit into 32 bits.
    @inlinable package static func histogram(at place: Int) -> Double {
        Double(bitPattern: 0xFFFA << 48 | UInt64(UInt32(truncatingIfNeeded: place)))
    }

    @inlinable package var isHistogram: Bool { bitPattern >> 48 == 0xFFFA }

    /// The place of the histogram that this cell stands for; only where `isHistogram`.
    @inlinable package var histogramPlace: Int { Int(UInt32(truncatingIfNeeded: bitPattern)) }
}
