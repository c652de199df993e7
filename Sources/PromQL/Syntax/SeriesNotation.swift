package import Streams

/// A series as tests write it: `metric{a="b"} 1 2x3 _ stale {{sum:1}}`, a value a step.
package struct SeriesNotation: Sendable, Equatable {
    package var labels: LabelSet
    /// One for each step from the first on, repetitions spelled out.
    package var values: [Value]

    package enum Value: Sendable, Equatable {
        /// `_`: no sample.
        case omitted
        /// The marker that the series has ended.
        case stale
        case float(Double)
        case histogram(HistogramLiteral)
    }
}

extension SeriesNotation.Value: CustomStringConvertible {
    package var description: String {
        switch self {
        case .omitted: "_"
        case .stale: "stale"
        case .float(let value): formatFloat(value, .fixed)
        case .histogram(let histogram): histogram.description
        }
    }
}
