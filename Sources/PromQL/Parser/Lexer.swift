import Streams

/// Cuts an expression into tokens. What a character means depends on the brackets around it, so the lexer keeps track of
/// them, as Prometheus's does.
struct Lexer {
    let bytes: [UInt8]
    var position: Int
    /// Where the token being read began.
    var start: Int

    private var parenthesisDepth = 0
    private var braceIsOpen = false
    private var bracketIsOpen = false
    /// Right after `[`, before the first number: arithmetic on durations.
    private var isInDurationExpression = false
    private var sawColon = false
    private var sawDuration = false

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
        start = position
    }

    /// The next token; comments and blanks are skipped. At the end of the text it is `endOfInput`, again and again.
    mutating func next() throws(Problem) -> Token {
        while true {
            start = position
            guard let byte = peekByte() else { return try atEnd() }
            if isSpace(byte) {
                position += 1
            } else if byte == UInt8(ascii: "#"), !isInDurationExpression {
                skipComment()
            } else if braceIsOpen {
                return try insideBraces(byte)
            } else if isInDurationExpression {
                return try durationExpression(byte)
            } else {
                return try statement(byte)
            }
        }
    }

    private func atEnd() throws(Problem) -> Token {
        if braceIsOpen { throw failure(.syntax, "unexpected end of input inside braces") }
        if isInDurationExpression { throw failure(.duration, "unexpected end of input in duration expression") }
        if parenthesisDepth != 0 { throw failure(.syntax, "unclosed left parenthesis") }
        if bracketIsOpen { throw failure(.syntax, "unclosed left bracket") }
        return token(.endOfInput)
    }

    private mutating func skipComment() {
        while let byte = peekByte(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { position += 1 }
    }

    // MARK: - Outside of braces

    private mutating func statement(_ byte: UInt8) throws(Problem) -> Token {
        switch byte {
        case UInt8(ascii: ","): return take(.comma)
        case UInt8(ascii: "*"): return take(.binary(.multiply))
        case UInt8(ascii: "/"): return take(.binary(.divide))
        case UInt8(ascii: "%"): return take(.binary(.modulo))
        case UInt8(ascii: "+"): return take(.binary(.add))
        case UInt8(ascii: "-"): return take(.binary(.subtract))
        case UInt8(ascii: "^"): return take(.binary(.power))
        case UInt8(ascii: "@"): return take(.at)
        case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"): return try comparison(byte)
        case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
        case UInt8(ascii: "["), UInt8(ascii: "]"): return try bracket(byte)
        case UInt8(ascii: "{"):
            braceIsOpen = true
            return take(.leftBrace)
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string(byte)
        case _ where isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(peekByte(1))):
            return try numberOrDuration()
        case _ where isAlpha(byte) || byte == UInt8(ascii: ":"):
            return bracketIsOpen ? try wordInBrackets(byte) : word()
        default: throw failure(.lexical, "unexpected character: \(quotedCharacter())")
        }
    }

    private mutating func comparison(_ byte: UInt8) throws(Problem) -> Token {
        let next = peekByte(1)
        switch (byte, next) {
        case (UInt8(ascii: "="), UInt8(ascii: "=")): return take(.binary(.equal), 2)
        case (UInt8(ascii: "!"), UInt8(ascii: "=")): return take(.binary(.notEqual), 2)
        case (UInt8(ascii: "<"), UInt8(ascii: "=")): return take(.binary(.lessOrEqual), 2)
        case (UInt8(ascii: "<"), UInt8(ascii: "/")): return take(.binary(.trimUpper), 2)
        case (UInt8(ascii: "<"), _): return take(.binary(.less))
        case (UInt8(ascii: ">"), UInt8(ascii: "=")): return take(.binary(.greaterOrEqual), 2)
        case (UInt8(ascii: ">"), UInt8(ascii: "/")): return take(.binary(.trimLower), 2)
        case (UInt8(ascii: ">"), _): return take(.binary(.greater))
        case (UInt8(ascii: "="), UInt8(ascii: "~")):
            throw failure(.lexical, "unexpected character after '=': '~'")
        case (UInt8(ascii: "="), _): return take(.equal)
        default: throw failure(.lexical, "unexpected character after '!': \(quotedCharacter(1))")
        }
    }

    private mutating func parenthesis(_ byte: UInt8) throws(Problem) -> Token {
        if byte == UInt8(ascii: "(") {
            parenthesisDepth += 1
            return take(.leftParenthesis)
        }
        parenthesisDepth -= 1
        if parenthesisDepth < 0 {
            start += 1
            throw failure(.syntax, "unexpected right parenthesis ')'")
        }
        return take(.rightParenthesis)
    }

    private mutating func bracket(_ byte: UInt8) throws(Problem) -> Token {
        if byte == UInt8(ascii: "[") {
            if bracketIsOpen { throw failure(.syntax, "unexpected left bracket '['") }
            bracketIsOpen = true
            isInDurationExpression = true
            sawColon = false
            return take(.leftBracket)
        }
        if !bracketIsOpen { throw failure(.syntax, "unexpected right bracket ']'") }
        bracketIsOpen = false
        return take(.rightBracket)
    }

    private mutating func wordInBrackets(_ byte: UInt8) throws(Problem) -> Token {
        if byte == UInt8(ascii: ":") {
            if sawColon { throw failure(.syntax, "unexpected colon ':'") }
            sawColon = true
            return take(.colon)
        }
        if let token = durationWord() { return token }
        throw failure(.lexical, "unexpected character: \(quotedCharacter()), expected ':'")
    }

    private mutating func word() -> Token {
        while let byte = peekByte(), isAlphanumeric(byte) || byte == UInt8(ascii: ":") { position += 1 }
        let word = lowercasedText
        guard let kind = Token.words[word] else {
            return token(word.utf8.contains(UInt8(ascii: ":")) ? .metricIdentifier : .identifier)
        }
        // So that metrics may bear these names, they are modifiers only before a parenthesis.
        let isFill = kind == .keyword(.fill) || kind == .keyword(.fillLeft) || kind == .keyword(.fillRight)
        return token(isFill && !isBeforeParenthesis ? .identifier : kind)
    }

    private var isBeforeParenthesis: Bool {
        var index = position
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
        return index < bytes.count && bytes[index] == UInt8(ascii: "(")
    }

    // MARK: - Right after a bracket

    private mutating func durationExpression(_ byte: UInt8) throws(Problem) -> Token {
        switch byte {
        case UInt8(ascii: "]"):
            isInDurationExpression = false
            bracketIsOpen = false
            return take(.rightBracket)
        case UInt8(ascii: ":"):
            start += 1
            if !sawDuration {
                throw failure(.duration, "unexpected colon before duration in duration expression")
            }
            if sawColon { throw failure(.duration, "unexpected repeated colon in duration expression") }
            start -= 1
            sawColon = true
            return take(.colon)
        case UInt8(ascii: "("), UInt8(ascii: ")"): return try parenthesis(byte)
        case UInt8(ascii: "+"): return take(.binary(.add))
        case UInt8(ascii: "-"): return take(.binary(.subtract))
        case UInt8(ascii: "*"): return take(.binary(.multiply))
        case UInt8(ascii: "/"): return take(.binary(.divide))
        case UInt8(ascii: "%"): return take(.binary(.modulo))
        case UInt8(ascii: "^"): return take(.binary(.power))
        case UInt8(ascii: ","): return take(.comma)
        case _ where isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(peekByte(1))):
            sawDuration = true
            isInDurationExpression = false
            return try numberOrDuration()
        default:
            if let token = durationWord() { return token }
            throw failure(.lexical, "unexpected character in duration expression: \(quotedCharacter())")
        }
    }

    /// `step`, `range`, `max_of` or `min_of`; nil, and nothing taken, where there is another word.
    private mutating func durationWord() -> Token? {
        while let byte = peekByte(), isAlpha(byte) { position += 1 }
        switch Token.words[lowercasedText] {
        case .preprocessor(let word) where word != .start && word != .end: return token(.preprocessor(word))
        default:
            position = start
            return nil
        }
    }

    // MARK: - Inside of braces

    private mutating func insideBraces(_ byte: UInt8) throws(Problem) -> Token {
        let next = peekByte(1)
        switch (byte, next) {
        case (UInt8(ascii: ","), _): return take(.comma)
        case (UInt8(ascii: "="), UInt8(ascii: "~")): return take(.matches, 2)
        case (UInt8(ascii: "="), _): return take(.equal)
        case (UInt8(ascii: "!"), UInt8(ascii: "~")): return take(.notMatches, 2)
        case (UInt8(ascii: "!"), UInt8(ascii: "=")): return take(.binary(.notEqual), 2)
        case (UInt8(ascii: "!"), _):
            throw failure(.lexical, "unexpected character after '!' inside braces: \(quotedCharacter(1))")
        case (UInt8(ascii: "\""), _), (UInt8(ascii: "'"), _), (UInt8(ascii: "`"), _): return try string(byte)
        case (UInt8(ascii: "}"), _):
            braceIsOpen = false
            return take(.rightBrace)
        case (UInt8(ascii: "{"), _): throw failure(.syntax, "unexpected left brace '{'")
        case _ where isAlpha(byte):
            while let byte = peekByte(), isAlphanumeric(byte) { position += 1 }
            return token(.identifier)
        default: throw failure(.lexical, "unexpected character inside braces: \(quotedCharacter())")
        }
    }

    // MARK: - Building blocks

    func peekByte(_ ahead: Int = 0) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private mutating func take(_ kind: Token.Kind, _ count: Int = 1) -> Token {
        position += count
        return token(kind)
    }

    /// The token from `start` to `position`.
    func token(_ kind: Token.Kind) -> Token { Token(kind: kind, text: text, place: Place(start, position)) }

    var text: String { String(decoding: bytes[start..<position], as: UTF8.self) }

    private var lowercasedText: String {
        String(decoding: bytes[start..<position].map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// A token that cannot be read ends the text: its place reaches from its beginning to the end of all.
    func failure(_ category: ParseError.Category, _ message: String) -> Problem {
        Problem(category, Place(start, bytes.count), message)
    }

    /// The character there in single quotes, as Go prints a rune.
    private func quotedCharacter(_ ahead: Int = 0) -> String {
        guard position + ahead < bytes.count else { return "'\u{FFFD}'" }
        let rest = String(decoding: bytes[(position + ahead)...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "''" }
        if scalar == "'" { return "'\\''" }
        if scalar == "\"" { return "'\"'" }
        return "'\(quoted(String(scalar)).dropFirst().dropLast())'"
    }
}

func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

/// A letter or an underscore.
func isAlpha(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
        || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
}

func isAlphanumeric(_ byte: UInt8) -> Bool { isAlpha(byte) || isDigit(byte) }
