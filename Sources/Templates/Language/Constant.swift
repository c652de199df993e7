/// Go's literals.
enum Constant {
    struct Problem: Error {
        let message: String
    }

    // MARK: Strings

    /// The content of `"…"` or `` `…` ``.
    static func string(_ literal: String) throws(Problem) -> String {
        let bytes = Array(literal.utf8.dropFirst().dropLast())
        if literal.utf8.first == UInt8(ascii: "`") {
            return String(decoding: bytes.filter { $0 != 0x0D }, as: UTF8.self)
        }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\") {
                guard let escaped = escape(bytes, at: &index, quote: UInt8(ascii: "\"")) else {
                    throw Problem(message: "invalid syntax in string \(literal)")
                }
                result += escaped
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Reads one escape sequence and goes past it.
    private static func escape(_ bytes: [UInt8], at index: inout Int, quote: UInt8) -> [UInt8]? {
        guard index + 1 < bytes.count else { return nil }
        let sign = bytes[index + 1]
        index += 2
        func digits(_ count: Int, radix: Int) -> Int? {
            guard index + count <= bytes.count else { return nil }
            let text = bytes[index..<(index + count)]
            guard text.allSatisfy({ isHexDigit($0) }) else { return nil }
            index += count
            return Int(String(decoding: text, as: UTF8.self), radix: radix)
        }
        func scalar(_ value: Int?) -> [UInt8]? {
            value.flatMap { UInt32(exactly: $0) }.flatMap(Unicode.Scalar.init).map { Array(String($0).utf8) }
        }
        switch sign {
        case UInt8(ascii: "a"): return [0x07]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "v"): return [0x0B]
        case UInt8(ascii: "\\"), quote: return [sign]
        case UInt8(ascii: "x"): return digits(2, radix: 16).map { [UInt8($0)] }
        case UInt8(ascii: "u"): return scalar(digits(4, radix: 16))
        case UInt8(ascii: "U"): return scalar(digits(8, radix: 16))
        case 0x30...0x37:
            index -= 1
            return digits(3, radix: 8).flatMap { UInt8(exactly: $0) }.map { [$0] }
        default: return nil
        }
    }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
    }

    // MARK: Numbers

    static func number(_ literal: String) throws(Problem) -> Number {
        if literal.utf8.first == UInt8(ascii: "'") { return try character(literal) }
        if literal.utf8.last == UInt8(ascii: "i"), !literal.utf8.dropLast().isEmpty {
            return try complex(literal)
        }
        let plain = literal.filter { $0 != "_" }
        if let integer = integer(plain) { return Number(integer: integer, double: Double(integer), isDouble: false) }
        guard isFloat(plain), let double = FloatText.parse(plain), double.isFinite else {
            let isDigits = plain.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D }
            let isPrefixed = plain.utf8.count > 2 && !plain.utf8.contains(UInt8(ascii: "."))
            throw Problem(
                message: (isDigits && plain.utf8.count > 18 || isPrefixed
                    ? "integer overflow: " : "illegal number syntax: ")
                    + GoText.quote(literal))
        }
        // A float that is a whole number also serves where an integer is wanted.
        return Number(integer: Int(exactly: double), double: double, isDouble: true)
    }

    private static func isFloat(_ text: String) -> Bool {
        text.utf8.contains {
            $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") || $0 | 0x20 == UInt8(ascii: "p")
        }
    }

    private static func integer(_ text: String) -> Int? {
        var body = Substring(text)
        var isNegative = false
        if let first = body.utf8.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            isNegative = first == UInt8(ascii: "-")
            body = body.dropFirst()
        }
        var radix = 10
        if body.utf8.first == UInt8(ascii: "0"), body.utf8.count > 1 {
            switch body.dropFirst().first {
            case "x", "X": radix = 16
            case "o", "O": radix = 8
            case "b", "B": radix = 2
            default:
                radix = 8
                body = "0" + body
            }
            body = body.dropFirst(2)
        }
        guard let first = body.utf8.first, isHexDigit(first) else { return nil }
        return Int((isNegative ? "-" : "") + body, radix: radix)
    }

    private static func complex(_ literal: String) throws(Problem) -> Number {
        let body = String(literal.dropLast())
        let split = body.lastIndex { $0 == "+" || $0 == "-" }
        if let split, split > body.startIndex, let real = FloatText.parse(String(body[..<split])),
            let imaginary = FloatText.parse(String(body[split...]))
        {
            return Number(integer: nil, double: real, imaginary: imaginary, isDouble: false)
        }
        guard let imaginary = FloatText.parse(body) else {
            throw Problem(message: "illegal number syntax: \(GoText.quote(literal))")
        }
        return Number(integer: nil, double: 0, imaginary: imaginary, isDouble: false)
    }

    private static func character(_ literal: String) throws(Problem) -> Number {
        let bytes = Array(literal.utf8.dropFirst().dropLast())
        var scalar: Unicode.Scalar?
        var index = 0
        if bytes.first == UInt8(ascii: "\\") {
            if let escaped = escape(bytes, at: &index, quote: UInt8(ascii: "'")), index == bytes.count {
                scalar =
                    escaped.count == 1
                    ? Unicode.Scalar(escaped[0]) : String(decoding: escaped, as: UTF8.self).unicodeScalars.first
            }
        } else {
            let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
            if scalars.count == 1 { scalar = scalars.first }
        }
        guard let scalar else { throw Problem(message: "malformed character constant: \(literal)") }
        return Number(integer: Int(scalar.value), double: Double(scalar.value), isDouble: false)
    }
}
