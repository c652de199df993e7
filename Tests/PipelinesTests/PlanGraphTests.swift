import Pipelines
import TestKit
import Testing

@Suite struct PlanGraphTests {
    static let file = """
        name: p
        sources: [{scrape: {job_name: a}}]
        windows: [{record: a:rate, expr: 'rate(a[5m])'}]
        rules: [{alert: Slow, expr: 'a:rate < 1 or {x="y"}', for: 5m}, {alert: Stopped, expr: 'a:rate == 0'}]
        rule_files: [rules/r.yml]
        routing:
          route: {receiver: t, group_by: [job], routes: [{matchers: ['severity="page"'], receiver: t}]}
        sinks: [{name: t, webhook_configs: [{url: 'http://x/'}]}]
        """

    private func graph() throws -> PlanGraph {
        let (plan, problems, _) = try load([
            "p.yml": Self.file, "rules/r.yml": "groups: [{name: more, rules: [{record: x, expr: b}]}]",
        ])
        #expect(problems == "")
        return PlanGraph(try #require(plan))
    }

    @Test func `arrows lead from sources through windows and rules to sinks`() throws {
        let graph = try graph()
        let titles = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.id, $0.title) })
        let arrows = graph.edges.map { "\(titles[$0.from] ?? "") > \(titles[$0.to] ?? "")" }
        #expect(
            Set(arrows) == [
                "scrape/a > series", "series > a:rate", "a:rate > Slow", "series > Slow", "a:rate > Stopped",
                "series > more", "Slow > alerts", "Stopped > alerts", "alerts > all", "all > {severity=\"page\"}",
                "all > t", "{severity=\"page\"} > t", "t > webhook",
            ])
    }

    @Test func `it is drawn for Graphviz`() throws {
        let dot = try graph().dot
        #expect(dot.hasPrefix("digraph tocsin {\n"))
        #expect(dot.contains("    n3 [shape=box, label=\"Slow\\nfor 5m\"];\n"))
        #expect(dot.contains("label=\"{severity=\\\"page\\\"}\\nby job\""))
        #expect(dot.contains("  n1 -> n0;\n"))
        #expect(dot.hasSuffix("}\n"))
    }

    @Test func `it is drawn for Mermaid`() throws {
        let mermaid = try graph().mermaid
        #expect(mermaid.hasPrefix("flowchart LR\n  n0[(\"series<br/>one shared store\")]\n  subgraph p1 [\"p\"]\n"))
        #expect(mermaid.contains("{\"{severity=#quot;page#quot;}<br/>by job\"}\n"))
        #expect(mermaid.contains("  n1 --> n0\n"))
    }
}
