/// How a float is written, by the letters of Go's `strconv.FormatFloat`: every number that the peers show is written in
/// one of these.
package enum FloatFormat: Sendable {
    /// `f`: `-ddd.dddd`
    case fixed
    /// `e`: `-d.dddde±dd`
    case exponent
    /// `g`: `e` for exponents below -4 or from the precision on (6 for the shortest form), `f` otherwise.
    case general
}

/// The text of a float as Go writes it.
/// - Parameter precision: digits after the point (`fixed`, `exponent`) or significant digits (`general`), rounded half to
///   even on the exact value; nil: the fewest digits that read back as the same value.
package func formatFloat(_ value: Double, _ format: FloatFormat, precision: Int? = nil) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    var digits: DecimalDigits
    if let precision {
        let precision = max(0, min(precision, 1100))
        digits = DecimalDigits(exactly: value.magnitude)
        switch format {
        case .fixed: digits.round(to: digits.point + precision)
        case .exponent: digits.round(to: precision + 1)
        case .general: digits.round(to: max(1, precision))
        }
    } else {
        digits = DecimalDigits(shortest: value.magnitude)
    }
    let sign = value.sign == .minus ? "-" : ""
    switch format {
    case .fixed:
        return sign + digits.fixed(fraction: precision ?? max(digits.digits.count - digits.point, 0))
    case .exponent:
        return sign + digits.exponential(fraction: precision ?? max(digits.digits.count - 1, 0))
    case .general:
        // An integer whose digits fit is not stretched with zeros, so the threshold is never below their number.
        var threshold = precision.map { max(1, $0) } ?? 6
        if precision != nil, threshold > digits.digits.count, digits.digits.count >= digits.point {
            threshold = digits.digits.count
        }
        let exponent = digits.point - 1
        if exponent < -4 || exponent >= threshold {
            return sign + digits.exponential(fraction: max(digits.digits.count - 1, 0))
        }
        return sign + digits.fixed(fraction: max(digits.digits.count - digits.point, 0))
    }
}

/// The decimal digits of a value: `0.d1d2d3... x 10^point`, without zeros at the end; no digits for zero.
private struct DecimalDigits {
    var digits: [UInt8] = []
    var point = 0

    /// The fewest digits that tell the value from its neighbours, which the standard library finds.
    init(shortest value: Double) {
        guard value != 0 else { return }
        let text = "\(value)".utf8
        let mantissa = text.prefix { $0 != UInt8(ascii: "e") }
        for byte in mantissa where byte != UInt8(ascii: ".") { digits.append(byte - UInt8(ascii: "0")) }
        point = mantissa.prefix { $0 != UInt8(ascii: ".") }.count
        if mantissa.endIndex < text.endIndex {
            point += Int(Substring(text[mantissa.endIndex...].dropFirst())) ?? 0
        }
        normalize()
    }

    /// All digits of the exact value, at most about 770.
    init(exactly value: Double) {
        guard value != 0 else { return }
        let isSubnormal = value.isSubnormal
        var significand = value.significandBitPattern | (isSubnormal ? 0 : 1 << 52)
        var exponent = (isSubnormal ? -1022 : Int(value.exponent)) - 52
        let zeros = significand.trailingZeroBitCount
        significand >>= UInt64(zeros)
        exponent += zeros
        var number = BigDecimal(significand)
        if exponent >= 0 {
            number.multiply(by: 2, times: exponent)
        } else {
            // m / 2^k is m * 5^k / 10^k.
            number.multiply(by: 5, times: -exponent)
        }
        digits = number.digits
        point = digits.count + min(exponent, 0)
        normalize()
    }

    private mutating func normalize() {
        let leading = digits.prefix { $0 == 0 }.count
        digits.removeFirst(leading)
        point -= leading
        while digits.last == 0 { digits.removeLast() }
        if digits.isEmpty { point = 0 }
    }

    /// Keeps the first `count` digits, rounded half to even.
    mutating func round(to count: Int) {
        guard count < digits.count else { return }
        guard count >= 0 else {
            digits = []
            point = 0
            return
        }
        let isHalf = digits[count] == 5 && count + 1 == digits.count
        let up = isHalf ? count > 0 && digits[count - 1] % 2 == 1 : digits[count] >= 5
        digits.removeLast(digits.count - count)
        if up {
            var index = count - 1
            while index >= 0, digits[index] == 9 {
                digits[index] = 0
                index -= 1
            }
            if index >= 0 {
                digits[index] += 1
            } else {
                digits.insert(1, at: 0)
                point += 1
            }
        }
        normalize()
    }

    func fixed(fraction: Int) -> String {
        var text: [UInt8] = []
        if point > 0 {
            for index in 0..<point { text.append(digit(index)) }
        } else {
            text.append(UInt8(ascii: "0"))
        }
        if fraction > 0 {
            text.append(UInt8(ascii: "."))
            for index in point..<(point + fraction) { text.append(digit(index)) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    func exponential(fraction: Int) -> String {
        var text: [UInt8] = [digit(0)]
        if fraction > 0 {
            text.append(UInt8(ascii: "."))
            for index in 1...fraction { text.append(digit(index)) }
        }
        let exponent = digits.isEmpty ? 0 : point - 1
        let magnitude = String(exponent.magnitude)
        return String(decoding: text, as: UTF8.self) + (exponent < 0 ? "e-" : "e+")
            + (magnitude.utf8.count < 2 ? "0" : "") + magnitude
    }

    private func digit(_ index: Int) -> UInt8 {
        UInt8(ascii: "0") + (digits.indices.contains(index) ? digits[index] : 0)
    }
}

/// A natural number in limbs of nine decimal digits, the lowest first.
private struct BigDecimal {
    private var limbs: [UInt32]
    private static let base: UInt64 = 1_000_000_000

    init(_ value: UInt64) {
        limbs = []
        var rest = value
        repeat {
            limbs.append(UInt32(rest % Self.base))
            rest /= Self.base
        } while rest > 0
    }

    mutating func multiply(by factor: UInt64, times: Int) {
        var rest = times
        while rest > 0 {
            // As many factors at once as fit into 32 bits.
            var product = factor
            rest -= 1
            while rest > 0, product * factor <= UInt64(UInt32.max) {
                product *= factor
                rest -= 1
            }
            var carry: UInt64 = 0
            for index in limbs.indices {
                let next = UInt64(limbs[index]) * product + carry
                limbs[index] = UInt32(next % Self.base)
                carry = next / Self.base
            }
            while carry > 0 {
                limbs.append(UInt32(carry % Self.base))
                carry /= Self.base
            }
        }
    }

    var digits: [UInt8] {
        var result: [UInt8] = []
        for limb in limbs.reversed() {
            let text = Array(String(limb).utf8)
            if !result.isEmpty { result += repeatElement(0, count: 9 - text.count) }
            result += text.map { $0 - UInt8(ascii: "0") }
        }
        return result
    }
}
