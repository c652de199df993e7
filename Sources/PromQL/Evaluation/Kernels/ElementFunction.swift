import Glibc

/// Functions from one float to one float: the same for every element of a vector, without regard to time.
enum ElementFunction: String, Sendable, CaseIterable {
    case abs, acos, acosh, asin, asinh, atan, atanh, ceil, cos, cosh, deg, exp, floor, ln, log10, log2, rad, sgn, sin
    case sinh, sqrt, tan, tanh
    case dayOfMonth = "day_of_month"
    case dayOfWeek = "day_of_week"
    case dayOfYear = "day_of_year"
    case daysInMonth = "days_in_month"
    case hour, minute, month, year

    /// Without an argument, these tell about the time of evaluation.
    var isCalendar: Bool { calendarField != nil }

    private var calendarField: CalendarField? {
        switch self {
        case .dayOfMonth: .dayOfMonth
        case .dayOfWeek: .dayOfWeek
        case .dayOfYear: .dayOfYear
        case .daysInMonth: .daysInMonth
        case .hour: .hour
        case .minute: .minute
        case .month: .month
        case .year: .year
        default: nil
        }
    }

    func callAsFunction(_ value: Double) -> Double {
        switch self {
        case .abs: Swift.abs(value)
        case .acos: Glibc.acos(value)
        case .acosh: Glibc.acosh(value)
        case .asin: Glibc.asin(value)
        case .asinh: Glibc.asinh(value)
        case .atan: Glibc.atan(value)
        case .atanh: Glibc.atanh(value)
        case .ceil: value.rounded(.up)
        case .cos: Glibc.cos(value)
        case .cosh: Glibc.cosh(value)
        case .deg: value * 180 / .pi
        case .exp: Glibc.exp(value)
        case .floor: value.rounded(.down)
        case .ln: Glibc.log(value)
        case .log10: Glibc.log10(value)
        case .log2: Glibc.log2(value)
        case .rad: value * .pi / 180
        case .sgn: value < 0 ? -1 : value > 0 ? 1 : value
        case .sin: Glibc.sin(value)
        case .sinh: Glibc.sinh(value)
        case .sqrt: value.squareRoot()
        case .tan: Glibc.tan(value)
        case .tanh: Glibc.tanh(value)
        case .dayOfMonth, .dayOfWeek, .dayOfYear, .daysInMonth, .hour, .minute, .month, .year:
            calendarField?.of(secondsSinceEpoch: value) ?? .nan
        }
    }
}

/// Functions of one float that take scalars besides: `clamp` and `round`.
enum BoundedFunction: String, Sendable, CaseIterable {
    case clamp
    case clampMax = "clamp_max"
    case clampMin = "clamp_min"
    case round

    /// The result for one element; nil where the bounds leave no room (`clamp` with max < min).
    @inline(__always)
    func callAsFunction(_ value: Double, _ first: Double, _ second: Double) -> Double? {
        switch self {
        case .clamp:
            second < first ? nil : goMaximum(first, goMinimum(second, value))
        case .clampMax: goMaximum(-.infinity, goMinimum(first, value))
        case .clampMin: goMaximum(first, goMinimum(.infinity, value))
        case .round: Self.round(value, to: first)
        }
    }

    /// Ties go up. The inverse is used because it is exact for the usual fractions of ten.
    private static func round(_ value: Double, to nearest: Double) -> Double {
        let inverse = 1 / nearest
        return (value * inverse + 0.5).rounded(.down) / inverse
    }
}

/// Go's `math.Max`: an infinity decides before NaN does.
func goMaximum(_ left: Double, _ right: Double) -> Double {
    if left == .infinity || right == .infinity { return .infinity }
    if left.isNaN || right.isNaN { return .nan }
    if left == 0, right == 0 { return left.sign == .minus ? right : left }
    return left > right ? left : right
}

/// Go's `math.Min`.
func goMinimum(_ left: Double, _ right: Double) -> Double {
    if left == -.infinity || right == -.infinity { return -.infinity }
    if left.isNaN || right.isNaN { return .nan }
    if left == 0, right == 0 { return left.sign == .minus ? left : right }
    return left < right ? left : right
}
