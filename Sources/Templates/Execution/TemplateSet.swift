/// Templates that can call one another, with the functions they may use.
struct TemplateSet: Sendable {
    private(set) var trees: [String: Tree] = [:]
    /// A table of `FunctionTables`, shared by all sets of its kind.
    let functions: [String: Function]

    init(functions: [String: Function]) { self.functions = functions }

    /// Reads a text and takes its templates. A later definition replaces an earlier one, unless it is empty.
    mutating func add(_ source: String, name: String, variables: [String] = []) throws(TemplateError) {
        let names = functions
        for tree in try Parser.parse(source, name: name, variables: variables, isFunction: { names[$0] != nil }) {
            if trees[tree.name] != nil, tree.isEmpty { continue }
            trees[tree.name] = tree
        }
    }

    /// The set with its templates rewritten so that what `name` writes is escaped as HTML asks for where it stands.
    func escaped(_ name: String) throws(TemplateError) -> TemplateSet {
        var result = TemplateSet(functions: functions)
        result.trees = try HTMLEscaper.escape(trees, from: name, all: functions["tmpl"] != nil)
        return result
    }
}

/// The functions of each kind of template: Go's own, those of the kind, and the filters of pages, which no template can
/// name.
enum FunctionTables {
    static let plain = table([:])
    static let rules = table(PrometheusFunctions.rules)
    static let consoles = table(PrometheusFunctions.consoles)
    static let notifications = table(AlertmanagerFunctions.table)

    private static func table(_ functions: [String: Function]) -> [String: Function] {
        Builtins.table.merging(functions) { _, own in own }.merging(HTMLFilters.table) { _, filter in filter }
    }
}
