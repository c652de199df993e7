/// A parsed and type-checked PromQL expression, as a tree of values.
///
/// The parser bounds the depth, so walking it recursively is safe. Equality and hashing ignore where in the text a
/// node stands (see `Place`): equal sub-expressions of different rules are equal values.
package indirect enum Expression: Sendable, Hashable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case vectorSelector(VectorSelector)
    case matrixSelector(MatrixSelector)
    case subquery(Subquery)
    case unary(UnaryExpression)
    case binary(BinaryExpression)
    case aggregation(Aggregation)
    case call(FunctionCall)
    case parenthesized(ParenthesizedExpression)

    package var type: ValueType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .vectorSelector, .aggregation: .vector
        case .matrixSelector, .subquery: .matrix
        case .unary(let node): node.operand.type
        case .binary(let node): node.left.type == .scalar && node.right.type == .scalar ? .scalar : .vector
        case .call(let node): node.function.returnType
        case .parenthesized(let node): node.inner.type
        }
    }

    /// Where the whole of it stands in the text.
    package var place: Place {
        switch self {
        case .number(let node): node.place
        case .string(let node): node.place
        case .vectorSelector(let node): node.place
        case .matrixSelector(let node): node.place
        case .subquery(let node): node.place
        case .unary(let node): node.place
        case .binary(let node): node.place
        case .aggregation(let node): node.place
        case .call(let node): node.place
        case .parenthesized(let node): node.place
        }
    }

    /// The expression without the parentheses around it.
    package var unwrapped: Expression {
        var result = self
        while case .parenthesized(let node) = result { result = node.inner }
        return result
    }
}

/// What an expression evaluates to, by the names of the HTTP API's documentation.
package enum ValueType: String, Sendable, Hashable {
    case scalar, vector, matrix, string
}

/// A range of byte offsets into the expression's text, the end not included. All places are equal, so that they do not
/// make two nodes differ that say the same.
package struct Place: Sendable, Hashable {
    package var start: Int
    package var end: Int

    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }

    package static func == (left: Place, right: Place) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}

/// A float, or a duration used as a number of seconds.
package struct NumberLiteral: Sendable, Hashable {
    package var value: Double
    /// Written as a duration (`1h30m`), and printed as one.
    package var isDuration: Bool
    package var place: Place

    package init(_ value: Double, isDuration: Bool = false, place: Place = Place(0, 0)) {
        self.value = value
        self.isDuration = isDuration
        self.place = place
    }

    /// By bits, so that NaN equals itself.
    package static func == (left: NumberLiteral, right: NumberLiteral) -> Bool {
        left.value.bitPattern == right.value.bitPattern && left.isDuration == right.isDuration
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(value.bitPattern)
        hasher.combine(isDuration)
    }
}

package struct StringLiteral: Sendable, Hashable {
    /// Without quotes, escapes resolved.
    package var value: String
    package var place: Place

    package init(_ value: String, place: Place = Place(0, 0)) {
        self.value = value
        self.place = place
    }
}

/// `function(arguments)`; number and types of the arguments fit the signature.
package struct FunctionCall: Sendable, Hashable {
    package var function: FunctionSignature
    /// As written: optional arguments that were left out are absent.
    package var arguments: [Expression]
    package var place: Place

    package init(_ function: FunctionSignature, _ arguments: [Expression], place: Place = Place(0, 0)) {
        self.function = function
        self.arguments = arguments
        self.place = place
    }
}

package struct ParenthesizedExpression: Sendable, Hashable {
    package var inner: Expression
    package var place: Place

    package init(_ inner: Expression, place: Place = Place(0, 0)) {
        self.inner = inner
        self.place = place
    }
}
