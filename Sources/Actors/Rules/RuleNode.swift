import Streams

/// A rule as the dispatch knows it: what it reads, what it writes, and where it is told of changes.
package struct RuleNode: Sendable {
    let interest: InterestID
    let inbox: GroupInbox
    /// Its place in its group.
    let place: Int
    /// Each selector's matchers: a series that one of them accepts is input of the rule.
    let selectors: [[Matcher]]
    /// The metrics' names that it writes.
    let outputs: [String]

    /// Whether what that rule writes may be input of this one. Only names are looked at, so it errs to yes.
    private func reads(_ other: RuleNode) -> Bool {
        other.outputs.contains { output in
            selectors.contains { matchers in
                matchers.allSatisfy { $0.name != LabelSet.metricName || $0.accepts(output) }
            }
        }
    }

    /// For each rule that is part of a circle of rules reading each other's output, the rules of that circle.
    static func cycles(of rules: [RuleNode]) -> [InterestID: Set<InterestID>] {
        // Who reads whom, by place in `rules`; few rules read another's output.
        let readers = rules.map { writer in rules.indices.filter { rules[$0].reads(writer) } }
        let reachable = rules.indices.map { start in
            var seen: Set<Int> = []
            var open = readers[start]
            while let next = open.popLast() {
                if seen.insert(next).inserted { open += readers[next] }
            }
            return seen
        }
        var result: [InterestID: Set<InterestID>] = [:]
        for rule in rules.indices where reachable[rule].contains(rule) {
            let circle = reachable[rule].filter { reachable[$0].contains(rule) }
            result[rules[rule].interest] = Set(circle.map { rules[$0].interest })
        }
        return result
    }
}
