/// Go's interpreted string literals, read (`strconv.Unquote`); `quoted` in Streams writes them.
package enum GoString {
    /// The text of a literal in double quotes; nil where Go would not take it, or where it is not UTF-8.
    package static func unquoted(_ literal: String) -> String? {
        let bytes = Array(literal.utf8)
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") else { return nil }
        var rest = bytes[1..<(bytes.count - 1)]
        var result: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\""): return nil
            case UInt8(ascii: "\\"):
                guard let escaped = readEscape(&rest) else { return nil }
                result += escaped
            default: result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }

    private static func readEscape(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard let letter = rest.popFirst() else { return nil }
        switch letter {
        case UInt8(ascii: "a"): return [0x07]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "v"): return [0x0B]
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return [letter]
        case UInt8(ascii: "x"): return readNumber(&rest, digits: 2, radix: 16).map { [UInt8(truncatingIfNeeded: $0)] }
        case UInt8(ascii: "u"): return readScalar(&rest, digits: 4)
        case UInt8(ascii: "U"): return readScalar(&rest, digits: 8)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            guard let low = readNumber(&rest, digits: 2, radix: 8) else { return nil }
            let value = UInt32(letter - UInt8(ascii: "0")) * 64 + low
            return value > 255 ? nil : [UInt8(value)]
        default: return nil
        }
    }

    private static func readScalar(_ rest: inout ArraySlice<UInt8>, digits: Int) -> [UInt8]? {
        guard let value = readNumber(&rest, digits: digits, radix: 16), let scalar = Unicode.Scalar(value) else {
            return nil
        }
        return Array(String(Character(scalar)).utf8)
    }

    private static func readNumber(_ rest: inout ArraySlice<UInt8>, digits: Int, radix: Int) -> UInt32? {
        guard rest.count >= digits else { return nil }
        let text = rest.prefix(digits)
        rest = rest.dropFirst(digits)
        guard text.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return UInt32(String(decoding: text, as: UTF8.self), radix: radix)
    }
}
