#if canImport(Glibc)
    import func Glibc.pow
#elseif canImport(Musl)
    import func Musl.pow
#elseif canImport(Darwin)
    import func Darwin.pow
#endif
import Streams

/// Why a computed duration is none.
package struct DurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var reason: String
    package var place: Place

    /// As the API gives it: the byte offsets of the duration, then the reason.
    package var description: String { "\(place.start):\(place.end): \(reason)" }
}

extension Expression {
    /// The expression with all durations fixed, for a query of that step and range (its end minus its start).
    package func resolvingDurations(step: Duration, range: Duration) throws(DurationError) -> Expression {
        let query = DurationResolution(step: step.inSeconds, range: range.inSeconds)
        return try query.resolve(self)
    }
}

private struct DurationResolution {
    let step: Double
    let range: Double

    func resolve(_ expression: Expression) throws(DurationError) -> Expression {
        switch expression {
        case .number, .string: return expression
        case .vectorSelector(let node): return .vectorSelector(try resolve(node))
        case .matrixSelector(var node):
            node.selector = try resolve(node.selector)
            node.range = try resolve(node.range, mayBeNegative: false)
            return .matrixSelector(node)
        case .subquery(var node):
            node.inner = try resolve(node.inner)
            node.range = try resolve(node.range, mayBeNegative: false)
            if let step = node.step { node.step = try resolve(step, mayBeNegative: false) }
            node.offset = try resolve(node.offset, mayBeNegative: true)
            return .subquery(node)
        case .unary(var node):
            node.operand = try resolve(node.operand)
            return .unary(node)
        case .binary(var node):
            node.left = try resolve(node.left)
            node.right = try resolve(node.right)
            return .binary(node)
        case .aggregation(var node):
            node.inner = try resolve(node.inner)
            if let parameter = node.parameter { node.parameter = try resolve(parameter) }
            return .aggregation(node)
        case .call(var node):
            for index in node.arguments.indices { node.arguments[index] = try resolve(node.arguments[index]) }
            return .call(node)
        case .parenthesized(var node):
            node.inner = try resolve(node.inner)
            return .parenthesized(node)
        }
    }

    private func resolve(_ selector: VectorSelector) throws(DurationError) -> VectorSelector {
        guard selector.offset.fixed == nil else { return selector }
        var selector = selector
        selector.offset = try resolve(selector.offset, mayBeNegative: true)
        return selector
    }

    private func resolve(_ value: DurationValue, mayBeNegative: Bool) throws(DurationError) -> DurationValue {
        guard case .computed(let expression) = value else { return value }
        let seconds = try evaluate(expression)
        let reason: String
        if !seconds.isFinite {
            reason = "duration is NaN or infinite"
        } else if seconds <= 0, !mayBeNegative {
            reason = "duration must be greater than 0"
        } else if seconds.magnitude >= 0x1p63 / 1e9 {
            reason = "duration is out of range"
        } else {
            return .fixed(.milliseconds(Int64(seconds * 1000)))
        }
        throw DurationError(reason: reason, place: expression.place)
    }

    private func evaluate(_ expression: DurationExpression) throws(DurationError) -> Double {
        switch expression {
        case .literal(let literal): return literal.value
        case .step: return step
        case .range: return range
        case .sign(let sign, let operand, _): return sign == .minus ? -(try evaluate(operand)) : try evaluate(operand)
        case .minimum(let first, let second, _):
            let (first, second) = (try evaluate(first), try evaluate(second))
            return first.isNaN || second.isNaN ? .nan : min(first, second)
        case .maximum(let first, let second, _):
            let (first, second) = (try evaluate(first), try evaluate(second))
            return first.isNaN || second.isNaN ? .nan : max(first, second)
        case .parenthesized(let inner, _): return try evaluate(inner)
        case .binary(let op, let first, let second, let place):
            let (left, right) = (try evaluate(first), try evaluate(second))
            switch op {
            case .add: return left + right
            case .subtract: return left - right
            case .multiply: return left * right
            case .divide:
                if right == 0 { throw DurationError(reason: "division by zero", place: place) }
                return left / right
            case .modulo:
                if right == 0 { throw DurationError(reason: "modulo by zero", place: place) }
                return left.truncatingRemainder(dividingBy: right)
            case .power: return pow(left, right)
            }
        }
    }
}
