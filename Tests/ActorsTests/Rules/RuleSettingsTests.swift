import Actors
import PromQL
import Streams
import TestKit
import Testing
import YAML

@Suite struct RuleSettingsTests {
    private func read(_ text: String) throws -> (groups: [RuleGroupSettings], problems: String) {
        let diagnostics = Diagnostics()
        let groups = RuleGroupSettings.decodeFile(try Node.parse(text, file: "r.yml"), diagnostics: diagnostics)
        return (groups, ConfigErrors(diagnostics.errors).description)
    }

    @Test func `a rule file becomes groups of rules`() throws {
        let (groups, problems) = try read(
            """
            groups:
            - name: jobs
              interval: 30s
              query_offset: 1m
              limit: 5
              labels: {team: ml, severity: info}
              rules:
              - record: job:up:sum
                expr: |
                  sum by (job) (up)
              - alert: Down
                expr: up == 0
                for: 5m
                keep_firing_for: 1m
                labels: {severity: page, empty: ''}
                annotations: {summary: '{{ $labels.job }} is down'}
            """)
        #expect(problems == "")
        let group = try #require(groups.first)
        #expect((group.name, group.file, group.limit) == ("jobs", "r.yml", 5))
        #expect(group.interval == .seconds(30))
        #expect(group.queryOffset == .seconds(60))
        try #require(group.rules.count == 2)
        #expect(group.rules[0].kind == .record("job:up:sum"))
        #expect(group.rules[0].expressionText == "sum by (job) (up)")
        #expect(group.rules[0].expression == (try PromQLParser.parse("sum by (job) (up)")))
        #expect(group.rules[0].labels == [Label("severity", "info"), Label("team", "ml")])
        let alert = group.rules[1]
        #expect(alert.kind == .alert("Down"))
        #expect(alert.holdDuration == .seconds(300))
        #expect(alert.keepFiringFor == .seconds(60))
        #expect(alert.labels == [Label("empty", ""), Label("severity", "page"), Label("team", "ml")])
        #expect(alert.annotations == [Label("summary", "{{ $labels.job }} is down")])
        #expect(alert.origin.location.description == "r.yml:11:5")
    }

    @Test func `a rule that moved to another line is the same rule`() throws {
        let text = "groups: [{name: g, rules: [{record: a, expr: up}]}]"
        #expect(try read(text).groups == (try read("\n\n" + text).groups))
    }

    /// A rule's text, and what is told about it; the rule's first line is line 4.
    static let bad: [(rule: String, problem: String)] = [
        ("alert: A\n    expr: sume(up)", "r.yml:5:11: unknown function \"sume\"; did you mean \"sum\"?"),
        (
            "alert: A\n    expr: 'rate(up)'",
            "r.yml:5:17: bad expression: expected type range vector in call to function \"rate\", "
                + "got instant vector"
        ),
        (
            "alert: A\n    expr: |\n      up\n      +\n      rat(up)",
            "r.yml:8:7: unknown function \"rat\"; did you mean \"rate\"?"
        ),
        (
            "alert: A\n    expr: \"\\\"\\\" + sum(up{\"",
            "r.yml:5:26: bad expression: unexpected end of input inside braces"
        ),
        ("alert: A", "r.yml:4:5: key \"expr\" is missing in a rule"),
        ("alert: A\n    expr: ''", "r.yml:5:11: must not be empty"),
        ("expr: up", "r.yml:4:5: a rule needs \"record\" or \"alert\" with a name"),
        ("alert: A\n    record: b\n    expr: up", "r.yml:4:12: a rule has either \"record\" or \"alert\", not both"),
        ("record: a\n    expr: up\n    for: 1m", "r.yml:6:10: a recording rule has no \"for\"; only alerting rules do"),
        (
            "record: a{b=\"c\"}\n    expr: up",
            "r.yml:4:13: \"a{b=\\\"c\\\"}\" is no metric's name; braces belong into \"expr\" or \"labels\""
        ),
        (
            "record: a\n    expr: up\n    labels: {__name__: b}",
            "r.yml:6:14: a rule cannot set the label \"__name__\"; \"record\" names the metric"
        ),
        ("alert: A\n    expr: up\n    fro: 1m", "r.yml:6:5: unknown key \"fro\" in a rule; did you mean \"for\"?"),
        ("alert: A\n    expr: up\n    for: 5", "r.yml:6:10: \"5\" is no duration; write one such as 30s, 5m or 1h30m"),
        (
            "alert: A\n    expr: up\n    annotations: {x: '{{ nope 1 }}'}",
            "r.yml:6:26: bad template: function \"nope\" not defined"
        ),
        (
            "alert: A\n    expr: up\n    annotations:\n      x: |\n        fine\n        is {{ $foo }}",
            "r.yml:9:15: bad template: undefined variable \"$foo\""
        ),
    ]

    @Test("A bad rule is told at its character in the file", arguments: bad)
    func refuses(rule: String, problem: String) throws {
        let problems = try read("groups:\n- name: g\n  rules:\n  - \(rule)\n").problems
        #expect(problems == problem)
    }

    @Test func `a group's name is there once`() throws {
        #expect(
            try read("groups:\n- name: g\n- name: g\n- rules: []\n").problems == """
                r.yml:3:9: group "g" is already in line 2 of this file
                r.yml:4:3: key "name" is missing in a rule group
                """)
    }
}
