/// Where samples enter the graph: what a source is given. Storage's shards stand behind it.
///
/// Hot sources keep their own map from the bytes they read to `SeriesID`, and intern only what they have not seen.
package protocol Ingest: CompanionIngest {
    /// Changes whenever ids may have been retired. A source compares it at the start of a batch with what it saw last, and
    /// forgets its map when it differs. Ids interned since the last change stay good for at least one more period.
    var epoch: UInt64 { get }

    /// The ids of label sets, in the same order, created where they are new.
    /// - Throws: `.limit` when a bound on series is reached; then none of them was created.
    func intern(_ labelSets: [LabelSet]) async throws(IngestError) -> [SeriesID]

    /// Applies the batch as one. Returns when its samples are readable and every evaluation that they call for is queued.
    /// Waits while the graph is full, at most for `patience`; nothing of the batch was applied when it throws.
    /// - Returns: what was not stored, and why.
    @discardableResult
    func submit(_ batch: SampleBatch, from source: String, patience: Duration) async throws(IngestError) -> AppendReport
}

/// What became of a batch's samples beside those that were stored.
package struct AppendReport: Sendable, Equatable {
    /// Older than the newest sample of their series (beyond the out-of-order window).
    package var outOfOrder = 0
    /// Same time as the newest sample of their series, with another value.
    package var duplicate = 0
    /// Outside of the time that storage keeps, or too far in the future.
    package var outOfBounds = 0
    /// The id was retired: the source kept it for longer than a period after the epoch changed.
    package var unknownSeries = 0

    package init() {}

    package var refused: Int { outOfOrder + duplicate + outOfBounds + unknownSeries }

    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.outOfOrder += right.outOfOrder
        sum.duplicate += right.duplicate
        sum.outOfBounds += right.outOfBounds
        sum.unknownSeries += right.unknownSeries
        return sum
    }
}

package enum IngestError: Error, Sendable, Equatable {
    /// The graph is full: come again after that long. HTTP answers 503 with Retry-After.
    case saturated(retryAfter: Duration)
    /// A configured bound was reached; says which.
    case limit(String)
    /// The graph is shutting down.
    case closed
}
