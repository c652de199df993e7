/// Rewrites templates so that all they write is escaped as its place in the page asks for (html/template's contextual
/// escaping): follows the page's text through all branches, and puts filters behind the pipelines of actions.
///
/// Templates that are called in several contexts are kept once for each, under names of their own.
struct HTMLEscaper {
    private let trees: [String: Tree]
    private var derived: [String: Tree] = [:]
    private var outputs: [String: EscapeContext] = [:]
    private var called: Set<String> = []
    /// For each open loop, the contexts at its breaks and continues.
    private var loopExits: [[EscapeContext]] = []
    /// Templates, and blocks in them, inside one another.
    private var depth = 0
    private var steps = 0

    private static let depthMax = 100
    private static let stepsMax = 50_000

    /// The templates that `name` needs, escaped for a page that it makes; with `all`, the others too as far as they can
    /// be pages.
    static func escape(_ trees: [String: Tree], from name: String, all: Bool) throws(TemplateError) -> [String: Tree] {
        var escaper = HTMLEscaper(trees: trees)
        let start = Position(line: 0, column: 0)
        let end = escaper.escape(template: name, in: EscapeContext(), at: start).context
        if let problem = problem(of: end) {
            throw TemplateError(
                .execution, template: trees[name]?.source ?? name, line: problem.position?.line ?? 0,
                column: problem.position?.column, problem.message)
        }
        guard all else { return escaper.derived }
        for other in trees.keys where escaper.derived[other] == nil {
            var attempt = escaper
            let end = attempt.escape(template: other, in: EscapeContext(), at: start).context
            if problem(of: end) == nil { escaper = attempt }
        }
        return escaper.derived
    }

    private init(trees: [String: Tree]) { self.trees = trees }

    private static func problem(of context: EscapeContext) -> EscapeContext.Problem? {
        if let problem = context.problem { return problem }
        if context.state == .text { return nil }
        return EscapeContext.Problem(message: "ends in a non-text context: \(context)")
    }

    // MARK: Templates

    private mutating func escape(
        template name: String, in context: EscapeContext, at position: Position
    ) -> (context: EscapeContext, name: String) {
        let mangled = context.mangled(name)
        called.insert(mangled)
        if let output = outputs[mangled] { return (output, mangled) }
        guard let tree = trees[name] else {
            return (.failure("no such template \(GoText.quote(name))", at: position), mangled)
        }
        // A template that calls itself is first taken to end as it begins, then to end as it then turned out to.
        var end = context
        for _ in 0..<2 {
            let (found, isSettled) = escapeBody(of: tree, as: mangled, from: context, assuming: end)
            if isSettled || found.state == .failed { return (found, mangled) }
            end = found
        }
        return (.failure("cannot compute output context for template \(name)", at: position), mangled)
    }

    private mutating func escapeBody(
        of tree: Tree, as name: String, from context: EscapeContext, assuming end: EscapeContext
    ) -> (EscapeContext, Bool) {
        var attempt = self
        attempt.outputs[name] = end
        attempt.called = []
        attempt.loopExits = []
        let (found, nodes) = attempt.escape(tree.nodes, in: context)
        steps = attempt.steps
        guard found.state != .failed, !attempt.called.contains(name) || found == end else { return (found, false) }
        called.formUnion(attempt.called)
        outputs = attempt.outputs
        derived = attempt.derived
        outputs[name] = found
        derived[name] = Tree(name: tree.name, source: tree.source, nodes: nodes)
        return (found, true)
    }

    // MARK: Nodes

    private mutating func escape(_ nodes: [Node], in context: EscapeContext) -> (EscapeContext, [Node]) {
        guard depth < Self.depthMax else {
            return (.failure("templates and blocks nested more than \(Self.depthMax) deep"), [])
        }
        depth += 1
        defer { depth -= 1 }
        var context = context
        var result: [Node] = []
        for node in nodes {
            steps += 1
            if steps > Self.stepsMax { return (.failure("too many branches to follow"), []) }
            let (next, escaped) = escape(node, in: context)
            context = next
            if context.state == .failed { return (context, []) }
            result.append(escaped)
        }
        return (context, result)
    }

    private mutating func escape(_ node: Node, in context: EscapeContext) -> (EscapeContext, Node) {
        switch node {
        case .text(let text):
            let (next, escaped) = TextScan.run(Array(text.utf8)[...], in: context)
            return (next, .text(escaped))
        case .action(let pipeline): return action(pipeline, in: context)
        case .conditional(let branch):
            let (next, escaped) = escape(branch, "if", in: context)
            return (next, .conditional(escaped))
        case .with(let branch):
            let (next, escaped) = escape(branch, "with", in: context)
            return (next, .with(escaped))
        case .range(let branch):
            let (next, escaped) = escape(branch, "range", in: context)
            return (next, .range(escaped))
        case .template(let name, let argument, let position):
            let (next, mangled) = escape(template: name, in: context, at: position)
            return (next, .template(name: mangled, argument, position))
        case .leaveLoop, .nextRound:
            if !loopExits.isEmpty { loopExits[loopExits.count - 1].append(context) }
            return (EscapeContext(state: .dead), node)
        }
    }

    // MARK: Branches

    private mutating func escape(
        _ branch: Branch, _ keyword: String, in context: EscapeContext
    ) -> (EscapeContext, Branch) {
        var result = branch
        var end: EscapeContext
        if keyword == "range" {
            (end, result.body) = loopBody(branch, in: context)
            if end.state == .failed { return (end, branch) }
            // A second round has to begin where the first one ended.
            var attempt = self
            let (again, _) = attempt.loopBody(branch, in: end)
            steps = attempt.steps
            end = join(end, again, branch.position, keyword)
            if let problem = end.problem {
                let message = "on range loop re-entry: \(problem.message)"
                return (.failure(message, at: problem.position ?? branch.position), branch)
            }
        } else {
            (end, result.body) = escape(branch.body, in: context)
        }
        let (otherwise, nodes) = escape(branch.otherwise ?? [], in: context)
        result.otherwise = branch.otherwise == nil ? nil : nodes
        return (join(end, otherwise, branch.position, keyword), result)
    }

    private mutating func loopBody(_ branch: Branch, in context: EscapeContext) -> (EscapeContext, [Node]) {
        loopExits.append([])
        var (end, nodes) = escape(branch.body, in: context)
        let exits = loopExits.removeLast()
        for exit in exits where end.state != .failed { end = join(end, exit, branch.position, "range") }
        return (end, nodes)
    }

    /// The context behind two branches, which have to agree, at least on what matters.
    private func join(
        _ left: EscapeContext, _ right: EscapeContext, _ position: Position, _ keyword: String
    ) -> EscapeContext {
        if left.state == .failed || right.state == .dead { return left }
        if right.state == .failed || left.state == .dead { return right }
        if left == right { return left }
        var joined = left
        joined.urlPart = right.urlPart
        if joined == right {
            joined.urlPart = .unknown
            return joined
        }
        joined = left
        joined.slash = right.slash
        if joined == right {
            joined.slash = .unknown
            return joined
        }
        let (nudgedLeft, nudgedRight) = (left.nudged, right.nudged)
        if nudgedLeft != left || nudgedRight != right {
            let nudged = join(nudgedLeft, nudgedRight, position, keyword)
            if nudged.state != .failed { return nudged }
        }
        return .failure("{{\(keyword)}} branches end in different contexts: \(left), \(right)", at: position)
    }

    // MARK: Actions

    private func action(_ pipeline: Pipeline, in context: EscapeContext) -> (EscapeContext, Node) {
        // Where a variable is set, nothing is written.
        guard pipeline.variables.isEmpty else { return (context, .action(pipeline)) }
        var context = context.nudged
        for (index, command) in pipeline.commands.enumerated() {
            guard let name = Self.predefined(command) else { continue }
            let isUnquoted = context.state == .attribute && context.delimiter == .spaceOrTagEnd && name == "html"
            if index < pipeline.commands.count - 1 || isUnquoted {
                let message = "predefined escaper \(GoText.quote(name)) disallowed in template"
                return (.failure(message, at: pipeline.position), .action(pipeline))
            }
        }
        guard var filters = Self.filters(in: context) else {
            let message = "action appears in an ambiguous context within a URL"
            return (.failure(message, at: pipeline.position), .action(pipeline))
        }
        if filters == [.name] { context.state = .attributeName }
        if context.state == .js { context.slash = .division }
        switch context.delimiter {
        case .none: break
        case .spaceOrTagEnd: filters.append(.unquoted)
        case .doubleQuote, .singleQuote: filters.append(.attribute)
        }
        return (context, .action(Self.appending(filters, to: pipeline)))
    }

    /// What makes text safe here, before its quotes are thought of; nil where that can't be told.
    private static func filters(in context: EscapeContext) -> [HTMLFilters.Name]? {
        switch context.state {
        case .failed, .dead, .attribute: return []
        case .url, .cssDoubleQuoted, .cssSingleQuoted, .cssDoubleQuotedURL, .cssSingleQuotedURL, .cssURL:
            let isString = context.state == .cssDoubleQuoted || context.state == .cssSingleQuoted
            switch context.urlPart {
            case .none: return [.urlFilter, isString ? .css : .urlNormalizer]
            case .beforeQuery: return [isString ? .css : .urlNormalizer]
            case .query: return [.url]
            case .unknown: return nil
            }
        case .js: return [.jsValue]
        case .jsDoubleQuoted, .jsSingleQuoted: return [.jsString]
        case .jsTemplate: return [.jsTemplate]
        case .jsRegexp: return [.jsRegexp]
        case .css: return [.cssValue]
        case .text: return [.text]
        case .rawText: return [.rawText]
        case .attributeName, .tag, .afterName, .beforeValue: return [.name]
        case .srcset: return [.srcset]
        case .comment, .jsBlockComment, .jsLineComment, .jsHTMLOpenComment, .jsHTMLCloseComment, .cssBlockComment,
            .cssLineComment:
            return [.comment]
        }
    }

    /// The escaper among Go's own functions that a command calls.
    private static func predefined(_ command: Command) -> String? {
        if case .function(let name) = command.arguments[0].kind, name == "html" || name == "urlquery" { return name }
        return nil
    }

    /// Puts the filters behind the pipeline; an `html` or `urlquery` at its end takes the place of its like.
    private static func appending(_ filters: [HTMLFilters.Name], to pipeline: Pipeline) -> Pipeline {
        var result = pipeline
        var names = filters.map(\.functionName)
        if !names.isEmpty, let last = pipeline.commands.last, let escaper = predefined(last) {
            let likes: [HTMLFilters.Name] =
                escaper == "html" ? [.attribute, .text, .rawText] : [.url, .urlNormalizer]
            for (index, filter) in filters.enumerated() where likes.contains(filter) { names[index] = escaper }
            if !filters.contains(where: { likes.contains($0) }) { names.insert(escaper, at: 0) }
            result.commands.removeLast()
            if result.commands.isEmpty {
                var joined = last
                joined.arguments[0].kind = .function(HTMLFilters.Name.join.functionName)
                result.commands.append(joined)
            }
        }
        var previous = ""
        for name in names where !isRedundant(name, after: previous) {
            let operand = Operand(kind: .function(name), position: pipeline.position, text: name)
            result.commands.append(Command(arguments: [operand]))
            previous = name
        }
        return result
    }

    /// Whether a filter leaves what the one before wrote as it is.
    private static func isRedundant(_ name: String, after previous: String) -> Bool {
        func isOne(_ filters: HTMLFilters.Name...) -> Bool { filters.contains { $0.functionName == previous } }
        switch name {
        case HTMLFilters.Name.attribute.functionName: return isOne(.comment, .css, .jsRegexp, .jsString, .jsTemplate)
        case HTMLFilters.Name.text.functionName: return isOne(.comment)
        default: return false
        }
    }
}
