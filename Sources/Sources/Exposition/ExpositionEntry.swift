package import Streams

/// An exemplar as OpenMetrics attaches it to a sample.
package struct ExposedExemplar: Sendable, Equatable {
    /// As written: not sorted, empty values kept.
    package var labels: [Label]
    package var value: Double
    /// Milliseconds since the epoch.
    package var timestamp: Int64?
}

/// One entry of an exposition, in the order of the text.
package enum ExpositionEntry: Sendable, Equatable {
    case metadata(MetricMetadata)
    case comment(String)
    case series(ExposedSample)
}

/// One sample line.
package struct ExposedSample: Sendable, Equatable {
    /// As exposed, `__name__` first, then as written: duplicates and empty values are still there.
    package var labels: [Label]
    package var value: Double
    /// Milliseconds since the epoch, when the line has a timestamp.
    package var timestamp: Int64?
    /// Milliseconds since the epoch, when a `_created` line tells it and the reader was asked for it.
    package var startTimestamp: Int64?
    package var exemplars: [ExposedExemplar] = []
}
