import Streams

/// Durations of ranges, steps and offsets, with their arithmetic.
extension ExpressionParser {
    /// A duration expression and how deep it is nested.
    private struct ParsedDuration {
        var expression: DurationExpression
        var depth: Int
    }

    /// A range or step: a literal has to be above zero, a computed one is checked when it is known.
    mutating func positiveDuration() throws(Problem) -> DurationValue {
        let expression = try durations(from: 0).expression
        if case .literal(let literal) = expression, !(literal.value > 0) {
            throw Problem(.duration, literal.place, "duration must be greater than 0")
        }
        return try value(expression)
    }

    /// An offset. Without parentheses it ends before the next operator: `foo offset 5m + bar` adds `bar`.
    mutating func offsetDuration() throws(Problem) -> DurationValue {
        let first = try peek()
        switch first.kind {
        case .number, .duration, .preprocessor: return try value(try durationOperand().expression)
        case .binary(.add), .binary(.subtract):
            try take()
            switch try peek().kind {
            case .number, .duration, .preprocessor, .leftParenthesis:
                return try value(try signed(first, try durationOperand().expression))
            default:
                let operand = try nested { parser throws(Problem) in try parser.durations(from: 6) }
                let left = ParsedDuration(
                    expression: try signed(first, operand.expression), depth: operand.depth + 1)
                return try value(try durations(from: 0, after: left).expression)
            }
        default: return try value(try durations(from: 0).expression)
        }
    }

    private func value(_ expression: DurationExpression) throws(Problem) -> DurationValue {
        guard case .literal(let literal) = expression else { return .computed(expression) }
        if literal.value.isNaN { throw Problem(.duration, literal.place, "duration out of range") }
        let nanoseconds = (literal.value * 1e9).rounded(.toNearestOrAwayFromZero)
        if nanoseconds.magnitude >= 0x1p63 { return .fixed(.nanoseconds(nanoseconds < 0 ? Int64.min : Int64.max)) }
        return .fixed(.nanoseconds(Int64(nanoseconds)))
    }

    // MARK: - Arithmetic

    private mutating func durations(
        from precedence: Int, after first: ParsedDuration? = nil
    ) throws(Problem) -> ParsedDuration {
        var left: ParsedDuration
        if let first {
            left = first
        } else {
            left = try signedDuration()
        }
        while case .binary(let token) = try peek().kind, token.precedence >= precedence,
            let op = DurationExpression.Operator(rawValue: token.rawValue)
        {
            let symbol = try take()
            let right = try nested { parser throws(Problem) in
                try parser.durations(from: op == .power ? token.precedence : token.precedence + 1)
            }
            try requireDurationExpressions(left.expression.place)
            if op == .divide || op == .modulo, case .literal(let divisor) = right.expression, divisor.value == 0 {
                throw Problem(.duration, symbol.place, op == .divide ? "division by zero" : "modulo by zero")
            }
            let place = Place(left.expression.place.start, right.expression.place.end)
            left = ParsedDuration(
                expression: .binary(op, left.expression, right.expression, place),
                depth: max(left.depth, right.depth) + 1)
            try checkDepth(left.depth)
        }
        return left
    }

    private mutating func signedDuration() throws(Problem) -> ParsedDuration {
        let token = try peek()
        guard token.kind == .binary(.add) || token.kind == .binary(.subtract) else { return try durationOperand() }
        try take()
        let operand = try nested { parser throws(Problem) in
            try parser.durations(from: BinaryOperator.power.precedence)
        }
        return ParsedDuration(expression: try signed(token, operand.expression), depth: operand.depth + 1)
    }

    private func signed(_ sign: Token, _ operand: DurationExpression) throws(Problem) -> DurationExpression {
        let isMinus = sign.kind == .binary(.subtract)
        guard case .literal(var literal) = operand else {
            return isMinus ? .sign(.minus, operand, Place(sign.place.start, operand.place.end)) : operand
        }
        if isMinus { literal.value = -literal.value }
        literal.place.start = sign.place.start
        return .literal(literal)
    }

    private mutating func durationOperand() throws(Problem) -> ParsedDuration {
        let token = try take()
        switch token.kind {
        case .number, .duration:
            let literal = try number(token)
            // What does not fit into 64 bits of nanoseconds; the comparison is false for NaN, as in Prometheus.
            if literal.value.magnitude > 0x1p63 / 1e9 {
                throw Problem(.duration, token.place, "duration out of range")
            }
            return ParsedDuration(expression: .literal(literal), depth: 1)
        case .preprocessor(.step), .preprocessor(.range):
            try expect(.leftParenthesis)
            let close = try expect(.rightParenthesis)
            let place = Place(token.place.start, close.place.end)
            try requireDurationExpressions(place)
            return ParsedDuration(
                expression: token.kind == .preprocessor(.step) ? .step(place) : .range(place), depth: 1)
        case .preprocessor(.minOf), .preprocessor(.maxOf):
            try expect(.leftParenthesis)
            let first = try nested { parser throws(Problem) in try parser.durations(from: 0) }
            try expect(.comma)
            let second = try nested { parser throws(Problem) in try parser.durations(from: 0) }
            let close = try expect(.rightParenthesis)
            let place = Place(token.place.start, close.place.end)
            try requireDurationExpressions(place)
            let expression: DurationExpression =
                token.kind == .preprocessor(.minOf)
                ? .minimum(first.expression, second.expression, place)
                : .maximum(first.expression, second.expression, place)
            return ParsedDuration(expression: expression, depth: max(first.depth, second.depth) + 1)
        case .leftParenthesis:
            let inner = try nested { parser throws(Problem) in try parser.durations(from: 0) }
            let close = try expect(.rightParenthesis)
            try requireDurationExpressions(inner.expression.place)
            return ParsedDuration(
                expression: .parenthesized(inner.expression, Place(token.place.start, close.place.end)),
                depth: inner.depth + 1)
        default: throw unexpected(token)
        }
    }

    private func requireDurationExpressions(_ place: Place) throws(Problem) {
        if !options.durationExpressions {
            throw Problem(.feature, place, "experimental duration expression is not enabled")
        }
    }
}
