package import Streams

/// What a TYPE line can say, under OpenMetrics's names.
package enum MetricType: String, Sendable, Equatable {
    case counter, gauge, histogram, summary, info, unknown
    case gaugeHistogram = "gaugehistogram"
    case stateSet = "stateset"
}

/// Something told about a metric family beside its samples.
package struct MetricMetadata: Sendable, Equatable {
    package enum Fact: Sendable, Equatable {
        case type(MetricType)
        case help(String)
        case unit(String)
    }
    /// The name on the line: the family's, so without `_total` and the like.
    package var family: String
    package var fact: Fact

    package init(family: String, fact: Fact) {
        self.family = family
        self.fact = fact
    }
}

/// One example of what went into a sample, as OpenMetrics attaches it.
package struct Exemplar: Sendable, Equatable {
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
    package var exemplars: [Exemplar] = []
}
