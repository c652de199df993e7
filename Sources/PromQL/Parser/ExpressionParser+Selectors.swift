import Streams

/// Selectors: names and label matchers in braces, and the labels of a metric.
extension ExpressionParser {
    // MARK: - Vector selectors

    /// `name` or `name{...}`, the name being taken.
    mutating func vectorSelector(named name: Token) throws(Problem) -> VectorSelector {
        if let brace = try take(.leftBrace) { return try labelMatchers(after: name, brace: brace) }
        return VectorSelector(
            name: name.text, matchers: [Matcher(LabelSet.metricName, equals: name.text)], place: name.place)
    }

    /// What is in braces, the opening one being taken.
    mutating func labelMatchers(after name: Token?, brace: Token) throws(Problem) -> VectorSelector {
        var matchers: [Matcher] = []
        let close = try braced { parser throws(Problem) in matchers.append(try parser.labelMatcher()) }
        // The name comes last, which the check for a second name relies on.
        if let name { matchers.append(Matcher(LabelSet.metricName, equals: name.text)) }
        let place = Place((name ?? brace).place.start, close.place.end)
        return VectorSelector(name: name?.text ?? "", matchers: matchers, place: place)
    }

    /// Items with commas between them up to the closing brace, which is returned; a comma may stand after the last one.
    private mutating func braced(
        in list: String = "label matching", item: (inout ExpressionParser) throws(Problem) -> Void
    ) throws(Problem) -> Token {
        if let close = try take(.rightBrace) { return close }
        while true {
            try within(Context(list, expected: "identifier or \"}\"", .label), item)
            let separator = try within(Context(list, expected: "\",\" or \"}\"", .label)) { parser throws(Problem) in
                try parser.take(.comma, or: .rightBrace)
            }
            if separator.kind == .rightBrace { return separator }
            if let close = try take(.rightBrace) { return close }
        }
    }

    private mutating func labelMatcher() throws(Problem) -> Matcher {
        let name = try take()
        let op: Matcher.Operator?
        switch name.kind {
        case .identifier:
            op = try within(Context("label matching", expected: "label matching operator", .label)) {
                parser throws(Problem) in
                guard let op = try parser.matchOperator() else { throw parser.unexpected(try parser.take()) }
                return op
            }
        case .string:
            op = try matchOperator()
            if op == nil { return Matcher(LabelSet.metricName, equals: Literal.string(name)) }
        default: throw unexpected(name)
        }
        let value = try within(Context("label matching", expected: "string", .label)) { parser throws(Problem) in
            try parser.expect(.string)
        }
        let label = name.kind == .string ? Literal.string(name) : name.text
        do throws(RegularExpression.SyntaxError) {
            return try Matcher(label, op ?? .equal, Literal.string(value))
        } catch {
            throw Problem(
                .lexical, Place(name.place.start, value.place.end), "error parsing regexp: \(goReason(error.reason))")
        }
    }

    private mutating func matchOperator() throws(Problem) -> Matcher.Operator? {
        let op: Matcher.Operator
        switch try peek().kind {
        case .equal: op = .equal
        case .binary(.notEqual): op = .notEqual
        case .matches: op = .matches
        case .notMatches: op = .notMatches
        default: return nil
        }
        try take()
        return op
    }

    /// RE2 in C++ and in Go say the same in other words: `missing ): (` is `missing closing ): ` and the expression in
    /// backquotes.
    private func goReason(_ reason: String) -> String {
        let words = [
            ("missing )", "missing closing )"), ("missing ]", "missing closing ]"),
            ("no argument for repetition operator", "missing argument to repetition operator"),
            ("bad repetition operator", "invalid nested repetition operator"),
            ("invalid repetition size", "invalid repeat count"),
            ("invalid perl operator", "invalid or unsupported Perl syntax"),
            ("invalid named capture group", "invalid named capture"),
            ("trailing \\", "trailing backslash at end of expression"),
        ]
        let ends = [
            "invalid escape sequence", "invalid character class range", "invalid character class", "unexpected )",
        ]
        for (ours, theirs) in words + ends.map({ ($0, $0) }) where reason.hasPrefix(ours + ": ") {
            return "\(theirs): `\(reason.dropFirst(ours.utf8.count + 2))`"
        }
        return reason
    }

    // MARK: - Metrics

    /// `name{label="value"}`: the labels of one series. Of equal names the last one wins.
    mutating func metric() throws(Problem) -> LabelSet {
        var labels: [Label] = []
        let first = try peek()
        if isMetricIdentifier(first.kind) {
            try take()
            labels.append(Label(LabelSet.metricName, first.text))
        }
        if try take(.leftBrace) != nil {
            var inside: [Label] = []
            _ = try braced(in: "label set") { parser throws(Problem) in inside.append(try parser.label()) }
            labels = inside + labels
        }
        return LabelSet(labels)
    }

    private mutating func label() throws(Problem) -> Label {
        let name = try take()
        switch name.kind {
        case .identifier:
            try within(Context("label set", expected: "\"=\"", .label)) { parser throws(Problem) in
                _ = try parser.expect(.equal)
            }
        case .string:
            if try take(.equal) == nil { return Label(LabelSet.metricName, Literal.string(name)) }
        default: throw unexpected(name)
        }
        let value = try within(Context("label set", expected: "string", .label)) { parser throws(Problem) in
            try parser.expect(.string)
        }
        return Label(name.kind == .string ? Literal.string(name) : name.text, Literal.string(value))
    }
}

/// Whether the text has a byte that is no UTF-8, see `invalidByteBase`.
func hasInvalidByte(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.value >= invalidByteBase + 0x80 }
}
