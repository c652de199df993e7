/// Cuts the strict matcher syntax into tokens. Columns count characters as Go's runes, from zero.
struct UTF8MatcherLexer {
    enum Kind: Hashable {
        case openBrace, closeBrace, comma, equal, notEqual, matches, notMatches, quoted, unquoted, end
    }

    struct Token {
        var kind: Kind
        var text: String
        var start: Int
        var end: Int
    }

    private let input: [Unicode.Scalar]
    private var start = 0
    private(set) var position = 0

    init(_ text: String) { input = Array(text.unicodeScalars) }

    /// The next token, left in place.
    func peek() throws(MatcherError) -> Token {
        var copy = self
        return try copy.next()
    }

    mutating func next() throws(MatcherError) -> Token {
        while position < input.count, isSpace(input[position]) { position += 1 }
        start = position
        guard let scalar = current else { return Token(kind: .end, text: "", start: start, end: position) }
        position += 1
        switch scalar {
        case "{": return token(.openBrace)
        case "}": return token(.closeBrace)
        case ",": return token(.comma)
        case "=":
            let kind: Kind = accept("~") ? .matches : .equal
            return token(kind)
        case "!": return try negation()
        case "\"": return try quotedToken()
        case _ where !isReserved(scalar):
            while let scalar = current, !isReserved(scalar) { position += 1 }
            return token(.unquoted)
        default:
            throw MatcherError(reason: "\(start):\(position): \(shown): invalid input")
        }
    }

    private mutating func negation() throws(MatcherError) -> Token {
        if accept("=") { return token(.notEqual) }
        if accept("~") { return token(.notMatches) }
        let found = position >= input.count ? "unexpected end of input, " : "\(shown): "
        throw MatcherError(reason: "\(start):\(position): \(found)expected one of '=~'")
    }

    private mutating func quotedToken() throws(MatcherError) -> Token {
        while let scalar = current {
            position += 1
            if scalar == "\"" { return token(.quoted) }
            if scalar == "\\", position < input.count { position += 1 }
        }
        throw MatcherError(reason: "\(start):\(position): \(shown): missing end \"")
    }

    private var current: Unicode.Scalar? { position < input.count ? input[position] : nil }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    private var shown: String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: input[start..<position])
        return String(text)
    }

    private func token(_ kind: Kind) -> Token { Token(kind: kind, text: shown, start: start, end: position) }
}

/// Characters that have to be quoted in names and values of the strict syntax.
func isReserved(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "{", "}", "!", "=", "~", ",", "\\", "\"", "'", "`": true
    default: isSpace(scalar)
    }
}

private func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }
