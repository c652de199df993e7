extension NotificationTemplates {
    /// The templates that a setting's text calls, itself or through others, and that nobody defines.
    package func undefined(in text: String) throws(TemplateError) -> [String] {
        guard Lexer.hasAction(text) else { return [] }
        let trees = try trees(with: text)
        var seen: Set<String> = [""]
        var waiting = [""]
        var missing: [String] = []
        while let name = waiting.popLast() {
            guard let tree = trees[name] else {
                missing.append(name)
                continue
            }
            for called in Self.called(tree.nodes) where seen.insert(called).inserted { waiting.append(called) }
        }
        return missing.sorted()
    }

    private static func called(_ nodes: [Node]) -> [String] {
        nodes.flatMap { node -> [String] in
            switch node {
            case .template(let name, _, _): [name]
            case .conditional(let branch), .with(let branch), .range(let branch):
                called(branch.body) + called(branch.otherwise ?? [])
            case .text, .action, .leaveLoop, .nextRound: []
            }
        }
    }
}
