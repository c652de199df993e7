import Streams

/// Checks the types of a parsed expression and settles how its vectors are matched. Children come before their parent,
/// as in Prometheus, so that the same problem is the first one.
struct TypeCheck {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The expression with `matching` only where two vectors are matched.
    func check(_ expression: Expression) throws(Problem) -> Expression {
        switch expression {
        case .number, .string: return expression
        case .vectorSelector(let node):
            try check(node, mayBeEmpty: false)
            return expression
        case .matrixSelector(let node):
            try check(node.selector, mayBeEmpty: false)
            return expression
        case .subquery(let node): return .subquery(try check(node))
        case .unary(let node): return .unary(try check(node))
        case .binary(let node): return .binary(try check(node))
        case .aggregation(let node): return .aggregation(try check(node))
        case .call(let node): return .call(try check(node))
        case .parenthesized(var node):
            node.inner = try check(node.inner)
            return .parenthesized(node)
        }
    }

    // MARK: - Selectors

    private func check(_ node: VectorSelector, mayBeEmpty: Bool) throws(Problem) {
        if !node.name.isEmpty {
            if let other = node.matchers.dropLast().first(where: { $0.name == LabelSet.metricName }) {
                throw Problem(
                    .semantic, node.place,
                    "metric name must not be set twice: \(quoted(node.name)) or \(quoted(other.value))")
            }
        } else if !mayBeEmpty, node.matchers.allSatisfy({ $0.accepts("") }) {
            throw Problem(
                .emptyMatcher, node.place, "vector selector must contain at least one non-empty matcher")
        }
    }

    private func check(_ node: Subquery) throws(Problem) -> Subquery {
        var node = node
        node.inner = try check(node.inner)
        if node.inner.type != .vector {
            throw Problem(
                .semantic, node.place,
                "subquery is only allowed on instant vector, got \(node.inner.type.rawValue) instead")
        }
        return node
    }

    // MARK: - Operators

    private func check(_ node: UnaryExpression) throws(Problem) -> UnaryExpression {
        var node = node
        node.operand = try check(node.operand)
        let type = node.operand.type
        if type != .scalar, type != .vector {
            throw Problem(
                .type, node.place,
                "unary expression only allowed on expressions of type scalar or instant vector, "
                    + "got \(quoted(type.documented))")
        }
        return node
    }

    private func check(_ node: BinaryExpression) throws(Problem) -> BinaryExpression {
        var node = node
        node.left = try check(node.left)
        node.right = try check(node.right)
        let matching = node.matching ?? VectorMatching()
        let left = node.left.type
        let right = node.right.type
        if node.returnsBool, !node.op.isComparison {
            throw Problem(
                .semantic, operatorPlace(node), "bool modifier can only be used on comparison operators")
        }
        if node.op.isComparison, !node.returnsBool, left == .scalar, right == .scalar {
            throw Problem(.semantic, operatorPlace(node), "comparisons between scalars must use BOOL modifier")
        }
        let included = Set(matching.include)
        if matching.isOn, let twice = matching.labels.first(where: { included.contains($0) }) {
            throw Problem(
                .label, operatorPlace(node), "label \(quoted(twice)) must not occur in ON and GROUP clause at once")
        }
        for side in [node.left, node.right] where side.type != .scalar && side.type != .vector {
            throw Problem(
                .type, side.place, "binary expression must contain only scalar and instant vector types")
        }
        if left == .vector, right == .vector {
            try checkSetOperator(node, matching)
        } else {
            if !matching.labels.isEmpty {
                throw Problem(.semantic, node.place, "vector matching only allowed between instant vectors")
            }
            if matching.fillLeft != nil || matching.fillRight != nil {
                throw Problem(
                    .semantic, node.place, "filling in missing series only allowed between instant vectors")
            }
            node.matching = nil
            if node.op.isSetOperator {
                throw Problem(
                    .semantic, node.place,
                    "set operator \(quoted(node.op.rawValue)) not allowed in binary scalar expression")
            }
        }
        return node
    }

    private func checkSetOperator(_ node: BinaryExpression, _ matching: VectorMatching) throws(Problem) {
        guard node.op.isSetOperator else { return }
        if matching.cardinality != .manyToMany {
            throw Problem(.semantic, node.place, "no grouping allowed for \(quoted(node.op.rawValue)) operation")
        }
        if matching.fillLeft != nil || matching.fillRight != nil {
            throw Problem(.semantic, node.place, "filling in missing series not allowed for set operators")
        }
    }

    /// What stands between both sides, without the blanks around it.
    private func operatorPlace(_ node: BinaryExpression) -> Place {
        var start = node.left.place.end
        while start < bytes.count, isSpace(bytes[start]) { start += 1 }
        var end = node.right.place.start - 1
        while end > start, end < bytes.count, isSpace(bytes[end]) { end -= 1 }
        return Place(start, max(start, end))
    }

    // MARK: - Aggregations and calls

    private func check(_ node: Aggregation) throws(Problem) -> Aggregation {
        var node = node
        node.inner = try check(node.inner)
        try expect(.vector, node.inner, in: "aggregation expression")
        if let type = node.op.parameterType, let parameter = node.parameter {
            let checked = try check(parameter)
            try expect(type, checked, in: "aggregation parameter")
            node.parameter = checked
        }
        return node
    }

    private func check(_ node: FunctionCall) throws(Problem) -> FunctionCall {
        var node = node
        try checkArgumentCount(node)
        let context = "call to function \(quoted(node.function.name))"
        let isInfo = node.function.name == "info"
        if isInfo, node.arguments.count > 1 { try checkInfo(node, context) }
        for index in node.arguments.indices {
            if isInfo, index == 1, case .vectorSelector(let selector) = node.arguments[index] {
                try check(selector, mayBeEmpty: true)
                continue
            }
            let types = node.function.argumentTypes
            let argument = try check(node.arguments[index])
            try expect(types[min(index, types.count - 1)], argument, in: context)
            node.arguments[index] = argument
        }
        return node
    }

    private func checkArgumentCount(_ node: FunctionCall) throws(Problem) {
        let function = node.function
        let count = node.arguments.count
        func problem(_ expected: String) -> Problem {
            Problem(
                .arity, node.place,
                "expected \(expected) argument(s) in call to \(quoted(function.name)), got \(count)")
        }
        if function.variadic == .none, count != function.argumentTypes.count {
            throw problem("\(function.argumentTypes.count)")
        }
        if count < function.argumentsMin { throw problem("at least \(function.argumentsMin)") }
        if let most = function.argumentsMax, count > most { throw problem("at most \(most)") }
    }

    /// The second argument of `info` is a selector of labels alone.
    private func checkInfo(_ node: FunctionCall, _ context: String) throws(Problem) {
        let argument = node.arguments[1]
        if argument.type != .vector {
            throw Problem(
                .type, node.place, "expected type instant vector in \(context), got \(argument.type.documented)")
        }
        guard case .vectorSelector(let selector) = argument else {
            throw Problem(.label, argument.place, "expected label selectors only")
        }
        if !selector.name.isEmpty {
            throw Problem(
                .label, argument.place, "expected label selectors only, got vector selector instead")
        }
    }

    private func expect(_ type: ValueType, _ expression: Expression, in context: String) throws(Problem) {
        if expression.type != type {
            throw Problem(
                .type, expression.place,
                "expected type \(type.documented) in \(context), got \(expression.type.documented)")
        }
    }
}

extension ValueType {
    /// The name in the documentation and in messages.
    package var documented: String {
        switch self {
        case .scalar: "scalar"
        case .vector: "instant vector"
        case .matrix: "range vector"
        case .string: "string"
        }
    }
}
