import Streams

/// What the lexer hands to the parser.
struct Token: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case endOfInput
        case identifier
        /// An identifier with a colon.
        case metricIdentifier
        case string
        case number
        case duration
        case comma, colon, equal
        case leftParenthesis, rightParenthesis
        case leftBrace, rightBrace
        case leftBracket, rightBracket
        case at
        /// `=~` and `!~`
        case matches, notMatches
        case binary(BinaryOperator)
        case aggregation(AggregationOperator)
        case keyword(Keyword)
        case preprocessor(Preprocessor)
    }

    enum Keyword: String, Sendable, CaseIterable {
        case offset, smoothed, anchored, by, without, on, ignoring, bool, fill
        case groupLeft = "group_left"
        case groupRight = "group_right"
        case fillLeft = "fill_left"
        case fillRight = "fill_right"
    }

    /// Words that take the place of a number where followed by parentheses.
    enum Preprocessor: String, Sendable, CaseIterable {
        case start, end, step, range
        case maxOf = "max_of"
        case minOf = "min_of"
    }

    var kind: Kind
    /// As written.
    var text: String
    var place: Place

    static func == (left: Token, right: Token) -> Bool {
        left.kind == right.kind && left.text == right.text && left.place.start == right.place.start
    }

    /// The words of the language, in lower case.
    static let words: [String: Kind] = {
        var words: [String: Kind] = ["inf": .number, "nan": .number]
        for op in [BinaryOperator.and, .or, .unless, .atan2] { words[op.rawValue] = .binary(op) }
        for op in AggregationOperator.allCases { words[op.rawValue] = .aggregation(op) }
        for word in Keyword.allCases { words[word.rawValue] = .keyword(word) }
        for word in Preprocessor.allCases { words[word.rawValue] = .preprocessor(word) }
        return words
    }()

    /// How messages name the token.
    var described: String {
        switch kind {
        case .endOfInput: "end of input"
        case .identifier: "identifier \(quoted(text))"
        case .metricIdentifier: "metric identifier \(quoted(text))"
        case .string: "string \(shortened)"
        case .number: "number \(shortened)"
        case .duration: "duration \(shortened)"
        case .binary, .at, .matches, .notMatches: "<op:\(text)>"
        case .aggregation: "<aggr:\(text)>"
        case .keyword: "<\(text)>"
        default: shortened
        }
    }

    private var shortened: String {
        text.utf8.count > 10
            ? quoted(String(String.UnicodeScalarView(text.unicodeScalars.prefix(10)))) + "..." : quoted(text)
    }
}
