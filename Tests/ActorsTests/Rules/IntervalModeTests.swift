import PromQL
import Streams
import Synchronization
import TestKit
import Testing

@testable import Actors

/// What Prometheus's rule manager does, in `evaluation: interval`.
@Suite struct IntervalModeTests {
    private func job(_ name: String, _ metric: String = "failed") -> LabelSet { ["__name__": metric, "job": name] }

    /// A clock at a time where the group of the tests, `rules.yml;g` at 10 s, is evaluated.
    private static func bench(
        _ rules: String, mode: EvaluationMode = .interval, queryOffset: Duration = .zero
    ) throws -> RuleBench {
        let bench = try RuleBench(
            "groups: [{name: g, \(rules)}]", mode: mode, interval: .seconds(10), queryOffset: queryOffset,
            clock: ManualClock(at: phase))
        return bench
    }

    /// When the group is evaluated, in the first ten seconds of the epoch, and a while later.
    private static let phase: Timestamp = {
        let identity: LabelSet = ["file": "rules.yml", "name": "g"]
        return Timestamp(
            milliseconds: 1_767_225_600_000 + Int64(identity.stableHash % 10_000_000_000 / 1_000_000))
    }()

    @Test func `a group is evaluated on its interval, shifted by its name's hash as in Prometheus`() throws {
        // xxhash of the labels file and name in Prometheus's own encoding.
        let identity: LabelSet = ["file": "rules.yml", "name": "g"]
        #expect(identity.stableHash == 16_556_451_737_426_745_134)
        let bench = try Self.bench("rules: [{record: r, expr: vector(1)}]")
        bench.run(for: .seconds(25))
        #expect(try bench.samples("r") == ["r 1.0@10.0 1.0@20.0"])
    }

    @Test func `what rules record lies the query offset back, and so do alerts and markers`() throws {
        for (rules, offset) in [("query_offset: 3s, rules:", Duration.zero), ("rules:", .seconds(3))] {
            let bench = try Self.bench(
                "\(rules) [{record: r, expr: failed == 1}, {alert: A, expr: failed == 1}]", queryOffset: offset)
            bench.run(for: .seconds(6))
            bench.push([(job("a"), 1)])
            bench.run(for: .seconds(13))
            bench.push([(job("a"), 0)])
            bench.run(for: .seconds(12))
            // Evaluated at 10 and 20 with what came before 7 and 17, and at 30.
            #expect(try bench.samples("r") == [#"r{job="a"} 1.0@7.0 1.0@17.0 stale@27.0"#])
            #expect(
                try bench.samples("ALERTS")
                    == [#"ALERTS{alertname="A", alertstate="firing", job="a"} 1.0@7.0 1.0@17.0 stale@27.0"#])
            #expect(bench.story == ["10.0 a inactive>firing", "30.0 a firing>inactive"])
        }
    }

    @Test func `rules see what the rules before them have recorded just now`() throws {
        let bench = try Self.bench(
            "rules: [{record: late, expr: sum(r)}, {record: r, expr: failed + 1}, {record: early, expr: sum(r)}]")
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(20))
        #expect(try bench.samples("late") == ["late 2.0@20.0"])
        #expect(try bench.samples("early") == ["early 2.0@10.0 2.0@20.0"])
    }

    @Test func `an alert's series changes with its state`() throws {
        let bench = try Self.bench("rules: [{alert: A, expr: failed == 1, for: 15s, keep_firing_for: 10s}]")
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(35))
        bench.push([(job("a"), 0)])
        bench.run(for: .seconds(25))
        #expect(
            try bench.samples("ALERTS") == [
                #"ALERTS{alertname="A", alertstate="firing", job="a"} 1.0@30.0 1.0@40.0 stale@50.0"#,
                #"ALERTS{alertname="A", alertstate="pending", job="a"} 1.0@10.0 1.0@20.0 stale@30.0"#,
            ])
        let since = Double((bench.start.milliseconds + 10_000) / 1000)
        #expect(
            try bench.samples("ALERTS_FOR_STATE")
                == [
                    #"ALERTS_FOR_STATE{alertname="A", job="a"} \#(since)@10.0 \#(since)@20.0 \#(since)@30.0 \#(since)@40.0 stale@50.0"#
                ])
        #expect(bench.story == ["10.0 a inactive>pending", "30.0 a pending>firing", "50.0 a firing>inactive"])
    }

    @Test func `a rule over its limit fails, writes nothing and leaves its series to look-back`() throws {
        let bench = try Self.bench(
            "limit: 1, rules: [{record: r, expr: failed}, {alert: A, expr: failed}]")
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(15))
        bench.push([(job("b"), 1)])
        bench.run(for: .seconds(10))
        #expect(bench.metric("prometheus_rule_evaluation_failures_total") == 2)
        #expect(try bench.samples("r") == [#"r{job="a"} 1.0@10.0"#])
        #expect(try bench.samples("ALERTS") == [#"ALERTS{alertname="A", alertstate="firing", job="a"} 1.0@10.0"#])
        bench.push([(job("a"), StaleMarker.value)])
        bench.run(for: .seconds(10))
        #expect(try bench.samples("r") == [#"r{job="a"} 1.0@10.0 stale@30.0"#, #"r{job="b"} 1.0@30.0"#])
        #expect(
            try bench.samples("ALERTS") == [
                #"ALERTS{alertname="A", alertstate="firing", job="a"} 1.0@10.0 stale@30.0"#,
                #"ALERTS{alertname="A", alertstate="firing", job="b"} 1.0@30.0"#,
            ])
    }

    @Test func `results with the same labels make a rule fail; its alerts stay as they are`() throws {
        let bench = try Self.bench(
            """
            rules: [{record: r, expr: failed, labels: {job: ''}}, {alert: A, expr: failed, labels: {job: '{{ "" }}'}}]
            """)
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(15))
        bench.push([(job("b"), 1)])
        bench.run(for: .seconds(10))
        #expect(bench.metric("prometheus_rule_evaluation_failures_total") == 2)
        #expect(try bench.samples("r") == ["r 1.0@10.0"])
        #expect(bench.story == ["10.0 A inactive>firing"])
    }

    // MARK: reload

    private static let failed = "rules: [{alert: A, expr: failed == 1, for: 5s}, {record: r, expr: failed}]"

    @Test func `rules with the same name and labels go on after a reload, whatever else has changed`() throws {
        let bench = try Self.bench(Self.failed)
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(25))
        try bench.reload(
            "groups: [{name: g, rules: [{record: r, expr: 2 * failed}, {alert: A, expr: failed > 0, for: 7s}]}]")
        bench.run(for: .seconds(10))
        #expect(bench.story == ["10.0 a inactive>pending", "20.0 a pending>firing"])
        #expect(try bench.samples("r") == [#"r{job="a"} 1.0@10.0 1.0@20.0 2.0@30.0"#])
    }

    @Test func `an alert that fires is pending again when for is made longer`() throws {
        let bench = try Self.bench(Self.failed)
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(25))
        try bench.reload("groups: [{name: g, rules: [{alert: A, expr: failed == 1, for: 30s}]}]")
        bench.run(for: .seconds(20))
        #expect(bench.story.suffix(2) == ["30.0 a firing>pending", "40.0 a pending>firing"])
        #expect(bench.notified.all.map { $0.endsAt == nil } == [true, false, true])
    }

    @Test func `series of a rule that is gone are marked stale when its group has been evaluated`() throws {
        let bench = try Self.bench(Self.failed)
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(25))
        // The same series from another rule goes on; the other one ends.
        try bench.reload(
            "groups: [{name: g, rules: [{record: r, expr: failed, labels: {x: ''}}, {alert: B, expr: failed == 1}]}]")
        #expect(bench.story.last == "25.0 a firing>inactive")
        #expect(bench.notified.all.last?.endsAt == bench.clock.now())
        bench.run(for: .seconds(10))
        #expect(try bench.samples("r") == [#"r{job="a"} 1.0@10.0 1.0@20.0 1.0@30.0"#])
        #expect(
            try bench.samples(#"ALERTS{alertname="A",alertstate="firing"}"#)
                == [#"ALERTS{alertname="A", alertstate="firing", job="a"} 1.0@20.0 stale@30.0"#])
    }

    // MARK: metrics

    @Test func `groups are measured under Prometheus's names, until they are gone`() throws {
        let bench = try Self.bench("rules: [{record: r, expr: failed}, {alert: A, expr: failed}, {record: b, expr: r}]")
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(20))
        func value(_ name: String) -> String? {
            let line = bench.telemetry.exposition().split(separator: "\n").first {
                $0.hasPrefix(#"prometheus_rule_\#(name){rule_group="rules.yml;g"} "#)
            }
            return line?.split(separator: " ").last.map { String($0) }
        }
        #expect(value("group_iterations_total") == "2")
        #expect(value("group_iterations_missed_total") == "0")
        #expect(value("group_interval_seconds") == "10")
        #expect(value("group_rules") == "3")
        // Each alert has two series.
        #expect(value("group_last_evaluation_samples") == "4")
        #expect(
            value("group_last_evaluation_timestamp_seconds") == "\((bench.start + .seconds(20)).seconds)")
        #expect(value("evaluations_total") == "6")
        #expect(value("evaluation_failures_total") == "0")
        #expect(value("group_last_duration_seconds") != nil)
        #expect(bench.metric("prometheus_rule_evaluation_duration_seconds_count") == 6)
        #expect(bench.metric("prometheus_rule_group_duration_seconds_count") == 2)
        let members = bench.groups.map { (pipeline: "p", settings: $0.settings) }
        RuleGroupMetrics.remove(of: members, staying: members, from: bench.telemetry)
        #expect(value("group_rules") == "3")
        RuleGroupMetrics.remove(of: members, staying: [], from: bench.telemetry)
        #expect(!bench.telemetry.exposition().contains("rule_group="))
    }

    @Test func `an expansion that fails is counted, and its text says why`() throws {
        let bench = try Self.bench(
            """
            rules: [{alert: A, expr: failed, annotations: {good: '{{ $value }}', bad: '{{ .Foo }}', plain: x}}]
            """)
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(10))
        #expect(bench.metric("prometheus_template_text_expansions_total") == 2)
        #expect(bench.metric("prometheus_template_text_expansion_failures_total") == 1)
        let text = try #require(bench.notified.all.first?.annotations["bad"])
        #expect(text.hasPrefix("<error expanding template: error executing template __alert_A: template: __alert_A:1:"))
        #expect(text.contains("can't evaluate field Foo"))
    }
}
