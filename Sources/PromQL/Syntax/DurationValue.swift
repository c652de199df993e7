/// A range, step or offset of a selector: fixed in the text, or computed from the query's step and range.
///
/// `Expression.resolvingDurations` makes all of them fixed; evaluation does that first and then reads `fixed`.
package enum DurationValue: Sendable, Hashable {
    case fixed(Duration)
    case computed(DurationExpression)

    package static let zero = DurationValue.fixed(.zero)

    /// The duration; nil where it is still to be computed.
    package var fixed: Duration? {
        if case .fixed(let duration) = self { return duration }
        return nil
    }
}

/// Arithmetic on durations, in seconds: `step() + 2 * 5m`.
package indirect enum DurationExpression: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
    }

    case literal(NumberLiteral)
    /// The query's step.
    case step(Place)
    /// The query's range: its end minus its start.
    case range(Place)
    case sign(Sign, DurationExpression, Place)
    case binary(Operator, DurationExpression, DurationExpression, Place)
    case minimum(DurationExpression, DurationExpression, Place)
    case maximum(DurationExpression, DurationExpression, Place)
    case parenthesized(DurationExpression, Place)

    /// Where it stands in the text.
    package var place: Place {
        switch self {
        case .literal(let literal): literal.place
        case .step(let place), .range(let place): place
        case .sign(_, _, let place), .binary(_, _, _, let place): place
        case .minimum(_, _, let place), .maximum(_, _, let place), .parenthesized(_, let place): place
        }
    }
}
