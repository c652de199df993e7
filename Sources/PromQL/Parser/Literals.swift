import Streams

/// Reads the tokens that stand for values.
enum Literal {
    /// The number of a `number` token: decimal, hexadecimal, octal (with a leading zero), `_` between digits, `Inf`, `NaN`.
    static func number(_ token: Token) throws(Problem) -> Double {
        switch parse(token.text) {
        case .value(let value): return value
        case .outOfRange: throw numberProblem(token, "value out of range")
        case .invalid: throw numberProblem(token, "invalid syntax")
        }
    }

    private static func numberProblem(_ token: Token, _ reason: String) -> Problem {
        Problem(
            .lexical, token.place,
            "error parsing number: strconv.ParseFloat: parsing \(quoted(token.text)): \(reason)")
    }

    private enum Parsed {
        case value(Double)
        case outOfRange, invalid
    }

    private static func parse(_ text: String) -> Parsed {
        let plain = text.utf8.contains(UInt8(ascii: "_")) ? text.filter { $0 != "_" } : text
        let lowercased = plain.lowercased()
        if lowercased.hasPrefix("0x") {
            guard let value = Int64(plain.dropFirst(2), radix: 16) else { return .invalid }
            return .value(Double(value))
        }
        if plain.hasPrefix("0"), plain.utf8.count > 1, let octal = Int64(plain, radix: 8) {
            return .value(Double(octal))
        }
        if lowercased == "nan" { return .value(.nan) }
        if lowercased == "inf" { return .value(.infinity) }
        guard let value = Double(plain) else { return .invalid }
        return value.isInfinite ? .outOfRange : .value(value)
    }

    /// The seconds of a `duration` token.
    static func seconds(_ token: Token) throws(Problem) -> Double {
        let duration: Duration
        do throws(Duration.TextError) {
            duration = try Duration.parse(prometheus: token.text)
        } catch {
            throw Problem(.duration, token.place, durationMessage(error))
        }
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds / 1_000_000_000) / 1e9
    }

    private static func durationMessage(_ error: Duration.TextError) -> String {
        if error.isTooLong { return "duration out of range" }
        let units = error.text.utf8.split { isDigit($0) }.compactMap { String($0) }
        guard let unknown = units.first(where: { !["y", "w", "d", "h", "m", "s", "ms"].contains($0) }) else {
            return "not a valid duration string: \(quoted(error.text))"
        }
        return "unknown unit \(quoted(unknown)) in duration \(quoted(error.text))"
    }

    /// What a `string` token says: without quotes, escapes resolved. A byte that makes no UTF-8 is kept as the scalar
    /// that `invalidByteBase` names.
    static func string(_ token: Token) -> String {
        let bytes = Array(token.text.utf8)
        guard bytes.count >= 2 else { return "" }
        let inner = bytes[1..<(bytes.count - 1)]
        if bytes[0] == UInt8(ascii: "`") || !inner.contains(UInt8(ascii: "\\")) {
            return String(decoding: inner, as: UTF8.self)
        }
        var result: [UInt8] = []
        var index = inner.startIndex
        while index < inner.endIndex {
            let byte = inner[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < inner.endIndex else {
                result.append(byte)
                continue
            }
            let kind = inner[index]
            index += 1
            switch kind {
            case UInt8(ascii: "a"): result.append(0x07)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "v"): result.append(0x0B)
            case UInt8(ascii: "x"): result.append(UInt8(truncatingIfNeeded: code(inner, &index, 2, 16)))
            case UInt8(ascii: "u"): result += utf8(code(inner, &index, 4, 16))
            case UInt8(ascii: "U"): result += utf8(code(inner, &index, 8, 16))
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                index -= 1
                result.append(UInt8(truncatingIfNeeded: code(inner, &index, 3, 8)))
            default: result.append(kind)
            }
        }
        return decoded(result)
    }

    private static func code(_ bytes: ArraySlice<UInt8>, _ index: inout Int, _ count: Int, _ radix: UInt32) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count where index < bytes.endIndex {
            value = value &* radix &+ (hexadecimalDigit(bytes[index]) ?? 0)
            index += 1
        }
        return value
    }

    private static func utf8(_ code: UInt32) -> [UInt8] {
        Array(String(Unicode.Scalar(code).map(Character.init) ?? "\u{FFFD}").utf8)
    }

    private static func decoded(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var result = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1
            if let text = String(validating: rest.prefix(length), as: UTF8.self), !text.isEmpty {
                result.append(contentsOf: text.unicodeScalars)
                rest = rest.dropFirst(length)
            } else {
                result.append(Unicode.Scalar(invalidByteBase + UInt32(first)) ?? "\u{FFFD}")
                rest = rest.dropFirst()
            }
        }
        return String(result)
    }
}
