/// One example of what went into a sample of a series, such as the trace of a request.
package struct Exemplar: Sendable, Equatable {
    package var labels: LabelSet
    package var value: Double
    /// Milliseconds since the epoch.
    package var timestamp: Int64
    /// Whether it came with the timestamp; otherwise it has that of its sample.
    package var hasOwnTime: Bool

    package init(_ labels: LabelSet, value: Double, timestamp: Int64, hasOwnTime: Bool = true) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
        self.hasOwnTime = hasOwnTime
    }

    /// Whether it says the same again. Without times of their own two that are alike are one that was shown twice.
    package func repeats(_ other: Exemplar) -> Bool {
        if hasOwnTime || other.hasOwnTime, timestamp != other.timestamp { return false }
        return value == other.value && labels == other.labels
    }
}

/// An exemplar and the series that it belongs to.
package struct SeriesExemplar: Sendable, Equatable {
    package enum Series: Sendable, Equatable {
        case id(SeriesID)
        case labels(LabelSet)
    }

    package var series: Series
    package var exemplar: Exemplar

    package init(_ series: Series, _ exemplar: Exemplar) {
        self.series = series
        self.exemplar = exemplar
    }
}
