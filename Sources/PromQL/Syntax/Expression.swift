package import Streams

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

/// `metric{label="value"} offset 5m @ 0`.
package struct VectorSelector: Sendable, Hashable {
    /// The metric's name before the braces; "" where there is none. It is among the matchers too.
    package var name: String
    /// All tests, that of `__name__` among them, in the order of the text, the name before the braces last.
    package var matchers: [Matcher]
    package var offset: DurationValue
    package var at: AtModifier?
    package var extent: SelectorExtent
    package var place: Place

    package init(
        name: String, matchers: [Matcher], offset: DurationValue = .zero, at: AtModifier? = nil,
        extent: SelectorExtent = .samples, place: Place = Place(0, 0)
    ) {
        self.name = name
        self.matchers = matchers
        self.offset = offset
        self.at = at
        self.extent = extent
        self.place = place
    }
}

/// How a selector treats the borders of its range.
package enum SelectorExtent: Sendable, Hashable {
    /// Only the samples inside.
    case samples
    /// `anchored`: with the last sample before the range as its left border's value.
    case anchored
    /// `smoothed`: with both borders interpolated.
    case smoothed
}

/// `@ ...`: at which time a selector or subquery is evaluated in place of the query's own.
package enum AtModifier: Sendable, Hashable {
    case timestamp(Timestamp)
    /// The query's start.
    case start
    /// The query's end.
    case end
}

/// `selector[5m]`; offset, `@` and extent are those of the selector.
package struct MatrixSelector: Sendable, Hashable {
    package var selector: VectorSelector
    package var range: DurationValue
    package var place: Place

    package init(selector: VectorSelector, range: DurationValue, place: Place = Place(0, 0)) {
        self.selector = selector
        self.range = range
        self.place = place
    }
}

/// `expression[1h:5m] offset 5m @ end()`.
package struct Subquery: Sendable, Hashable {
    package var inner: Expression
    package var range: DurationValue
    /// Nil: the default evaluation interval.
    package var step: DurationValue?
    package var offset: DurationValue
    package var at: AtModifier?
    package var place: Place

    package init(
        _ inner: Expression, range: DurationValue, step: DurationValue?, offset: DurationValue = .zero,
        at: AtModifier? = nil, place: Place = Place(0, 0)
    ) {
        self.inner = inner
        self.range = range
        self.step = step
        self.offset = offset
        self.at = at
        self.place = place
    }
}

package enum Sign: String, Sendable, Hashable {
    case plus = "+"
    case minus = "-"
}

/// `-operand`; the operand is a scalar or a vector.
package struct UnaryExpression: Sendable, Hashable {
    package var sign: Sign
    package var operand: Expression
    package var place: Place

    package init(_ sign: Sign, _ operand: Expression, place: Place = Place(0, 0)) {
        self.sign = sign
        self.operand = operand
        self.place = place
    }
}

package enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2 = "atan2"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    /// `</`: cuts off what lies above the scalar in a native histogram.
    case trimUpper = "</"
    /// `>/`: cuts off what lies below the scalar in a native histogram.
    case trimLower = ">/"
    case and
    case or
    case unless

    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual: true
        default: false
        }
    }

    package var isSetOperator: Bool { self == .and || self == .or || self == .unless }
}

/// `left op bool on (labels) group_left (include) fill (0) right`.
package struct BinaryExpression: Sendable, Hashable {
    package var op: BinaryOperator
    package var left: Expression
    package var right: Expression
    /// A comparison gives 0 or 1 in place of filtering.
    package var returnsBool: Bool
    /// How two vectors are matched; nil where one side is a scalar.
    package var matching: VectorMatching?
    package var place: Place

    package init(
        _ op: BinaryOperator, _ left: Expression, _ right: Expression, returnsBool: Bool = false,
        matching: VectorMatching? = nil, place: Place = Place(0, 0)
    ) {
        self.op = op
        self.left = left
        self.right = right
        self.returnsBool = returnsBool
        self.matching = matching
        self.place = place
    }
}

package struct VectorMatching: Sendable, Hashable {
    package enum Cardinality: Sendable, Hashable {
        case oneToOne
        /// `group_left`: many on the left.
        case manyToOne
        /// `group_right`: many on the right.
        case oneToMany
        /// Set operators.
        case manyToMany
    }

    package var cardinality: Cardinality
    /// `on`: match by `labels` alone; otherwise by all but `labels` (`ignoring`, or no modifier and no labels).
    package var isOn: Bool
    package var labels: [String]
    /// The labels that `group_left` or `group_right` takes over from the "one" side.
    package var include: [String]
    /// What stands in for a missing left side.
    package var fillLeft: Double?
    /// What stands in for a missing right side.
    package var fillRight: Double?

    package init(
        cardinality: Cardinality = .oneToOne, isOn: Bool = false, labels: [String] = [], include: [String] = [],
        fillLeft: Double? = nil, fillRight: Double? = nil
    ) {
        self.cardinality = cardinality
        self.isOn = isOn
        self.labels = labels
        self.include = include
        self.fillLeft = fillLeft
        self.fillRight = fillRight
    }
}

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
