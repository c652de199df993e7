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

/// One element of an instant vector.
package struct VectorSample: Sendable {
    package var labels: LabelSet
    package var value: Double
    package var timestamp: Timestamp

    package init(labels: LabelSet, value: Double, timestamp: Timestamp) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }
}

/// One series of a range vector or of a range query's result: two columns of the same length.
package struct SeriesSamples: Sendable {
    package var labels: LabelSet
    /// Milliseconds, rising.
    package var timestamps: [Int64]
    package var values: [Double]

    package init(labels: LabelSet, timestamps: [Int64], values: [Double]) {
        self.labels = labels
        self.timestamps = timestamps
        self.values = values
    }
}
