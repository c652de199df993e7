/// Executes a template once: walks its nodes and keeps variables, output and what the bounds have left.
///
/// It is synchronous and used by one task. What has to be waited for (PromQL queries) is answered from `environment`,
/// see `AnnotationTemplate`.
final class Executor {
    let trees: [String: Tree]
    let functions: [String: Function]
    let environment: Environment
    let limits: TemplateLimits
    /// `missingkey=zero`: a missing key gives the zero value of the map's type.
    let missingKeyIsZero: Bool

    private(set) var output = ""
    private var variables: [(name: String, value: Value)] = []
    private var tree: Tree
    private var templateDepth = 0
    private var nesting = 0
    private var steps = 0
    /// How often `now` was asked: time goes on, a nanosecond each time.
    private var readings: Int64 = 0
    private var patterns: [String: RegularExpressionBox] = [:]

    init(
        trees: [String: Tree], functions: [String: Function], environment: Environment = Environment(),
        limits: TemplateLimits = TemplateLimits(), missingKeyIsZero: Bool = false
    ) {
        self.trees = trees
        self.functions = functions
        self.environment = environment
        self.limits = limits
        self.missingKeyIsZero = missingKeyIsZero
        tree = Tree(name: "", source: "", nodes: [])
    }

    private enum Flow {
        case onward, leaveLoop, nextRound
    }

    /// Executes the named template on the data and gives its output.
    func run(_ name: String, on data: Value, variables given: [(name: String, value: Value)] = []) throws -> String {
        guard let main = trees[name] else {
            throw TemplateError(.execution, template: name, "template \(GoText.quote(name)) not defined")
        }
        let saved = (tree, variables, output)
        defer { (tree, variables, output) = saved }
        tree = main
        variables = [("$", data)] + given
        output = ""
        _ = try walk(main.nodes, dot: data)
        return output
    }

    /// Executes the text named "" of other templates, within the bounds of this execution.
    func runInside(_ templates: TemplateSet, environment: Environment) throws -> String {
        let inner = Executor(
            trees: templates.trees, functions: templates.functions, environment: environment, limits: limits,
            missingKeyIsZero: missingKeyIsZero)
        (inner.steps, inner.nesting, inner.templateDepth) = (steps, nesting, templateDepth)
        defer { steps = inner.steps }
        return try inner.run("", on: environment.data)
    }

    // MARK: Errors and bounds

    func failure(_ message: String, at position: Position, _ text: String? = nil) -> TemplateError {
        let context =
            text.map { " at <\($0.utf8.count > 20 ? String($0.unicodeScalars.prefix(20)) + "..." : $0)>" } ?? ""
        return TemplateError(
            .execution, template: tree.source, line: position.line, column: position.column,
            "executing \(GoText.quote(tree.name))\(context): \(message)")
    }

    func failure(_ message: String, at operand: Operand) -> TemplateError {
        failure(message, at: operand.position, operand.text)
    }

    private func spend(_ count: Int, at position: Position) throws {
        steps += count
        if steps > limits.stepsMax { throw failure("exceeded \(limits.stepsMax) steps", at: position) }
    }

    /// Long strings and lists have their price, so that loops that grow them end in time.
    func spend(on value: Value, at position: Position) throws {
        switch value {
        case .string(let text), .trusted(_, let text):
            guard text.utf8.count <= limits.outputBytesMax else {
                throw failure("a string of more than \(limits.outputBytesMax) bytes", at: position)
            }
            try spend(1 + text.utf8.count / 64, at: position)
        case .list(let list): try spend(1 + list.elements.count, at: position)
        case .map(let map): try spend(1 + map.entries.count, at: position)
        default: try spend(1, at: position)
        }
        if value.depth > limits.valueDepthMax {
            throw failure("lists and maps nested more than \(limits.valueDepthMax) deep", at: position)
        }
    }

    func nested<Result>(at position: Position, _ body: () throws -> Result) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= limits.nestingMax else {
            throw failure("nested more than \(limits.nestingMax) deep", at: position)
        }
        return try body()
    }

    private func write(_ text: String, at position: Position) throws {
        guard output.utf8.count + text.utf8.count <= limits.outputBytesMax else {
            throw failure("output of more than \(limits.outputBytesMax) bytes", at: position)
        }
        output += text
    }

    func nextReading() -> Int64 {
        defer { readings += 1 }
        return readings
    }

    /// A compiled expression, kept for this execution.
    func pattern(_ pattern: String) throws -> RegularExpressionBox {
        if let known = patterns[pattern] { return known }
        let compiled = try RegularExpressionBox(pattern)
        if patterns.count < 100 { patterns[pattern] = compiled }
        return compiled
    }

    // MARK: Nodes

    private func walk(_ nodes: [Node], dot: Value) throws -> Flow {
        for node in nodes {
            let flow = try walk(node, dot: dot)
            if flow != .onward { return flow }
        }
        return .onward
    }

    private func walk(_ node: Node, dot: Value) throws -> Flow {
        switch node {
        case .text(let text): try write(text, at: Position(line: 1, column: 0))
        case .action(let pipeline):
            let value = try evaluate(pipeline, dot: dot)
            if pipeline.variables.isEmpty { try print(value, at: pipeline.position) }
        case .conditional(let branch):
            return try nested(at: branch.position) { try choose(branch, dot: dot, rebinds: false) }
        case .with(let branch): return try nested(at: branch.position) { try choose(branch, dot: dot, rebinds: true) }
        case .range(let branch): return try nested(at: branch.position) { try loop(branch, dot: dot) }
        case .template(let name, let argument, let position):
            try nested(at: position) { try call(name, argument, dot: dot, at: position) }
        case .leaveLoop: return .leaveLoop
        case .nextRound: return .nextRound
        }
        return .onward
    }

    private func print(_ value: Value, at position: Position) throws {
        switch value {
        case .absent: try write("<no value>", at: position)
        case .string(let text), .trusted(_, let text): try write(text, at: position)
        default: try write(try printed([value], at: position), at: position)
        }
    }

    private func printed(_ values: [Value], at position: Position) throws -> String {
        do {
            return try Formatter.print(values, limit: limits.outputBytesMax)
        } catch is Formatter.TooLong {
            throw failure("output of more than \(limits.outputBytesMax) bytes", at: position)
        }
    }

    private func choose(_ branch: Branch, dot: Value, rebinds: Bool) throws -> Flow {
        let mark = variables.count
        defer { variables.removeLast(variables.count - mark) }
        let value = try evaluate(branch.pipeline, dot: dot)
        if value.isTrue { return try walk(branch.body, dot: rebinds ? value : dot) }
        return try walk(branch.otherwise ?? [], dot: dot)
    }

    private func call(_ name: String, _ argument: Pipeline?, dot: Value, at position: Position) throws {
        let text = "{{template \(GoText.quote(name))}}"
        guard let called = trees[name] else {
            throw failure("template \(GoText.quote(name)) not defined", at: position, text)
        }
        guard templateDepth < limits.templateDepthMax else {
            throw failure("exceeded maximum template depth (\(limits.templateDepthMax))", at: position, text)
        }
        let value = try argument.map { try evaluate($0, dot: dot) } ?? .absent
        let saved = (tree, variables)
        defer {
            (tree, variables) = saved
            templateDepth -= 1
        }
        templateDepth += 1
        tree = called
        variables = [("$", value)]
        _ = try walk(called.nodes, dot: value)
    }

    // MARK: Loops

    private func loop(_ branch: Branch, dot: Value) throws -> Flow {
        let mark = variables.count
        defer { variables.removeLast(variables.count - mark) }
        let value = try evaluate(branch.pipeline, dot: dot)
        let pipeline = branch.pipeline
        var ran = false
        func round(_ index: Value, _ element: Value) throws -> Bool {
            try spend(1, at: pipeline.position)
            ran = true
            try bind(pipeline, index: index, element: element)
            let roundMark = variables.count
            defer { variables.removeLast(variables.count - roundMark) }
            return try walk(branch.body, dot: element.unwrapped) != .leaveLoop
        }
        switch value {
        case .list(let list):
            for (index, element) in list.elements.enumerated() {
                guard try round(.int(index), element) else { break }
            }
        case .map(let map):
            for key in map.sortedKeys {
                guard try round(.string(key), map.entries[key] ?? .null) else { break }
            }
        case .int(let count):
            guard pipeline.variables.count <= 1 else {
                throw failure("can't use \(count) to iterate over more than one variable", at: pipeline.position)
            }
            var index = 0
            while index < count, try round(.absent, .int(index)) { index += 1 }
        case .absent, .null: break
        default:
            throw failure(
                "range can't iterate over \(try printed([value], at: pipeline.position))", at: pipeline.position)
        }
        return ran ? .onward : try walk(branch.otherwise ?? [], dot: dot)
    }

    /// Sets a loop's variables: with two, the first is the index.
    private func bind(_ pipeline: Pipeline, index: Value, element: Value) throws {
        guard let first = pipeline.variables.first else { return }
        let hasTwo = pipeline.variables.count > 1
        if pipeline.assigns {
            try assign(first, hasTwo ? index : element, at: pipeline.position)
            if hasTwo { try assign(pipeline.variables[1], element, at: pipeline.position) }
        } else {
            variables[variables.count - 1].value = element
            if hasTwo { variables[variables.count - 2].value = index }
        }
    }

    private func assign(_ name: String, _ value: Value, at position: Position) throws {
        guard let place = variables.lastIndex(where: { isSameBytes($0.name, name) }) else {
            throw failure("undefined variable: \(name)", at: position)
        }
        variables[place].value = value
    }

    func variable(_ name: String, at operand: Operand) throws -> Value {
        guard let place = variables.lastIndex(where: { isSameBytes($0.name, name) }) else {
            throw failure("undefined variable: \(name)", at: operand)
        }
        return variables[place].value
    }

    // MARK: Pipelines

    func evaluate(_ pipeline: Pipeline, dot: Value) throws -> Value {
        var value: Value?
        for command in pipeline.commands {
            try spend(1, at: pipeline.position)
            value = try evaluate(command, dot: dot, piped: value).unwrapped
        }
        let result = value ?? .absent
        for name in pipeline.variables {
            if pipeline.assigns {
                try assign(name, result, at: pipeline.position)
            } else {
                try declare(name, result, at: pipeline.position)
            }
        }
        return result
    }

    private func declare(_ name: String, _ value: Value, at position: Position) throws {
        guard variables.count < 10_000 else { throw failure("more than 10000 variables", at: position) }
        variables.append((name, value))
    }
}
