import Streams

/// Recursive descent over the tokens, with precedence climbing for binary operators. It stops at the first problem.
struct ExpressionParser {
    /// An expression and how deep it is nested.
    struct Parsed {
        var expression: Expression
        var depth: Int
    }

    /// What an unexpected token is unexpected in. The innermost one goes into the message, as the error rules of
    /// Prometheus's grammar have it.
    struct Context {
        var name: String
        var expected: String?
        var category: ParseError.Category

        init(_ name: String, expected: String? = nil, _ category: ParseError.Category = .syntax) {
            self.name = name
            self.expected = expected
            self.category = category
        }
    }

    let options: ParserOptions
    private(set) var lexer: Lexer
    private var ahead: Token?
    private var contexts: [Context] = []
    private var nesting = 0
    /// Where the last token ended that can end an expression.
    private(set) var lastClosing = 0

    init(_ bytes: [UInt8], _ options: ParserOptions) {
        self.options = options
        lexer = Lexer(bytes)
    }

    // MARK: - Entry points

    mutating func wholeExpression() throws(Problem) -> Expression {
        if try peek().kind == .endOfInput {
            throw Problem(.syntax, Place(0, 0), "no expression found in input")
        }
        let parsed = try expression()
        try end()
        return parsed.expression
    }

    mutating func wholeSelector() throws(Problem) -> [Matcher] {
        let token = try take()
        let selector: VectorSelector
        if token.kind == .leftBrace {
            selector = try labelMatchers(after: nil, brace: token)
        } else if isMetricIdentifier(token.kind) {
            selector = try vectorSelector(named: token)
        } else {
            throw unexpected(token)
        }
        try end()
        return selector.matchers
    }

    mutating func wholeMetric() throws(Problem) -> LabelSet {
        let labels = try metric()
        try end()
        return labels
    }

    private mutating func end() throws(Problem) {
        let token = try take()
        if token.kind != .endOfInput { throw unexpected(token) }
    }

    // MARK: - Tokens

    mutating func peek() throws(Problem) -> Token {
        if let ahead { return ahead }
        let token = try lexer.next()
        ahead = token
        return token
    }

    @discardableResult
    mutating func take() throws(Problem) -> Token {
        let token = try peek()
        ahead = nil
        switch token.kind {
        case .rightBrace, .rightParenthesis, .rightBracket, .number, .duration: lastClosing = token.place.end
        default: break
        }
        return token
    }

    /// Takes the next token if it is of that kind.
    mutating func take(_ kind: Token.Kind) throws(Problem) -> Token? {
        try peek().kind == kind ? try take() : nil
    }

    /// Takes the next token, which has to be of one of both kinds.
    mutating func take(_ first: Token.Kind, or second: Token.Kind) throws(Problem) -> Token {
        if let token = try take(first) { return token }
        return try expect(second)
    }

    /// Takes the next token, which has to be of that kind.
    @discardableResult
    mutating func expect(_ kind: Token.Kind) throws(Problem) -> Token {
        let token = try take()
        if token.kind != kind { throw unexpected(token) }
        return token
    }

    func unexpected(_ token: Token) -> Problem {
        guard let context = contexts.last else {
            return Problem(.syntax, token.place, "unexpected \(token.described)")
        }
        let expected = context.expected.map { ", expected \($0)" } ?? ""
        return Problem(
            context.category, token.place, "unexpected \(token.described) in \(context.name)\(expected)")
    }

    /// Does something during which unexpected tokens are reported as unexpected in that context.
    mutating func within<Result>(
        _ context: Context, _ body: (inout ExpressionParser) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        contexts.append(context)
        defer { contexts.removeLast() }
        return try body(&self)
    }

    /// Goes one level down, if there is stack left for it.
    mutating func nested<Result>(
        _ body: (inout ExpressionParser) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        nesting += 1
        defer { nesting -= 1 }
        try check(nesting, atMost: PromQLParser.nestingMax)
        return try body(&self)
    }

    func checkDepth(_ depth: Int) throws(Problem) { try check(depth, atMost: PromQLParser.depthMax) }

    private func check(_ levels: Int, atMost most: Int) throws(Problem) {
        if levels > most {
            throw Problem(
                .other, Place(lexer.start, lexer.bytes.count),
                "expression is nested too deeply, at most \(most) levels are supported")
        }
    }

    // MARK: - Operators

    mutating func expression() throws(Problem) -> Parsed { try binary(from: 1) }

    /// A chain of operators of at least that precedence.
    private mutating func binary(from precedence: Int) throws(Problem) -> Parsed {
        var left = try operand()
        while case .binary(let op) = try peek().kind, op.precedence >= precedence {
            try take()
            var modifiers = try binaryModifiers()
            let right = try nested { parser throws(Problem) in
                try parser.binary(from: op == .power ? op.precedence : op.precedence + 1)
            }
            let place = Place(left.expression.place.start, right.expression.place.end)
            if !options.fillModifiers, modifiers.matching.fillLeft != nil || modifiers.matching.fillRight != nil {
                throw Problem(.feature, place, "binop fill modifiers are experimental and not enabled")
            }
            if op.isSetOperator, modifiers.matching.cardinality == .oneToOne {
                modifiers.matching.cardinality = .manyToMany
            }
            let node = BinaryExpression(
                op, left.expression, right.expression, returnsBool: modifiers.returnsBool,
                matching: modifiers.matching, place: place)
            left = Parsed(expression: .binary(node), depth: max(left.depth, right.depth) + 1)
            try checkDepth(left.depth)
        }
        return left
    }

    private mutating func operand() throws(Problem) -> Parsed {
        guard case .binary(let op) = try peek().kind, op == .add || op == .subtract else {
            return try postfix(try primary())
        }
        let token = try take()
        let sign: Sign = op == .subtract ? .minus : .plus
        let inner = try nested { parser throws(Problem) in
            try parser.binary(from: BinaryOperator.power.precedence)
        }
        if case .number(var number) = inner.expression {
            if sign == .minus { number.value = -number.value }
            number.place.start = token.place.start
            return Parsed(expression: .number(number), depth: inner.depth)
        }
        let place = Place(token.place.start, inner.expression.place.end)
        return Parsed(
            expression: .unary(UnaryExpression(sign, inner.expression, place: place)), depth: inner.depth + 1)
    }

    private mutating func primary() throws(Problem) -> Parsed {
        let token = try take()
        switch token.kind {
        case .number, .duration: return leaf(.number(try number(token)))
        case .string: return leaf(.string(StringLiteral(Literal.string(token), place: token.place)))
        case .leftParenthesis:
            let inner = try nested { parser throws(Problem) in try parser.expression() }
            let close = try expect(.rightParenthesis)
            let node = ParenthesizedExpression(
                inner.expression, place: Place(token.place.start, close.place.end))
            return Parsed(expression: .parenthesized(node), depth: inner.depth + 1)
        case .leftBrace: return leaf(.vectorSelector(try labelMatchers(after: nil, brace: token)))
        case .identifier, .preprocessor:
            if try peek().kind == .leftParenthesis { return try call(token) }
        case .aggregation(let op):
            switch try peek().kind {
            case .leftParenthesis, .keyword(.by), .keyword(.without): return try aggregation(op, token)
            default: break
            }
        default: break
        }
        guard isMetricIdentifier(token.kind) else { throw unexpected(token) }
        return leaf(.vectorSelector(try vectorSelector(named: token)))
    }

    private func leaf(_ expression: Expression) -> Parsed { Parsed(expression: expression, depth: 1) }

    func number(_ token: Token) throws(Problem) -> NumberLiteral {
        if token.kind == .duration {
            return NumberLiteral(try Literal.seconds(token), isDuration: true, place: token.place)
        }
        return NumberLiteral(try Literal.number(token), place: token.place)
    }

    /// Words that may name a metric; many keywords do.
    func isMetricIdentifier(_ kind: Token.Kind) -> Bool {
        switch kind {
        case .identifier, .metricIdentifier, .aggregation, .preprocessor: true
        case .binary(let op): op.isSetOperator
        case .keyword(let word):
            switch word {
            case .by, .without, .offset, .anchored, .smoothed, .fill, .fillLeft, .fillRight: true
            case .on, .ignoring, .bool, .groupLeft, .groupRight: false
            }
        default: false
        }
    }
}

extension BinaryOperator {
    /// The higher, the tighter it binds. `^` binds to the right, all others to the left.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual, .trimUpper, .trimLower: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2: 5
        case .power: 6
        }
    }
}
