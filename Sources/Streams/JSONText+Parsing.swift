extension JSONValue {
    /// Why a text is no JSON, and the byte at which that shows.
    package struct SyntaxError: Error, Sendable, Equatable {
        package let offset: Int
    }

    /// Reads a document (RFC 8259). Numbers without fraction and exponent that fit are integers, others keep their text.
    /// - Throws: for anything else than one document, or one nested deeper than 128.
    package init(parsing text: some Sequence<UInt8>) throws(SyntaxError) {
        var reader = Reader(Array(text))
        self = try reader.document()
    }

    /// The member of an object; of members with the same name the last.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var items: [JSONValue]? { if case .array(let items) = self { items } else { nil } }

    private struct Reader {
        private static let depthMax = 128
        private let bytes: [UInt8]
        private var place = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        private var failure: SyntaxError { SyntaxError(offset: place) }

        mutating func document() throws(SyntaxError) -> JSONValue {
            let value = try value(depth: 0)
            skipSpace()
            guard place == bytes.count else { throw failure }
            return value
        }

        private mutating func skipSpace() {
            while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        }

        private mutating func take(_ byte: Character) -> Bool {
            skipSpace()
            guard place < bytes.count, bytes[place] == byte.asciiValue else { return false }
            place += 1
            return true
        }

        private mutating func value(depth: Int) throws(SyntaxError) -> JSONValue {
            guard depth < Self.depthMax else { throw failure }
            skipSpace()
            guard place < bytes.count else { throw failure }
            switch bytes[place] {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try array(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return try number()
            }
        }

        private mutating func word(_ word: String, _ value: JSONValue) throws(SyntaxError) -> JSONValue {
            guard bytes[place...].starts(with: word.utf8) else { throw failure }
            place += word.utf8.count
            return value
        }

        private mutating func object(depth: Int) throws(SyntaxError) -> JSONValue {
            place += 1
            var members: [Member] = []
            if take("}") { return .object(members) }
            repeat {
                skipSpace()
                guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { throw failure }
                let name = try string()
                guard take(":") else { throw failure }
                members.append(Member(name, try value(depth: depth + 1)))
            } while take(",")
            guard take("}") else { throw failure }
            return .object(members)
        }

        private mutating func array(depth: Int) throws(SyntaxError) -> JSONValue {
            place += 1
            var items: [JSONValue] = []
            if take("]") { return .array(items) }
            repeat { items.append(try value(depth: depth + 1)) } while take(",")
            guard take("]") else { throw failure }
            return .array(items)
        }

        private mutating func number() throws(SyntaxError) -> JSONValue {
            let start = place
            _ = skip("-")
            // No digit follows a leading zero.
            if !skip("0") { try skipDigits() }
            var isInteger = true
            if skip(".") {
                isInteger = false
                try skipDigits()
            }
            if skip("e") || skip("E") {
                isInteger = false
                if !skip("+") { _ = skip("-") }
                try skipDigits()
            }
            let text = String(decoding: bytes[start..<place], as: UTF8.self)
            // The sign of a zero would be lost in an integer.
            if isInteger, text != "-0", let integer = Int64(text) { return .integer(integer) }
            return .number(text)
        }

        private mutating func skip(_ byte: Character) -> Bool {
            guard place < bytes.count, bytes[place] == byte.asciiValue else { return false }
            place += 1
            return true
        }

        private mutating func skipDigits() throws(SyntaxError) {
            let start = place
            while place < bytes.count, bytes[place] >= 0x30, bytes[place] <= 0x39 { place += 1 }
            guard place > start else { throw failure }
        }

        private mutating func string() throws(SyntaxError) -> String {
            place += 1
            var result: [UInt8] = []
            while place < bytes.count {
                let byte = bytes[place]
                place += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let text = String(validating: result, as: UTF8.self) else { throw failure }
                    return text
                case UInt8(ascii: "\\"): try escape(into: &result)
                case 0..<0x20: throw failure
                default: result.append(byte)
                }
            }
            throw failure
        }

        private mutating func escape(into result: inout [UInt8]) throws(SyntaxError) {
            guard place < bytes.count else { throw failure }
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
            case UInt8(ascii: "u"):
                var code = try hexadecimal()
                if (0xD800..<0xDC00).contains(code), bytes[place...].starts(with: "\\u".utf8) {
                    place += 2
                    let low = try hexadecimal()
                    guard (0xDC00..<0xE000).contains(low) else { throw failure }
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw failure }
                result += String(Character(scalar)).utf8
            default: throw failure
            }
        }

        private mutating func hexadecimal() throws(SyntaxError) -> UInt32 {
            guard place + 4 <= bytes.count else { throw failure }
            var code: UInt32 = 0
            for byte in bytes[place..<place + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { throw failure }
                code = code << 4 | UInt32(digit)
            }
            place += 4
            return code
        }
    }
}
