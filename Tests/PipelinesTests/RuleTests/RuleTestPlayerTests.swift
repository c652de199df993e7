import Foundation
import PromQL
import Streams
import TestKit
import Testing
import YAML

@testable import Pipelines

@Suite struct RuleTestPlayerTests {
    private static let rules = """
        groups:
        - name: second
          rules:
          - {record: twice, expr: 2 * once}
        - name: first
          interval: 5m
          rules:
          - {record: once, expr: x + 1, labels: {from: first}}
          - alert: Down
            expr: up == 0
            for: 2m
            keep_firing_for: 1m
            labels: {severity: page}
            annotations: {summary: '{{ $labels.job }} of {{ $externalLabels.dc }} is down, see {{ $externalURL }}'}
        """

    /// What a file of tests gives beside `rules.yml`: its verdict, and what it says, with paths from its folder on.
    private func play(
        _ tests: String, rules: String = rules, settings: RuleTestPlayer.Settings = .init()
    ) async throws -> (hasPassed: Bool, lines: [String]) {
        let folder = try TemporaryFolder()
        try folder.write("rules.yml", rules)
        try folder.write("test.yml", tests)
        let report = await RuleTestPlayer(settings: settings).play(folder.path("test.yml"))
        let texts =
            report.notices.map(\.description) + report.errors.map(\.description)
            + report.results.flatMap { $0.failures.map(\.description) + $0.dump }
        let lines = texts.flatMap { $0.split(separator: "\n").map { String($0) } }
        return (report.hasPassed, lines.map { $0.replacing(folder.url.path + "/", with: "") })
    }

    private static let down = """
        rule_files: [rules.yml]
        tests:
        - interval: 1m
          external_labels: {dc: north}
          external_url: http://tocsin
          input_series: [{series: 'up{job="a"}', values: 1 0x4 1x5}]
          alert_rule_test:
        """

    @Test func `alerts fire when and as they should`() async throws {
        let (hasPassed, lines) = try await play(
            Self.down + """

                  - {eval_time: 2m59s, alertname: Down}
                  - eval_time: 3m
                    alertname: Down
                    exp_alerts:
                    - exp_labels: {job: a, severity: page}
                      exp_annotations: {summary: 'a of north is down, see http://tocsin'}
                  - {eval_time: 6m, alertname: Down, exp_alerts: [{exp_labels: {job: a, severity: page}, \
                exp_annotations: {summary: 'a of north is down, see http://tocsin'}}]}
                  - {eval_time: 7m, alertname: Down}
                  - {eval_time: 7m, alertname: Unknown}
                """)
        #expect(lines == [])
        #expect(hasPassed)
    }

    @Test func `differences say what is missing, what is there instead, when and where`() async throws {
        let (hasPassed, lines) = try await play(
            Self.down + """

                  - {eval_time: 5m, alertname: Down}
                  - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: a, severity: page}}]}
                  - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: b}, exp_annotations: {a: b}}]}
                """)
        #expect(!hasPassed)
        let found = [
            #"    unexpected: {alertname="Down", job="a", severity="page"}"#,
            #"      summary: "a of north is down, see http://tocsin""#,
        ]
        #expect(
            lines == [
                #"test.yml:8:5: test "unnamed#0": alert Down at 5m is not as expected"#, found[0], found[1],
                #"test.yml:9:5: test "unnamed#0": alert Down at 5m is not as expected"#,
                #"    differs:    {alertname="Down", job="a", severity="page"}"#,
                #"      summary: expected none"#,
                #"                    got "a of north is down, see http://tocsin""#,
                #"test.yml:10:5: test "unnamed#0": alert Down at 5m is not as expected"#,
                #"    missing:    {alertname="Down", job="b"}"#, #"      a: "b""#, found[0], found[1],
            ])
    }

    @Test func `groups are evaluated in the order that the file asks for, at its interval, whatever theirs is`()
        async throws
    {
        let file = """
            rule_files: ['*.yml', rules.yml]
            evaluation_interval: 30s
            group_eval_order: %
            tests:
            - input_series: [{series: x, values: 1+1x10}]
              promql_expr_test:
              - {expr: twice, eval_time: 1m, exp_samples: [{labels: 'twice{from="first"}', value: 8}]}
              - {expr: timestamp(once), eval_time: 59s, exp_samples: [{labels: '{from="first"}', value: 30}]}
              - {expr: 'count_over_time(x[2m:])', eval_time: 2m, exp_samples: [{value: 4}]}
            """
        // As a rule file, the file of tests has keys that are unknown.
        var settings = RuleTestPlayer.Settings()
        settings.ignoresUnknownKeys = true
        let ordered = try await play(file.replacing("%", with: "[first, second]"), settings: settings)
        #expect(ordered.lines == [])
        let unordered = try await play(file.replacing("%", with: "[]"), settings: settings)
        #expect(
            unordered.lines == [
                #"test.yml:7:5: test "unnamed#0": twice at 1m is not as expected"#,
                #"    differs:    twice{from="first"}: expected 8, got 6"#,
            ])
    }

    @Test func `nobody sees samples of the future, nor such as come after the last evaluation`() async throws {
        let (_, lines) = try await play(
            """
            rule_files: [rules.yml]
            tests:
            - interval: 50s
              input_series: [{series: x, values: 1 2 3}]
              promql_expr_test:
              - {expr: seen, eval_time: 1m}
              - {expr: x offset -1m, eval_time: 1m, exp_samples: [{labels: x, value: 2}]}
              - {expr: x, eval_time: 119s, exp_samples: [{labels: x, value: 2}]}
            """, rules: "groups: [{name: g, rules: [{record: seen, expr: timestamp(x offset -1m) > 50}]}]")
        #expect(lines == [])
    }

    @Test func `native histograms come in and out, with what Prometheus's storage knows of resets`() async throws {
        let one = "{{count:2 sum:3 buckets:[2]}}"
        let (_, lines) = try await play(
            """
            rule_files: [rules.yml]
            tests:
            - input_series:
              - {series: h, values: '\(one)x1 {{count:1 sum:1 buckets:[1]}} stale \(one) 7 {{counter_reset_hint:gauge}}'}
              promql_expr_test:
              - {expr: h, eval_time: 0m, exp_samples: [{labels: h, histogram: '\(one)'}]}
              - expr: h
                eval_time: 1m
                exp_samples: [{labels: h, histogram: '{{count:2 sum:3 counter_reset_hint:not_reset buckets:[2]}}'}]
              - expr: h
                eval_time: 2m
                exp_samples: [{labels: h, histogram: '{{count:1 sum:1 counter_reset_hint:reset buckets:[1]}}'}]
              - {expr: h, eval_time: 4m, exp_samples: [{labels: h, histogram: '\(one)'}]}
              - {expr: h, eval_time: 5m, exp_samples: [{labels: h, value: 7}]}
              - {expr: h, eval_time: 6m, exp_samples: [{labels: h, histogram: '{{counter_reset_hint:gauge}}'}]}
              - {expr: doubled, eval_time: 0m, exp_samples: [{labels: doubled, histogram: '\(one)'}, {value: 1}]}
            """, rules: "groups: [{name: g, rules: [{record: doubled, expr: 2 * h}]}]")
        #expect(
            lines == [
                #"test.yml:16:5: test "unnamed#0": doubled at 0s is not as expected"#, "    missing:    {} 1",
                "    differs:    doubled: expected {{count:2 sum:3 buckets:[2]}}, got {{count:4 sum:6 buckets:[4]}}",
            ])
    }

    @Test func `times begin at the start of the test`() async throws {
        let (_, lines) = try await play(
            """
            tests:
            - start_timestamp: 2026-01-01T00:00:00Z
              input_series: [{series: x, values: 1 2}]
              promql_expr_test:
              - {expr: timestamp(x), eval_time: 1m, exp_samples: [{value: 1767225660}]}
            - start_timestamp: 100.5
              promql_expr_test: [{expr: time(), eval_time: 0, exp_samples: [{value: 100.5}]}]
            """)
        #expect(lines == [])
    }

    @Test func `a rule that fails ends its test and names the rule`() async throws {
        let (hasPassed, lines) = try await play(
            """
            rule_files: [rules.yml]
            tests:
            - name: t
              input_series: [{series: 'x{a="1"}', values: _ 1}, {series: 'x{a="2"}', values: _ 1}]
              promql_expr_test: [{expr: 1 +, eval_time: 5m}]
            """, rules: "groups: [{name: g, rules: [{record: r, expr: x, labels: {a: ''}}]}]")
        #expect(!hasPassed)
        #expect(
            lines == [
                #"test.yml:3:3: test "t": rule "r" at 1m fails"#,
                "    rules.yml:1:28: vector contains metrics with the same labelset after applying rule labels",
            ])
    }

    @Test func `two rules that record one series otherwise fail`() async throws {
        let (_, lines) = try await play(
            "{rule_files: [rules.yml], tests: [{promql_expr_test: [{expr: r, eval_time: 0}]}]}",
            rules: "groups: [{name: g, rules: [{record: r, expr: 1}, {record: r, expr: 2}, {record: r, expr: 1}]}]")
        #expect(
            lines == [
                #"test.yml:1:35: test "unnamed#0": rule "r" at 0s fails"#,
                "    rules.yml:1:50: results were discarded: duplicate sample for timestamp (1)",
            ])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var tests: String
        var rules = RuleTestPlayerTests.rules
        var lines: [String]
    }

    static let bad = [
        Bad(
            testDescription: "an unknown key", tests: "{test: []}",
            lines: [#"test.yml:1:2: unknown key "test" in a file of rule tests; did you mean "tests"?"#]),
        Bad(
            testDescription: "a repeated group", tests: "group_eval_order: [a, b, a]",
            lines: [#"test.yml:1:26: group "a" is repeated in the order of evaluation"#]),
        Bad(
            testDescription: "an alert without a name", tests: "tests: [{alert_rule_test: [{eval_time: 1m}]}]",
            lines: [#"test.yml:1:28: key "alertname" is missing"#]),
        Bad(
            testDescription: "a bad series", tests: "tests: [{input_series: [{series: up, values: 1 2xz}]}]",
            lines: [#"test.yml:1:50: test "unnamed#0": bad input series: unexpected "z" in series values"#]),
        Bad(
            testDescription: "a bad expression", tests: "tests: [{promql_expr_test: [{expr: 'up +'}]}]",
            lines: [#"test.yml:1:41: test "unnamed#0": up + at 0s: unexpected end of input"#]),
        Bad(
            testDescription: "bad labels",
            tests: "tests: [{promql_expr_test: [{expr: up, exp_samples: [{labels: '{a=b}'}]}]}]",
            lines: [
                #"test.yml:1:67: test "unnamed#0": up at 0s: bad labels: unexpected identifier "b" in label set, expected string"#
            ]),
        Bad(
            testDescription: "a result that is a text", tests: #"tests: [{promql_expr_test: [{expr: '"a"'}]}]"#,
            lines: [
                #"test.yml:1:36: test "unnamed#0": "a" at 0s: the result is neither a vector nor a scalar"#
            ]),
        Bad(
            testDescription: "a NaN equals nothing",
            tests: "tests: [{promql_expr_test: [{expr: NaN, exp_samples: [{value: .nan}]}]}]",
            lines: [
                #"test.yml:1:29: test "unnamed#0": NaN at 0s is not as expected"#,
                "    differs:    {}: expected NaN, got NaN",
            ]),
        Bad(
            testDescription: "a bad rule file", tests: "{rule_files: [rules.yml], tests: [{}]}",
            rules: "groups: [{name: g, rules: [{record: r, expr: up +}]}]",
            lines: ["rules.yml:1:50: bad expression: unexpected end of input"]),
        Bad(
            testDescription: "a test without end",
            tests: "{evaluation_interval: 1ms, tests: [{promql_expr_test: [{expr: up, eval_time: 100y}]}]}",
            lines: ["test.yml:1:36: lasts for more than 10000000 evaluation intervals, which is too long"]),
    ]

    @Test("What is wrong has its place", arguments: bad)
    func refuses(_ example: Bad) async throws {
        let (hasPassed, lines) = try await play(example.tests, rules: example.rules)
        #expect(lines == example.lines)
        #expect(!hasPassed)
    }

    @Test func `a pattern that no file matches is told and no error; so is a file without tests`() async throws {
        let missing = try await play("{rule_files: [nope*.yml], tests: [{}]}")
        #expect(missing.lines == [#"test.yml:1:15: note: no file matches "nope*.yml""#])
        #expect(missing.hasPassed)
        #expect(try await play("").hasPassed)
    }

    @Test func `only wanted tests run, and floats that are neighbours are the same where the file says so`()
        async throws
    {
        let file = """
            fuzzy_compare: %
            tests:
            - {name: near, promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]}
            - {name: far, promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.31}]}]}
            """
        var settings = RuleTestPlayer.Settings()
        settings.only = [try RegularExpression("ear"), try RegularExpression("^never$")]
        #expect(try await play(file.replacing("%", with: "true"), settings: settings).hasPassed)
        #expect(try await !play(file.replacing("%", with: "false"), settings: settings).hasPassed)
        #expect(try await !play(file.replacing("%", with: "true")).hasPassed)
    }

    @Test func `unknown keys in rule files may be let pass, those in tests never`() async throws {
        let rules = "{owner: me, groups: [{name: g, rules: [{record: r, expr: 1, ticket: 2}]}]}"
        let tests = "{rule_files: [rules.yml], tests: [{promql_expr_test: [{expr: 1, exp_samples: [{value: 1}]}]}]}"
        var settings = RuleTestPlayer.Settings()
        #expect(try await !play(tests, rules: rules, settings: settings).hasPassed)
        settings.ignoresUnknownKeys = true
        #expect(try await play(tests, rules: rules, settings: settings).hasPassed)
        #expect(try await !play("owner: me", settings: settings).hasPassed)
    }

    @Test func `features of the language are off unless they are asked for`() async throws {
        let rules = "groups: [{name: g, rules: [{record: r, expr: 'mad_over_time(x[5m])'}]}]"
        let tests = """
            {rule_files: [rules.yml], tests: [{input_series: [{series: x, values: 1 2 4}],
             promql_expr_test: [{expr: r, eval_time: 2m, exp_samples: [{labels: r, value: 1}]}]}]}
            """
        var settings = RuleTestPlayer.Settings()
        #expect(try await !play(tests, rules: rules, settings: settings).hasPassed)
        settings.language = ParserOptions(experimentalFunctions: true)
        #expect(try await play(tests, rules: rules, settings: settings).lines == [])
    }

    @Test func `all samples can be listed`() async throws {
        var settings = RuleTestPlayer.Settings()
        settings.dumpsSamples = true
        let (_, lines) = try await play(
            """
            rule_files: [rules.yml]
            tests: [{input_series: [{series: x, values: 1 _ stale}], promql_expr_test: [{expr: x, eval_time: 2m}]}]
            """, settings: settings)
        #expect(
            lines == [
                #"once{from="first"} 2@0s 2@1m stale@2m"#, #"twice{from="first"} 4@1m 4@2m"#, "x 1@0s stale@2m",
            ])
    }

    @Test func `an annotation without a text is expected like others, and texts are compared by bytes`() async throws {
        let rules = """
            groups:
            - name: g
              rules:
              - {alert: A, expr: m, annotations: {none: '', word: "caf\u{E9}"}}
            """
        let expected = [
            ("{none: '', word: \"caf\u{E9}\"}", true), ("{word: \"caf\u{E9}\"}", false),
            ("{none: '', word: \"caf\u{E9}\", other: ''}", false), ("{none: '', word: \"cafe\u{301}\"}", false),
        ]
        for (annotations, passes) in expected {
            let (hasPassed, lines) = try await play(
                """
                rule_files: [rules.yml]
                tests:
                - input_series: [{series: m, values: 1x5}]
                  alert_rule_test: [{eval_time: 1m, alertname: A, exp_alerts: [{exp_annotations: \(annotations)}]}]
                """, rules: rules)
            #expect(hasPassed == passes, "\(annotations): \(lines)")
        }
    }

    @Test func `the tests of the pipelines that ship pass`() async throws {
        let folder = Shipped.folder.appending(path: "tests")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 4)
        for file in files {
            let report = await RuleTestPlayer().play(file.path)
            #expect(report.errors.map(\.description) == [])
            #expect(report.results.flatMap(\.failures).map(\.description) == [])
            #expect(report.results.count > 0)
        }
    }

    @Test func `build servers can read the results`() async throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "test.yml",
            "tests: [{name: 'a<b'}, {name: '\"c\"', promql_expr_test: [{expr: 1, exp_samples: [{value: 2}]}]}]")
        var report = await RuleTestPlayer().play(folder.path("test.yml"))
        for place in report.results.indices { report.results[place].duration = .milliseconds(1500) }
        report.path = "test.yml"
        var unread = report
        unread.results = []
        unread.errors = await RuleTestPlayer().play(folder.path("nope.yml")).errors
        let text = JUnitReport([report, unread]).text.replacing(folder.url.path + "/", with: "")
        #expect(
            text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites>
                  <testsuite name="test.yml" tests="2" failures="1" errors="0" time="3.0">
                    <testcase name="a&lt;b" time="1.5"/>
                    <testcase name="&quot;c&quot;" time="1.5">
                      <failure message="test &quot;\\&quot;c\\&quot;&quot;: 1 at 0s is not as expected">test.yml:1:57: test &quot;\\&quot;c\\&quot;&quot;: 1 at 0s is not as expected
                    differs:    {}: expected 2, got 1</failure>
                    </testcase>
                  </testsuite>
                  <testsuite name="test.yml" tests="1" failures="0" errors="1" time="0.0">
                    <testcase name="the file can be read" time="0.0">
                      <error message="nope.yml:1:1: cannot read the file: No such file or directory">nope.yml:1:1: cannot read the file: No such file or directory</error>
                    </testcase>
                  </testsuite>
                </testsuites>

                """)
    }
}
