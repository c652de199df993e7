internal import Glibc

/// Floating-point numbers as text, as Go's strconv writes and reads them.
enum FloatText {
    /// The shortest digits that read back as the same number; with an exponent below -4 and from 6 digits on, which
    /// is how Go prints a float64 where nothing else is asked for.
    static func shortest(_ value: Double) -> String { format(value, verb: "g", precision: nil) }

    /// The digits and the place of the point: value = 0.d1d2d3... × 10^point.
    private static func shortestDigits(_ magnitude: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        let text = Array("\(magnitude)".utf8)
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"):
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self).replacingPlus) ?? 0
                index = text.count
            default: digits.append(text[index])
            }
            index += 1
        }
        var place = (point ?? digits.count) + exponent
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leading)
        place -= leading
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        if digits.isEmpty { return ([UInt8(ascii: "0")], 1) }
        return (digits, place)
    }

    /// `strconv.FormatFloat`: verbs e, E, f, F, g, G, b, x, X; a nil precision is the shortest that is exact.
    static func format(_ value: Double, verb: Unicode.Scalar, precision: Int?) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let sign = value.sign == .minus ? "-" : ""
        let magnitude = value.magnitude
        switch verb {
        case "b": return sign + binary(magnitude)
        case "x", "X": return sign + hexadecimal(magnitude, precision: precision, uppercase: verb == "X")
        case "e", "E":
            let text = precision.map { exact(magnitude, "e", $0) } ?? scientific(shortestDigits(magnitude))
            return sign + (verb == "E" ? text.uppercased() : text)
        case "f", "F":
            return sign + (precision.map { exact(magnitude, "f", $0) } ?? plain(shortestDigits(magnitude)))
        default:
            let text: String
            if let precision {
                text = exact(magnitude, "g", precision)
            } else {
                let shortest = shortestDigits(magnitude)
                let exponent = shortest.point - 1
                text = exponent < -4 || exponent >= 6 ? scientific(shortest) : plain(shortest)
            }
            return sign + (verb == "G" ? text.uppercased() : text)
        }
    }

    private static func scientific(_ number: (digits: [UInt8], point: Int)) -> String {
        let isZero = number.digits == [UInt8(ascii: "0")]
        let exponent = isZero ? 0 : number.point - 1
        var text = String(decoding: number.digits.prefix(1), as: UTF8.self)
        if number.digits.count > 1 { text += "." + String(decoding: number.digits.dropFirst(), as: UTF8.self) }
        let size = exponent.magnitude
        return text + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + String(size)
    }

    private static func plain(_ number: (digits: [UInt8], point: Int)) -> String {
        let digits = String(decoding: number.digits, as: UTF8.self)
        if number.point <= 0 { return "0." + String(repeating: "0", count: -number.point) + digits }
        if number.point >= number.digits.count {
            return digits + String(repeating: "0", count: number.point - number.digits.count)
        }
        return String(decoding: number.digits[..<number.point], as: UTF8.self) + "."
            + String(decoding: number.digits[number.point...], as: UTF8.self)
    }

    /// Correctly rounded from the exact binary value, by C's printf.
    private static func exact(_ magnitude: Double, _ verb: String, _ precision: Int) -> String {
        let precision = Int32(clamping: min(precision, 1_000_000))
        return withVaList([precision, magnitude]) { arguments in
            var buffer = [CChar](repeating: 0, count: Int(precision) + 340)
            let length = vsnprintf(&buffer, buffer.count, "%.*" + verb, arguments)
            return String(decoding: buffer.prefix(Int(max(0, length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func binary(_ magnitude: Double) -> String {
        let bits = magnitude.bitPattern
        let exponent = Int(bits >> 52)
        let fraction = bits & 0xF_FFFF_FFFF_FFFF
        let mantissa = exponent == 0 ? fraction : fraction | 1 << 52
        let power = max(exponent, 1) - 1075
        return "\(mantissa)p\(power < 0 ? "" : "+")\(power)"
    }

    private static func hexadecimal(_ magnitude: Double, precision: Int?, uppercase: Bool) -> String {
        let digits = "0123456789abcdef".map(String.init)
        if magnitude == 0 {
            let zeros = precision.map { $0 > 0 ? "." + String(repeating: "0", count: min($0, 1_000_000)) : "" } ?? ""
            return uppercase ? "0X0\(zeros)P+00" : "0x0\(zeros)p+00"
        }
        var exponent = Int(magnitude.exponent)
        var fraction = magnitude.significandBitPattern
        if magnitude.isSubnormal { fraction = magnitude.significand.significandBitPattern }
        var leading = 1
        var places: [Int] = (0..<13).map { Int(fraction >> UInt64(48 - 4 * $0)) & 15 }
        if let precision, precision < 13 {
            let kept = places[..<precision]
            let rest = Array(places[precision...])
            let half = rest[0] > 8 || (rest[0] == 8 && rest.dropFirst().contains { $0 != 0 })
            let tie = rest[0] == 8 && !half
            var rounded = Array(kept)
            if half || (tie && (rounded.last ?? leading) & 1 == 1) {
                var index = rounded.count - 1
                while index >= 0, rounded[index] == 15 {
                    rounded[index] = 0
                    index -= 1
                }
                if index >= 0 { rounded[index] += 1 } else { leading += 1 }
                if leading == 2 {
                    leading = 1
                    exponent += 1
                }
            }
            places = rounded
        } else if let precision {
            places += Array(repeating: 0, count: min(precision, 1_000_000) - 13)
        } else {
            while places.last == 0 { places.removeLast() }
        }
        let size = exponent.magnitude
        let text =
            "0x\(leading)" + (places.isEmpty ? "" : "." + places.map { digits[$0] }.joined())
            + "p" + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + String(size)
        return uppercase ? text.uppercased() : text
    }

    /// `strconv.ParseFloat`; nil when the text is no number. Numbers that are too large give infinity.
    static func parse(_ text: String) -> Double? {
        var body = Substring(text)
        if let first = body.utf8.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            body = body.dropFirst()
        }
        switch body.lowercased() {
        case "nan": return text.utf8.count == 3 ? .nan : nil
        case "inf", "infinity": return text.utf8.first == UInt8(ascii: "-") ? -.infinity : .infinity
        default: break
        }
        guard let first = body.utf8.first, (0x30...0x39).contains(first) || first == UInt8(ascii: ".") else {
            return nil
        }
        return Double(text) ?? Double(text.replacingEdgePoints)
    }
}

extension String {
    fileprivate var replacingPlus: String { hasPrefix("+") ? String(dropFirst()) : self }

    /// Swift wants a digit on both sides of a point, Go does not.
    fileprivate var replacingEdgePoints: String {
        var result = ""
        var previous: Unicode.Scalar = " "
        var pending = false
        for scalar in unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            if pending && !isDigit { result += "0" }
            pending = false
            if scalar == "." {
                if !("0"..."9").contains(previous) { result += "0" }
                pending = true
            }
            result.unicodeScalars.append(scalar)
            previous = scalar
        }
        return pending ? result + "0" : result
    }
}
