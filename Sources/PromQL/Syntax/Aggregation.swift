package enum AggregationOperator: String, Sendable, Hashable, CaseIterable {
    case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, quantile
    case countValues = "count_values"
    case limitk
    case limitRatio = "limit_ratio"

    /// The type of the first argument in `topk(3, x)`; nil for operators without one.
    package var parameterType: ValueType? {
        switch self {
        case .topk, .bottomk, .quantile, .limitk, .limitRatio: .scalar
        case .countValues: .string
        default: nil
        }
    }

    package var isExperimental: Bool { self == .limitk || self == .limitRatio }
}

/// `op by (grouping) (parameter, inner)`.
package struct Aggregation: Sendable, Hashable {
    package var op: AggregationOperator
    package var inner: Expression
    package var parameter: Expression?
    package var grouping: [String]
    /// `without`: group by all labels but `grouping`.
    package var isWithout: Bool
    package var place: Place

    package init(
        _ op: AggregationOperator, _ inner: Expression, parameter: Expression? = nil, grouping: [String] = [],
        isWithout: Bool = false, place: Place = Place(0, 0)
    ) {
        self.op = op
        self.inner = inner
        self.parameter = parameter
        self.grouping = grouping
        self.isWithout = isWithout
        self.place = place
    }
}
