/// Strings as Go writes them in source and in URLs.
enum GoText {
    /// `strconv.Quote`; with `ascii`, `QuoteToASCII`.
    static func quote(_ text: String, ascii: Bool = false, with mark: Unicode.Scalar = "\"") -> String {
        var result = String(mark)
        for scalar in text.unicodeScalars { append(scalar, to: &result, ascii: ascii, mark: mark) }
        result.unicodeScalars.append(mark)
        return result
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String, ascii: Bool, mark: Unicode.Scalar) {
        switch scalar {
        case mark, "\\":
            result += "\\"
            result.unicodeScalars.append(scalar)
        case "\u{07}": result += "\\a"
        case "\u{08}": result += "\\b"
        case "\u{0C}": result += "\\f"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0B}": result += "\\v"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "\\x" + hexadecimal(scalar.value, width: 2)
        case _ where (scalar.isASCII || !ascii) && isPrintable(scalar): result.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x10000: result += "\\u" + hexadecimal(scalar.value, width: 4)
        default: result += "\\U" + hexadecimal(scalar.value, width: 8)
        }
    }

    /// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the plain space.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    static func hexadecimal(_ value: some BinaryInteger, width: Int, uppercase: Bool = false) -> String {
        let digits = String(value, radix: 16, uppercase: uppercase)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// `U+0041 'A'`
    static func unicodeNotation(_ scalar: Unicode.Scalar) -> String {
        let code = "U+" + hexadecimal(scalar.value, width: 4, uppercase: true)
        return isPrintable(scalar) ? "\(code) '\(scalar)'" : code
    }

    /// `url.QueryEscape`
    static func queryEscaped(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            case 0x20: result.append(UInt8(ascii: "+"))
            default: result += Array("%".utf8) + Array(hexadecimal(byte, width: 2, uppercase: true).utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `url.QueryUnescape`
    static func queryUnescaped(_ text: String) throws -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "%"):
                let end = min(index + 3, bytes.count)
                guard end - index == 3, bytes[(index + 1)..<end].allSatisfy(Constant.isHexDigit),
                    let byte = UInt8(String(decoding: bytes[(index + 1)..<end], as: UTF8.self), radix: 16)
                else {
                    throw CallFailure(
                        "invalid URL escape \(quote(String(decoding: bytes[index..<end], as: UTF8.self)))")
                }
                result.append(byte)
                index += 3
            case UInt8(ascii: "+"):
                result.append(0x20)
                index += 1
            case let byte:
                result.append(byte)
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Takes white space (Unicode's) off both ends.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
