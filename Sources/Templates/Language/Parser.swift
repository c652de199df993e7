/// Reads a template's text into trees: one for the text itself, one for each `define` and `block`.
struct Parser {
    private let name: String
    let tokens: [Token]
    let lines: LineIndex
    let isFunction: (String) -> Bool
    var index = 0
    var variables = ["$"]
    private var loops = 0
    private var nesting = 0
    private var trees: [Tree] = []
    private var places: [String: Int] = [:]

    /// Blocks and parentheses may stand inside one another to this depth.
    static let nestingMax = 64

    /// The trees in order; the text's own comes last. It, and no other, knows the given variables.
    static func parse(
        _ source: String, name: String, variables: [String] = [], isFunction: @escaping (String) -> Bool
    ) throws(TemplateError) -> [Tree] {
        var parser = Parser(source, name: name, isFunction: isFunction)
        parser.variables += variables
        do {
            try parser.run()
        } catch let error as TemplateError {
            throw error
        } catch {
            throw TemplateError(.parse, template: name, "\(error)")
        }
        return parser.trees
    }

    private init(_ source: String, name: String, isFunction: @escaping (String) -> Bool) {
        self.name = name
        self.isFunction = isFunction
        tokens = Lexer.tokens(of: source)
        lines = LineIndex(source)
    }

    // MARK: Tokens

    var current: Token {
        tokens.isEmpty ? Token(kind: .end, text: "", offset: 0) : tokens[min(index, tokens.count - 1)]
    }

    mutating func next() -> Token {
        defer { if index < tokens.count - 1 { index += 1 } }
        return current
    }

    mutating func skipSpace() { while current.kind == .space { index += 1 } }

    mutating func nextNonSpace() -> Token {
        skipSpace()
        return next()
    }

    mutating func peekNonSpace() -> Token {
        skipSpace()
        return current
    }

    func position(of token: Token) -> Position { lines.position(of: token.offset) }

    func failure(_ message: String, at token: Token? = nil) -> TemplateError {
        let place = position(of: token ?? current)
        return TemplateError(.parse, template: name, line: place.line, column: place.column, message)
    }

    func unexpected(_ token: Token, _ context: String) -> TemplateError {
        switch token.kind {
        case .failure: return failure(token.text, at: token)
        case .end: return failure("unexpected EOF", at: token)
        case .keyword: return failure("unexpected <\(token.text)> in \(context)", at: token)
        default: return failure("unexpected \(GoText.quote(token.text)) in \(context)", at: token)
        }
    }

    mutating func expect(_ kind: Token.Kind, _ context: String) throws {
        let token = nextNonSpace()
        guard token.kind == kind else { throw unexpected(token, context) }
    }

    mutating func nested<Result>(_ body: (inout Parser) throws -> Result) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.nestingMax else { throw failure("nested more than \(Self.nestingMax) deep") }
        return try body(&self)
    }

    // MARK: Lists

    private mutating func run() throws {
        var nodes: [Node] = []
        while current.kind != .end {
            if current.kind == .leftDelimiter {
                let start = index
                index += 1
                let token = nextNonSpace()
                if token.kind == .keyword, token.text == "define" {
                    try definition()
                    continue
                }
                index = start
            }
            switch try textOrAction() {
            case .node(let node): nodes.append(node)
            case .end: throw failure("unexpected {{end}}")
            case .otherwise: throw failure("unexpected {{else}}")
            }
        }
        try add(Tree(name: name, source: name, nodes: nodes))
    }

    private mutating func add(_ tree: Tree) throws {
        if let place = places[tree.name] {
            if trees[place].isEmpty {
                trees[place] = tree
            } else if !tree.isEmpty {
                throw failure("template: multiple definition of template \(GoText.quote(tree.name))")
            }
        } else {
            places[tree.name] = trees.count
            trees.append(tree)
        }
    }

    private mutating func definition() throws {
        let title = try templateName("define clause")
        try expect(.rightDelimiter, "define clause")
        let (nodes, end) = try inOwnScope { parser in try parser.nested { try $0.list() } }
        guard case .end = end else { throw failure("unexpected {{else}} in define clause") }
        try add(Tree(name: title, source: name, nodes: nodes))
    }

    private mutating func inOwnScope<Result>(_ body: (inout Parser) throws -> Result) throws -> Result {
        let (outer, outerLoops) = (variables, loops)
        (variables, loops) = (["$"], 0)
        defer { (variables, loops) = (outer, outerLoops) }
        return try body(&self)
    }

    private mutating func templateName(_ context: String) throws -> String {
        let token = nextNonSpace()
        guard token.kind == .string || token.kind == .rawString else { throw unexpected(token, context) }
        return try unquoted(token)
    }

    private enum Item {
        case node(Node)
        case end
        case otherwise
    }

    /// Nodes up to `{{end}}` or `{{else}}`, which is told.
    private mutating func list() throws -> ([Node], Item) {
        var nodes: [Node] = []
        while peekNonSpace().kind != .end {
            switch try textOrAction() {
            case .node(let node): nodes.append(node)
            case let end: return (nodes, end)
            }
        }
        throw failure("unexpected EOF")
    }

    private mutating func textOrAction() throws -> Item {
        let token = nextNonSpace()
        switch token.kind {
        case .text: return .node(.text(token.text))
        case .leftDelimiter: return try action()
        default: throw unexpected(token, "input")
        }
    }

    private mutating func action() throws -> Item {
        let start = index
        let token = nextNonSpace()
        if token.kind == .keyword {
            switch token.text {
            case "block": return .node(try block(token))
            case "break", "continue": return .node(try loopControl(token))
            case "else": return try otherwise()
            case "end":
                try expect(.rightDelimiter, "end")
                return .end
            case "if": return .node(.conditional(try branch("if", token)))
            case "with": return .node(.with(try branch("with", token)))
            case "range": return .node(.range(try branch("range", token)))
            case "template": return .node(try template(token))
            default: break
            }
        }
        index = start
        // Variables that an action declares live on to the end of its block.
        return .node(.action(try pipeline("command", until: .rightDelimiter)))
    }

    // MARK: Control

    private mutating func otherwise() throws -> Item {
        let token = peekNonSpace()
        if token.kind == .keyword, token.text == "if" || token.text == "with" { return .otherwise }
        try expect(.rightDelimiter, "else")
        return .otherwise
    }

    private mutating func branch(_ context: String, _ token: Token) throws -> Branch {
        try nested { try $0.branchBody(context, token) }
    }

    private mutating func branchBody(_ context: String, _ token: Token) throws -> Branch {
        let mark = variables.count
        defer { variables.removeLast(variables.count - mark) }
        let condition = try pipeline(context, until: .rightDelimiter)
        if context == "range" { loops += 1 }
        let (body, stop) = try list()
        if context == "range" { loops -= 1 }
        var branch = Branch(pipeline: condition, body: body, otherwise: nil, position: position(of: token))
        guard case .otherwise = stop else { return branch }
        let following = peekNonSpace()
        if following.kind == .keyword, following.text == context, context != "range" {
            // {{else if}} and {{else with}}: one more branch, which takes this one's {{end}}.
            index += 1
            let inner = try self.branch(context, following)
            branch.otherwise = [context == "if" ? .conditional(inner) : .with(inner)]
            return branch
        }
        let (otherwise, end) = try list()
        guard case .end = end else { throw failure("expected end; found {{else}}") }
        branch.otherwise = otherwise
        return branch
    }

    private mutating func loopControl(_ token: Token) throws -> Node {
        let following = nextNonSpace()
        guard following.kind == .rightDelimiter else { throw unexpected(following, "{{\(token.text)}}") }
        guard loops > 0 else { throw failure("{{\(token.text)}} outside {{range}}", at: token) }
        return token.text == "break" ? .leaveLoop(position(of: token)) : .nextRound(position(of: token))
    }

    private mutating func template(_ token: Token) throws -> Node {
        let nameToken = peekNonSpace()
        let title = try templateName("template clause")
        var argument: Pipeline?
        if peekNonSpace().kind == .rightDelimiter {
            index += 1
        } else {
            argument = try pipeline("template clause", until: .rightDelimiter)
        }
        return .template(name: title, argument, position(of: nameToken))
    }

    private mutating func block(_ token: Token) throws -> Node {
        let nameToken = peekNonSpace()
        let title = try templateName("block clause")
        let argument = try pipeline("block clause", until: .rightDelimiter)
        let (nodes, end) = try inOwnScope { parser in try parser.nested { try $0.list() } }
        guard case .end = end else { throw failure("unexpected {{else}} in block clause") }
        try add(Tree(name: title, source: name, nodes: nodes))
        return .template(name: title, argument, position(of: nameToken))
    }
}
