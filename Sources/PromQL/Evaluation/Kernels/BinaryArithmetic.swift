import Glibc

extension BinaryOperator {
    /// Whether the result is another quantity than the operands, so that it loses the metric's name.
    var changesMetric: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2: true
        default: false
        }
    }

    /// `</` and `>/`, which cut histograms.
    var isTrim: Bool { self == .trimLower || self == .trimUpper }

    /// The operation on two scalars; comparisons give 1 or 0.
    func ofScalars(_ left: Double, _ right: Double) -> Double {
        isComparison ? (holds(left, right) ? 1 : 0) : arithmetic(left, right)
    }

    /// The result of an arithmetic operator.
    @inline(__always)
    func arithmetic(_ left: Double, _ right: Double) -> Double {
        switch self {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .modulo: fmod(left, right)
        case .power: pow(left, right)
        case .atan2: Glibc.atan2(left, right)
        default: .nan
        }
    }

    /// Whether a comparison holds.
    @inline(__always)
    func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .greater: left > right
        case .lessOrEqual: left <= right
        case .greaterOrEqual: left >= right
        default: false
        }
    }
}
