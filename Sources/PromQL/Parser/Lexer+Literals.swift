import Streams

extension Lexer {
    // MARK: - Numbers and durations

    mutating func numberOrDuration() throws(Problem) -> Token {
        if scanNumber() { return token(.number) }
        if scanRestOfDuration() { return token(.duration) }
        throw failure(.lexical, "bad number or duration syntax: \(quoted(text))")
    }

    /// Takes what looks like a number; whether it is one shows when it is read. When the answer is false, what was taken
    /// may be the beginning of a duration.
    /// - Parameter inSeries: in series notation an `x` may follow, so there are no hexadecimal numbers.
    mutating func scanNumber(inSeries: Bool = false) -> Bool {
        let began = position
        var isHexadecimal = false
        if !inSeries, accept("0"), accept("xX") {
            _ = accept("_")
            isHexadecimal = true
        }
        let digits: StaticString = isHexadecimal ? "0123456789abcdefABCDEF" : "0123456789"
        _ = accept(".")
        _ = accept(digits)
        var sawPoint = false
        var sawExponent = false
        while let byte = peekByte(), contains(digits, byte) || contains("._eE", byte) {
            if byte == UInt8(ascii: "."), sawPoint || isHexadecimal {
                position += 1
                return false
            }
            if contains("eE", byte), sawExponent {
                position += 1
                return false
            }
            if accept(".") {
                sawPoint = true
                if accept("_.") { return false }
            } else if accept("eE") {
                sawExponent = true
                _ = accept("+-")
                if accept("._eE") || peekByte() == nil { return false }
            } else if accept("_") {
                if accept("._eE") || peekByte() == nil { return false }
            } else {
                while accept(digits) {}
            }
        }
        guard position > began else { return false }
        guard let next = peekByte() else { return true }
        return !isAlphanumeric(next) || (inSeries && next == UInt8(ascii: "x"))
    }

    private mutating func scanRestOfDuration() -> Bool {
        guard accept("smhdwy") else { return false }
        _ = accept("s")
        while accept("0123456789") {
            while accept("0123456789") {}
            guard accept("smhdw") else { return false }
            _ = accept("s")
        }
        guard let next = peekByte(), isAlphanumeric(next) else { return true }
        position += 1
        return false
    }

    private mutating func accept(_ set: StaticString) -> Bool {
        guard let byte = peekByte(), contains(set, byte) else { return false }
        position += 1
        return true
    }

    private func contains(_ set: StaticString, _ byte: UInt8) -> Bool {
        set.withUTF8Buffer { $0.contains(byte) }
    }

    // MARK: - Strings

    /// Takes a string with its quotes, and checks its escapes.
    mutating func string(_ quote: UInt8) throws(Problem) -> Token {
        position += 1
        let isRaw = quote == UInt8(ascii: "`")
        while let byte = peekByte() {
            position += 1
            switch byte {
            case quote: return token(.string)
            case UInt8(ascii: "\\") where !isRaw: try escape(quote)
            case UInt8(ascii: "\n") where !isRaw: throw failure(.lexical, "unterminated quoted string")
            case 0xEF where peekByte() == 0xBF && peekByte(1) == 0xBD:
                throw failure(.lexical, "invalid UTF-8 rune")
            default: break
            }
        }
        throw failure(.lexical, isRaw ? "unterminated raw string" : "unterminated quoted string")
    }

    private mutating func escape(_ quote: UInt8) throws(Problem) {
        guard let byte = peekByte() else { throw failure(.lexical, "escape sequence not terminated") }
        let length: Int
        let radix: UInt32
        let maximum: UInt32
        switch byte {
        case quote, UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "t"), UInt8(ascii: "v"), UInt8(ascii: "\\"):
            position += 1
            return
        case UInt8(ascii: "0")...UInt8(ascii: "7"): (length, radix, maximum) = (3, 8, 255)
        case UInt8(ascii: "x"): (length, radix, maximum) = (2, 16, 255)
        case UInt8(ascii: "u"): (length, radix, maximum) = (4, 16, 0x10_FFFF)
        case UInt8(ascii: "U"): (length, radix, maximum) = (8, 16, 0x10_FFFF)
        default: throw failure(.lexical, "unknown escape sequence \(namedCharacter)")
        }
        if radix == 16 { position += 1 }
        var value: UInt32 = 0
        for _ in 0..<length {
            guard let byte = peekByte() else { throw failure(.lexical, "escape sequence not terminated") }
            guard let digit = hexadecimalDigit(byte), digit < radix else {
                throw failure(.lexical, "illegal character \(namedCharacter) in escape sequence")
            }
            value = value &* radix &+ digit
            position += 1
        }
        if value > maximum || (0xD800..<0xE000).contains(value) {
            throw failure(.lexical, "escape sequence is an invalid Unicode code point")
        }
    }

    /// `U+0071 'q'`
    private var namedCharacter: String {
        let rest = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "" }
        let code = String(scalar.value, radix: 16, uppercase: true)
        let name = "U+" + String(repeating: "0", count: max(0, 4 - code.count)) + code
        let isEscaped = quoted(String(scalar)).dropFirst().hasPrefix("\\") && scalar != "\"" && scalar != "\\"
        return isEscaped ? name : "\(name) '\(scalar)'"
    }
}

func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
}
