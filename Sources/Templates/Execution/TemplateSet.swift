/// Templates that can call one another, with the functions they may use.
struct TemplateSet: Sendable {
    private(set) var trees: [String: Tree] = [:]
    let functions: [String: Function]

    init(functions: [String: Function]) {
        self.functions = Builtins.table.merging(functions) { _, own in own }
    }

    /// Reads a text and takes its templates. A later definition replaces an earlier one, unless it is empty.
    mutating func add(_ source: String, name: String, variables: [String] = []) throws(TemplateError) {
        let names = functions
        for tree in try Parser.parse(source, name: name, variables: variables, isFunction: { names[$0] != nil }) {
            if trees[tree.name] != nil, tree.isEmpty { continue }
            trees[tree.name] = tree
        }
    }

    mutating func replace(_ trees: [String: Tree]) { self.trees = trees }

    /// The set with its templates rewritten so that what `name` writes is escaped as HTML asks for where it stands.
    func escaped(_ name: String) throws(TemplateError) -> TemplateSet {
        var result = TemplateSet(functions: functions.merging(HTMLFilters.table) { _, filter in filter })
        result.trees = try HTMLEscaper.escape(trees, from: name, all: functions["tmpl"] != nil)
        return result
    }
}
