import Streams

/// What annotations call the ways to combine histograms.
enum HistogramOperation: String, Sendable {
    case addition, subtraction, aggregation
}

extension Annotation {
    static func incompatibleTypes(
        _ op: BinaryOperator, _ left: String, _ right: String, at place: Place
    ) -> Annotation {
        let message = "incompatible sample types encountered for binary operator \(quoted(op.rawValue))"
        return Annotation(.info, "\(message): \(left) \(op.rawValue) \(right)", at: place)
    }

    static func incompatibleBuckets(_ op: BinaryOperator, at place: Place) -> Annotation {
        let message = "incompatible bucket layout encountered for binary operator"
        return Annotation(.warning, "\(message) \(op.rawValue)", at: place)
    }

    static func counterResetCollision(during operation: HistogramOperation, at place: Place) -> Annotation {
        let message = "conflicting counter resets during histogram \(operation.rawValue)"
        return Annotation(.warning, message, at: place)
    }

    static func reconciledBounds(during operation: HistogramOperation, at place: Place) -> Annotation {
        let message = "mismatched custom buckets were reconciled during \(operation.rawValue)"
        return Annotation(.info, message, at: place)
    }

    static func ignoredHistogram(in operation: String, at place: Place) -> Annotation {
        Annotation(.info, "ignored histogram in \(operation) aggregation", at: place)
    }

    static func ignoredHistograms(inRangeOf metric: String, at place: Place) -> Annotation {
        let message = "ignored histograms in a range containing both floats and histograms for metric name"
        return Annotation(.info, "\(message) \(quoted(metric))", at: place)
    }

    static func mixedRange(of metric: String, at place: Place) -> Annotation {
        let message = "encountered a mix of histograms and floats for metric name \(quoted(metric))"
        return Annotation(.warning, message, at: place)
    }

    static func mixedAggregation(at place: Place) -> Annotation {
        Annotation(.warning, "encountered a mix of histograms and floats for aggregation", at: place)
    }

    static func mixedSchemas(of metric: String, at place: Place) -> Annotation {
        let message =
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        return Annotation(.warning, "\(message) \(quoted(metric))", at: place)
    }

    static func mixedClassicAndNative(metric: String, at place: Place) -> Annotation {
        let message = "vector contains a mix of classic and native histograms"
        return Annotation(.warning, message + named(metric), at: place)
    }

    static func notCounter(_ metric: String, at place: Place) -> Annotation {
        let message = "this native histogram metric is not a counter: \(quoted(metric))"
        return Annotation(.warning, message, at: place)
    }

    static func notGauge(_ metric: String, at place: Place) -> Annotation {
        Annotation(.warning, "this native histogram metric is not a gauge: \(quoted(metric))", at: place)
    }

    static func nanObservations(
        _ effect: NativeHistogram.NaNEffect, metric: String, at place: Place
    ) -> Annotation {
        let message =
            switch effect {
            case .resultIsNaN: "input to histogram_quantile has NaN observations, result is NaN"
            case .resultIsSkewed: "input to histogram_quantile has NaN observations, result is skewed higher"
            case .fractionsLackThem:
                "input to histogram_fraction has NaN observations, which are excluded from all fractions"
            }
        return Annotation(.info, message + named(metric), at: place)
    }

    static func overlappingStart(_ metric: String, at place: Place) -> Annotation {
        let message = "sample has start time that overlaps with previous sample timestamp"
        return Annotation(.warning, "\(message) for metric \(quoted(metric))", at: place, detail: .occurrences(1))
    }
}
