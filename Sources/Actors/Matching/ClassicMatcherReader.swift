import Streams

/// The first reader of Alertmanager: lenient about braces and values, strict about names.
enum ClassicMatcherReader {
    static func list(_ text: String) throws(MatcherError) -> [Matcher] {
        var matchers: [Matcher] = []
        for token in tokens(text) { matchers.append(try one(token)) }
        return matchers
    }

    /// Cuts at commas outside of double quotes. One brace on either side is dropped, whether or not the other is there.
    private static func tokens(_ text: String) -> [String] {
        var scalars = text.unicodeScalars[...]
        if scalars.first == "{" { scalars.removeFirst() }
        if scalars.last == "}" { scalars.removeLast() }
        var tokens: [String] = []
        var token = String.UnicodeScalarView()
        var isQuoted = false
        var isEscaped = false
        for scalar in scalars {
            switch scalar {
            case "," where !isQuoted:
                tokens.append(String(token))
                token = String.UnicodeScalarView()
                continue
            case "\"":
                if !isEscaped { isQuoted.toggle() }
                isEscaped = false
            case "\\":
                isEscaped.toggle()
            case ",":
                break
            default:
                isEscaped = false
            }
            token.append(scalar)
        }
        // What follows the last comma counts only if it says something.
        let rest = trimmed(token[...]) { $0.properties.isWhitespace }
        if !rest.isEmpty { tokens.append(String(rest)) }
        return tokens
    }

    static func one(_ text: String) throws(MatcherError) -> Matcher {
        guard let (name, op, written) = split(text) else { throw MatcherError(reason: "bad matcher format: \(text)") }
        let value = try unescaped(written)
        do { return try Matcher(name, op, value) } catch { throw MatcherError(error) }
    }

    /// Name, operator and the value as it is written, blanks around them cut off.
    private static func split(_ text: String) -> (String, Matcher.Operator, Substring.UnicodeScalarView)? {
        var rest = Substring(text).unicodeScalars
        rest = rest.drop(while: isBlank)
        let name = rest.prefix { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", ":": true
            default: false
            }
        }
        guard LabelSet.isLegacyMetricName(String(name)) else { return nil }
        rest = rest[name.endIndex...].drop(while: isBlank)
        let head = String(rest.prefix(2))
        // The longer operators first, or "=~" would be "=" and a value.
        guard let op = Matcher.Operator(rawValue: head) ?? (head.hasPrefix("=") ? .equal : nil) else { return nil }
        rest = rest.dropFirst(op.rawValue.unicodeScalars.count)
        return (String(name), op, trimmed(rest, isBlank))
    }

    /// Only `\n`, `\"` and `\\` are escapes; any other backslash stands for itself.
    private static func unescaped(_ written: Substring.UnicodeScalarView) throws(MatcherError) -> String {
        var rest = written
        var awaitsQuote = false
        if rest.first == "\"" {
            rest.removeFirst()
            awaitsQuote = true
        }
        var value = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\":
                guard let escaped = rest.popFirst() else {
                    value.append("\\")
                    break
                }
                switch escaped {
                case "n": value.append("\n")
                case "\"", "\\": value.append(escaped)
                default: value.append(contentsOf: ["\\", escaped])
                }
            case "\"":
                guard awaitsQuote, rest.isEmpty else { throw unescapedQuote(written) }
                awaitsQuote = false
            default:
                value.append(scalar)
            }
        }
        if awaitsQuote { throw unescapedQuote(written) }
        return String(value)
    }

    private static func unescapedQuote(_ written: Substring.UnicodeScalarView) -> MatcherError {
        MatcherError(reason: "matcher value contains unescaped double quote: \(String(written))")
    }

    /// RE2's `\s`.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\n", "\r", "\u{0C}": true
        default: false
        }
    }

    private static func trimmed(
        _ scalars: Substring.UnicodeScalarView, _ isCut: (Unicode.Scalar) -> Bool
    ) -> Substring.UnicodeScalarView {
        var scalars = scalars.drop(while: isCut)
        while let last = scalars.last, isCut(last) { scalars.removeLast() }
        return scalars
    }
}
