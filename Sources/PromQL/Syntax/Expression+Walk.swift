extension Expression {
    /// The expressions right below this one, in the order of the text.
    package var children: [Expression] {
        switch self {
        case .number, .string, .vectorSelector, .matrixSelector: []
        case .subquery(let node): [node.inner]
        case .unary(let node): [node.operand]
        case .binary(let node): [node.left, node.right]
        case .aggregation(let node): (node.parameter.map { [$0] } ?? []) + [node.inner]
        case .call(let node): node.arguments
        case .parenthesized(let node): [node.inner]
        }
    }

    /// Calls `visit` for this expression and all below it, parents first.
    package func walk(_ visit: (Expression) -> Void) {
        visit(self)
        for child in children { child.walk(visit) }
    }

    /// All vector selectors, those with ranges among them, in the order of the text.
    package var selectors: [VectorSelector] {
        var found: [VectorSelector] = []
        walk { expression in
            switch expression {
            case .vectorSelector(let node): found.append(node)
            case .matrixSelector(let node): found.append(node.selector)
            default: break
            }
        }
        return found
    }
}
