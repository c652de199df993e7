import Streams

/// The strict reader of Alertmanager: one grammar, braces in pairs, names and values in UTF-8.
struct UTF8MatcherReader {
    private var lexer: UTF8MatcherLexer
    private var matchers: [Matcher] = []
    private var hasOpenBrace = false

    static func list(_ text: String) throws(MatcherError) -> [Matcher] {
        var reader = UTF8MatcherReader(lexer: UTF8MatcherLexer(text))
        try reader.readAll()
        return reader.matchers
    }

    private init(lexer: UTF8MatcherLexer) { self.lexer = lexer }

    private mutating func readAll() throws(MatcherError) {
        let first = try lexer.peek()
        if first.kind == .openBrace {
            hasOpenBrace = true
            _ = try lexer.next()
        } else if first.kind == .end {
            return
        }
        var hasMore = ![.closeBrace, .end].contains(try lexer.peek().kind)
        while hasMore {
            matchers.append(try readMatcher())
            hasMore = try readComma()
        }
        try readCloseBrace()
        try readEnd()
    }

    private mutating func readMatcher() throws(MatcherError) -> Matcher {
        let name = try unquoted(expect([.quoted, .unquoted], "expected label name"))
        let op: Matcher.Operator =
            switch try expect(
                [.equal, .notEqual, .matches, .notMatches], "expected an operator such as '=', '!=', '=~' or '!~'"
            ).kind {
            case .notEqual: .notEqual
            case .matches: .matches
            case .notMatches: .notMatches
            default: .equal
            }
        let value = try unquoted(expect([.quoted, .unquoted], "expected label value"))
        do { return try Matcher(name, op, value) } catch {
            throw MatcherError(reason: "failed to create matcher: \(MatcherError(error))")
        }
    }

    /// Whether another matcher follows.
    private mutating func readComma() throws(MatcherError) -> Bool {
        guard try peek(orEnd: [.comma, .closeBrace], "expected a comma or close brace") == .comma else { return false }
        _ = try lexer.next()
        let following = try peek(
            orEnd: [.closeBrace, .quoted, .unquoted], "expected a matcher or close brace after comma")
        return following == .quoted || following == .unquoted
    }

    private mutating func readCloseBrace() throws(MatcherError) {
        let token = try lexer.peek()
        if hasOpenBrace {
            guard token.kind == .closeBrace else {
                let problem =
                    token.kind == .end ? "end of input" : "\(token.start):\(token.end): unexpected \(token.text)"
                throw MatcherError(reason: "0:\(lexer.position): \(problem): expected close brace")
            }
            _ = try lexer.next()
        } else if token.kind == .closeBrace {
            throw MatcherError(reason: "0:\(token.end): }: expected opening brace")
        }
    }

    private mutating func readEnd() throws(MatcherError) {
        let hint = "expected end of input"
        let token: UTF8MatcherLexer.Token
        do { token = try lexer.next() } catch { throw MatcherError(reason: "\(error): \(hint)") }
        guard token.kind == .end else {
            throw MatcherError(reason: "\(token.start):\(token.end): \(token.text): \(hint)")
        }
    }

    private mutating func expect(
        _ kinds: Set<UTF8MatcherLexer.Kind>, _ hint: String
    ) throws(MatcherError) -> UTF8MatcherLexer.Token {
        let token: UTF8MatcherLexer.Token
        do { token = try lexer.next() } catch { throw MatcherError(reason: "\(error): \(hint)") }
        guard kinds.contains(token.kind) else { throw unexpected(token, hint) }
        return token
    }

    private func peek(
        orEnd kinds: Set<UTF8MatcherLexer.Kind>, _ hint: String
    ) throws(MatcherError) -> UTF8MatcherLexer.Kind {
        let token: UTF8MatcherLexer.Token
        do { token = try lexer.peek() } catch { throw MatcherError(reason: "\(error): \(hint)") }
        guard token.kind == .end || kinds.contains(token.kind) else { throw unexpected(token, hint) }
        return token.kind
    }

    private func unexpected(_ token: UTF8MatcherLexer.Token, _ hint: String) -> MatcherError {
        if token.kind == .end { return MatcherError(reason: "end of input: \(hint)") }
        return MatcherError(reason: "\(token.start):\(token.end): unexpected \(token.text): \(hint)")
    }

    private func unquoted(_ token: UTF8MatcherLexer.Token) throws(MatcherError) -> String {
        guard token.kind == .quoted else { return token.text }
        guard let text = GoString.unquoted(token.text) else {
            throw MatcherError(reason: "\(token.start):\(token.end): \(token.text): invalid input")
        }
        return text
    }
}
