/// Cuts a template into tokens. A text that can't be cut ends in a `failure` token.
struct Lexer {
    private let source: [UInt8]
    private var position = 0
    private var tokens: [Token] = []
    private var parentheses = 0

    static func tokens(of source: String) -> [Token] {
        var lexer = Lexer(source: Array(source.utf8))
        lexer.run()
        return lexer.tokens
    }

    /// Whether there is anything but text.
    static func hasAction(_ text: String) -> Bool {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "{"), previous == byte { return true }
            previous = byte
        }
        return false
    }

    private init(source: [UInt8]) { self.source = source }

    private struct Stop: Error {}

    private mutating func run() {
        do {
            while try text() { try action() }
            add(.end, from: position)
        } catch {}
    }

    // MARK: Between actions

    /// Takes the text before the next action, and comments; false at the end of the template.
    private mutating func text() throws -> Bool {
        while let delimiter = find("{{", from: position) {
            let trims = hasTrimMarker(after: delimiter + 2)
            var end = delimiter
            if trims { while end > position, isSpace(source[end - 1]) { end -= 1 } }
            addText(upTo: end)
            position = delimiter + 2 + (trims ? 2 : 0)
            if matches("/*", at: position) {
                try comment()
                continue
            }
            add(.leftDelimiter, "{{", at: delimiter)
            parentheses = 0
            return true
        }
        addText(upTo: source.count)
        position = source.count
        return false
    }

    private mutating func addText(upTo end: Int) {
        if end > position { add(.text, String(decoding: source[position..<end], as: UTF8.self), at: position) }
    }

    private mutating func comment() throws {
        guard let close = find("*/", from: position + 2) else { try fail("unclosed comment") }
        var end = close + 2
        let trims = end + 1 < source.count && isSpace(source[end]) && source[end + 1] == UInt8(ascii: "-")
        if trims { end += 2 }
        guard matches("}}", at: end) else { try fail("comment ends before closing delimiter") }
        position = end + 2
        if trims { skipSpace() }
    }

    private func hasTrimMarker(after index: Int) -> Bool {
        index + 1 < source.count && source[index] == UInt8(ascii: "-") && isSpace(source[index + 1])
    }

    private mutating func skipSpace() {
        while position < source.count, isSpace(source[position]) { position += 1 }
    }

    // MARK: Inside an action

    private mutating func action() throws {
        while true {
            if let (length, trims) = rightDelimiter(at: position) {
                guard parentheses == 0 else { try fail("unclosed left paren") }
                add(.rightDelimiter, "}}", at: position)
                position += length
                if trims { skipSpace() }
                return
            }
            try token()
        }
    }

    private func rightDelimiter(at index: Int) -> (length: Int, trims: Bool)? {
        if index + 1 < source.count, isSpace(source[index]), source[index + 1] == UInt8(ascii: "-"),
            matches("}}", at: index + 2)
        {
            return (4, true)
        }
        return matches("}}", at: index) ? (2, false) : nil
    }

    private mutating func token() throws {
        let start = position
        guard position < source.count else { try fail("unclosed action") }
        let byte = source[position]
        switch byte {
        case _ where isSpace(byte):
            while position < source.count, isSpace(source[position]), rightDelimiter(at: position) == nil {
                position += 1
            }
            add(.space, from: start)
        case UInt8(ascii: "="): take(1, .assign)
        case UInt8(ascii: ":"):
            guard matches(":=", at: position) else { try fail("expected :=") }
            take(2, .declare)
        case UInt8(ascii: "|"): take(1, .pipe)
        case UInt8(ascii: "\""): try quoted(until: byte, .string, "unterminated quoted string")
        case UInt8(ascii: "'"): try quoted(until: byte, .characterConstant, "unterminated character constant")
        case UInt8(ascii: "`"):
            guard let close = find("`", from: position + 1) else { try fail("unterminated raw quoted string") }
            position = close + 1
            add(.rawString, from: start)
        case UInt8(ascii: "$"): try word(.variable)
        case UInt8(ascii: "."):
            if position + 1 < source.count, isDigit(source[position + 1]) { try number() } else { try word(.field) }
        case UInt8(ascii: "+"), UInt8(ascii: "-"): try number()
        case _ where isDigit(byte): try number()
        case UInt8(ascii: "("):
            parentheses += 1
            take(1, .leftParenthesis)
        case UInt8(ascii: ")"):
            parentheses -= 1
            guard parentheses >= 0 else { try fail("unexpected right paren") }
            take(1, .rightParenthesis)
        case _ where isWordByte(byte): try identifier()
        case 0x21...0x7E: take(1, .character)
        default: try fail("unrecognized character in action: \(printable(at: position))")
        }
    }

    private mutating func take(_ length: Int, _ kind: Token.Kind) {
        position += length
        add(kind, from: position - length)
    }

    private mutating func quoted(until quote: UInt8, _ kind: Token.Kind, _ problem: String) throws {
        let start = position
        position += 1
        while true {
            guard position < source.count, source[position] != UInt8(ascii: "\n") else { try fail(problem) }
            switch source[position] {
            case quote:
                position += 1
                return add(kind, from: start)
            case UInt8(ascii: "\\"):
                position += 1
                guard position < source.count, source[position] != UInt8(ascii: "\n") else { try fail(problem) }
                position += 1
            default: position += 1
            }
        }
    }

    /// A field or variable: its sign, then a word (which may be empty).
    private mutating func word(_ kind: Token.Kind) throws {
        let start = position
        position += 1
        while position < source.count, isWordByte(source[position]) { position += 1 }
        guard isAtTerminator else { try fail("bad character \(printable(at: position))") }
        add(kind == .field && position == start + 1 ? .dot : kind, from: start)
    }

    private mutating func identifier() throws {
        let start = position
        while position < source.count, isWordByte(source[position]) { position += 1 }
        guard isAtTerminator else { try fail("bad character \(printable(at: position))") }
        switch String(decoding: source[start..<position], as: UTF8.self) {
        case "true", "false": add(.boolean, from: start)
        case "nil": add(.nilLiteral, from: start)
        case let word: add(Keyword.all.contains(word) ? .keyword : .identifier, from: start)
        }
    }

    private mutating func number() throws {
        let start = position
        scanNumber()
        if position < source.count, source[position] == UInt8(ascii: "+") || source[position] == UInt8(ascii: "-") {
            // A complex number: 1+2i, without spaces.
            scanNumber()
            guard source[position - 1] == UInt8(ascii: "i") else { return try badNumber(start) }
        }
        if position < source.count, isWordByte(source[position]) || source[position] == UInt8(ascii: ".") {
            position += 1
            return try badNumber(start)
        }
        add(.number, from: start)
    }

    private mutating func badNumber(_ start: Int) throws {
        try fail("bad number syntax: \(GoText.quote(String(decoding: source[start..<position], as: UTF8.self)))")
    }

    private mutating func scanNumber() {
        if position < source.count, source[position] == UInt8(ascii: "+") || source[position] == UInt8(ascii: "-") {
            position += 1
        }
        var digits = "0123456789_"
        if position + 1 < source.count, source[position] == UInt8(ascii: "0") {
            switch source[position + 1] | 0x20 {
            case UInt8(ascii: "x"): digits = "0123456789abcdefABCDEF_"
            case UInt8(ascii: "o"): digits = "01234567_"
            case UInt8(ascii: "b"): digits = "01_"
            default: break
            }
            if digits.utf8.count != 11 { position += 2 }
        }
        let isHexadecimal = digits.utf8.count == 23
        skip(digits)
        if position < source.count, source[position] == UInt8(ascii: ".") {
            position += 1
            skip(digits)
        }
        if position < source.count, source[position] | 0x20 == UInt8(ascii: isHexadecimal ? "p" : "e") {
            position += 1
            if position < source.count, source[position] == UInt8(ascii: "+") || source[position] == UInt8(ascii: "-") {
                position += 1
            }
            skip("0123456789_")
        }
        if position < source.count, source[position] == UInt8(ascii: "i") { position += 1 }
    }

    private mutating func skip(_ digits: String) {
        while position < source.count, digits.utf8.contains(source[position]) { position += 1 }
    }

    // MARK: Helpers

    private var isAtTerminator: Bool {
        guard position < source.count else { return true }
        let byte = source[position]
        return isSpace(byte) || ".,|:)(".utf8.contains(byte) || matches("}}", at: position)
    }

    private mutating func fail(_ message: String) throws -> Never {
        add(.failure, message, at: position)
        throw Stop()
    }

    private mutating func add(_ kind: Token.Kind, from start: Int) {
        add(kind, String(decoding: source[start..<position], as: UTF8.self), at: start)
    }

    private mutating func add(_ kind: Token.Kind, _ text: String, at offset: Int) {
        tokens.append(Token(kind: kind, text: text, offset: offset))
    }

    private func find(_ text: String, from start: Int) -> Int? {
        guard start < source.count else { return nil }
        return (start..<source.count).first { source[$0] == text.utf8.first && matches(text, at: $0) }
    }

    private func matches(_ text: String, at index: Int) -> Bool {
        index >= 0 && index + text.utf8.count <= source.count && source[index...].starts(with: text.utf8)
    }

    private func printable(at index: Int) -> String {
        let text = String(decoding: source[min(index, source.count)..<min(index + 4, source.count)], as: UTF8.self)
        return text.unicodeScalars.first.map(GoText.unicodeNotation) ?? "end of template"
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    /// Letters outside of ASCII count as word characters; other signs there can't be told apart here and make a word
    /// that no function has.
    private func isWordByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || isDigit(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte >= 0x80
    }
}
