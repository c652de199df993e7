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
