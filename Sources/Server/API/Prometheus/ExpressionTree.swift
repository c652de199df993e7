import PromQL
import Streams

/// An expression as the tree of `parse_query`, for those who show it.
enum ExpressionTree {
    static func json(_ expression: Expression) -> JSONValue {
        switch expression {
        case .number(let node): return ["type": "numberLiteral", "val": number(node.value)]
        case .string(let node): return ["type": "stringLiteral", "val": .string(node.value)]
        case .vectorSelector(let node):
            return .object([.init("type", "vectorSelector")] + selector(node))
        case .matrixSelector(let node):
            let range = duration(node.range, "range")
            return .object([.init("type", "matrixSelector")] + range + selector(node.selector))
        case .subquery(let node): return subquery(node)
        case .unary(let node):
            return ["type": "unaryExpr", "op": .string(node.sign.rawValue), "expr": json(node.operand)]
        case .binary(let node): return binary(node)
        case .aggregation(let node):
            return [
                "type": "aggregation", "op": .string(node.op.rawValue), "expr": json(node.inner),
                "param": node.parameter.map(json) ?? .null, "grouping": texts(node.grouping),
                "without": .bool(node.isWithout),
            ]
        case .call(let node):
            return [
                "type": "call", "func": function(node.function), "args": .array(node.arguments.map(json)),
            ]
        case .parenthesized(let node): return ["type": "parenExpr", "expr": json(node.inner)]
        }
    }

    private static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    private static func number(_ value: Double) -> JSONValue { .string(formatFloat(value, .fixed)) }

    // MARK: nodes

    private static func selector(_ node: VectorSelector) -> [JSONValue.Member] {
        let matchers = node.matchers.map { matcher -> JSONValue in
            [
                "name": .string(matcher.name), "value": .string(matcher.value),
                "type": .string(matcher.op.rawValue),
            ]
        }
        return [
            .init("name", .string(node.name)), .init("matchers", .array(matchers)),
            .init("anchored", .bool(node.extent == .anchored)), .init("smoothed", .bool(node.extent == .smoothed)),
        ] + duration(node.offset, "offset") + time(node.at)
    }

    private static func subquery(_ node: Subquery) -> JSONValue {
        let parts: [JSONValue.Member] = [.init("type", "subquery"), .init("expr", json(node.inner))]
        return .object(
            parts + duration(node.range, "range") + duration(node.step ?? .zero, "step")
                + duration(node.offset, "offset") + time(node.at))
    }

    private static func binary(_ node: BinaryExpression) -> JSONValue {
        [
            "type": "binaryExpr", "op": .string(node.op.rawValue), "lhs": json(node.left), "rhs": json(node.right),
            "matching": node.matching.map(matching) ?? .null, "bool": .bool(node.returnsBool),
        ]
    }

    private static func matching(_ matching: VectorMatching) -> JSONValue {
        func fill(_ value: Double?) -> JSONValue { value.map { .number(formatFloat($0, .fixed)) } ?? .null }
        let cardinality =
            switch matching.cardinality {
            case .oneToOne: "one-to-one"
            case .manyToOne: "many-to-one"
            case .oneToMany: "one-to-many"
            case .manyToMany: "many-to-many"
            }
        return [
            "card": .string(cardinality), "labels": texts(matching.labels), "on": .bool(matching.isOn),
            "include": texts(matching.include),
            "fillValues": ["lhs": fill(matching.fillLeft), "rhs": fill(matching.fillRight)],
        ]
    }

    private static func function(_ function: FunctionSignature) -> JSONValue {
        let variadic: Int64 =
            switch function.variadic {
            case .none: 0
            case .upTo(let times): Int64(times)
            case .unbounded: -1
            }
        return [
            "name": .string(function.name), "argTypes": texts(function.argumentTypes.map(\.rawValue)),
            "variadic": .integer(variadic), "returnType": .string(function.returnType.rawValue),
        ]
    }

    // MARK: times

    private static func time(_ at: AtModifier?) -> [JSONValue.Member] {
        let (timestamp, end): (JSONValue, JSONValue) =
            switch at {
            case .timestamp(let time): (.integer(time.milliseconds), .null)
            case .start: (.null, "start")
            case .end: (.null, "end")
            case nil: (.null, .null)
            }
        return [.init("timestamp", timestamp), .init("startOrEnd", end)]
    }

    /// Milliseconds where the duration is fixed, its expression where it is computed.
    private static func duration(_ value: DurationValue, _ name: String) -> [JSONValue.Member] {
        switch value {
        case .fixed(let duration):
            [.init(name, .integer(duration.wholeMilliseconds)), .init(name + "Expr", .null)]
        case .computed(let expression):
            [.init(name, .integer(0)), .init(name + "Expr", json(expression, isWrapped: false))]
        }
    }

    private static func json(_ expression: DurationExpression, isWrapped: Bool) -> JSONValue {
        func node(_ op: String, _ left: DurationExpression?, _ right: DurationExpression?) -> JSONValue {
            [
                "type": "durationExpr", "op": .string(op), "lhs": left.map { json($0, isWrapped: false) } ?? .null,
                "rhs": right.map { json($0, isWrapped: false) } ?? .null, "wrapped": .bool(isWrapped),
            ]
        }
        return switch expression {
        case .literal(let literal):
            ["type": "numberLiteral", "val": number(literal.value), "duration": .bool(literal.isDuration)]
        case .step: node("step", nil, nil)
        case .range: node("range", nil, nil)
        case .sign(let sign, let operand, _): node(sign.rawValue, nil, operand)
        case .binary(let op, let left, let right, _): node(op.rawValue, left, right)
        case .minimum(let first, let second, _): node("min_of", first, second)
        case .maximum(let first, let second, _): node("max_of", first, second)
        case .parenthesized(let inner, _): json(inner, isWrapped: true)
        }
    }
}
