package import Streams

/// What a query gave.
package struct QueryResult: Sendable {
    package var value: QueryValue
    /// Warnings and infos, in the order found.
    package var annotations: [Annotation] = []

    /// The texts of the warnings, with their positions in the query's text.
    package func warnings(in query: String) -> [String] { texts(.warning, query) }
    /// The texts of the infos.
    package func infos(in query: String) -> [String] { texts(.info, query) }

    private func texts(_ severity: Annotation.Severity, _ query: String) -> [String] {
        annotations.filter { $0.severity == severity }.map { $0.text(in: query) }
    }
}

/// The value of a query, by the HTTP API's result types.
package enum QueryValue: Sendable {
    case scalar(Double, at: Timestamp)
    case string(String, at: Timestamp)
    /// In the order of evaluation, which `sort` and `topk` decide.
    case vector([VectorSample])
    /// Ordered by labels.
    case matrix([SeriesSamples])
}

/// One element of an instant vector: a float, or a histogram.
package struct VectorSample: Sendable {
    package var labels: LabelSet
    /// NaN where there is a histogram.
    package var value: Double
    package var timestamp: Timestamp
    private let boxed: HistogramBox?

    package init(labels: LabelSet, value: Double, timestamp: Timestamp) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
        boxed = nil
    }

    package init(labels: LabelSet, histogram: NativeHistogram, timestamp: Timestamp) {
        self.labels = labels
        value = .nan
        self.timestamp = timestamp
        boxed = HistogramBox(histogram)
    }

    package var histogram: NativeHistogram? { boxed?.histogram }
}

/// Keeps float samples small, which nearly all are.
private final class HistogramBox: Sendable {
    let histogram: NativeHistogram

    init(_ histogram: NativeHistogram) { self.histogram = histogram }
}

/// One series of a range vector or of a range query's result: two columns of the same length.
package struct SeriesSamples: Sendable {
    package var labels: LabelSet
    /// Milliseconds, rising.
    package var timestamps: [Int64]
    /// Floats, and cells of `histograms` (`Double.isHistogram`).
    package var values: [Double]
    package var histograms: [NativeHistogram]

    package init(
        labels: LabelSet, timestamps: [Int64], values: [Double], histograms: [NativeHistogram] = []
    ) {
        self.labels = labels
        self.timestamps = timestamps
        self.values = values
        self.histograms = histograms
    }
}
