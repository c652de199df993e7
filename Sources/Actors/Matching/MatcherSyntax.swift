package import Streams

/// How matchers are written in Alertmanager's files, API and tool: `severity="page"`, `{a=b, c=~"d.*"}`.
///
/// Two readers exist, and a server without feature flags uses both. Messages and choices are Alertmanager 0.34's.
package enum MatcherSyntax: Sendable, Hashable, CaseIterable {
    /// The first reader of Alertmanager: names of the classic alphabet, braces optional one by one, anything in a value.
    case classic
    /// The strict reader: names and values in UTF-8, quoted with Go's escapes where they hold reserved characters.
    case utf8
    /// What a server does unless told otherwise: where only one reader takes the input, its result; where both do and
    /// differ, or neither does, that of the classic one.
    case fallback

    /// Reads a list of matchers, of which none is also a list.
    package func parseList(_ text: String) throws(MatcherError) -> [Matcher] {
        switch self {
        case .classic: return try ClassicMatcherReader.list(text)
        case .utf8: return try UTF8MatcherReader.list(text)
        case .fallback:
            do { return try ClassicMatcherReader.list(text) } catch let classicError {
                // The classic reader's words are what users know; the strict one only saves what it can.
                do { return try UTF8MatcherReader.list(text) } catch { throw classicError }
            }
        }
    }

    /// Reads exactly one matcher, without braces.
    package func parseOne(_ text: String) throws(MatcherError) -> Matcher {
        if text.hasPrefix("{") || text.hasSuffix("}") {
            throw MatcherError(reason: "unexpected open or close brace: \(text)")
        }
        switch self {
        case .classic: return try ClassicMatcherReader.one(text)
        case .utf8: return try Self.oneOfUTF8(text)
        case .fallback:
            do { return try ClassicMatcherReader.one(text) } catch let classicError {
                do { return try Self.oneOfUTF8(text) } catch { throw classicError }
            }
        }
    }

    private static func oneOfUTF8(_ text: String) throws(MatcherError) -> Matcher {
        let matchers = try UTF8MatcherReader.list(text)
        guard let first = matchers.first else { throw MatcherError(reason: "no matchers") }
        guard matchers.count == 1 else { throw MatcherError(reason: "expected 1 matcher, found \(matchers.count)") }
        return first
    }
}

/// Why a text is no matcher.
package struct MatcherError: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String
    package init(reason: String) { self.reason = reason }
    package var description: String { reason }
}

extension MatcherError {
    init(_ error: RegularExpression.SyntaxError) {
        self.init(reason: "error parsing regexp: \(error.reason)")
    }
}
