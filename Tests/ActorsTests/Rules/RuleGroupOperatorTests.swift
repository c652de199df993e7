import Streams
import Synchronization
import TestKit
import Testing

@testable import Actors

@Suite struct RuleGroupOperatorTests {
    private func job(_ name: String, _ metric: String = "failed") -> LabelSet { ["__name__": metric, "job": name] }

    private static let failed = """
        groups:
        - name: g
          rules:
          - alert: Failed
            expr: failed == 1
            labels: {severity: page}
            annotations: {summary: '{{ $labels.job }} is {{ $value }}'}
        """

    @Test func `a streaming rule is evaluated as soon as its input has changed`() throws {
        let bench = try RuleBench(Self.failed)
        bench.push([(job("a"), 1), (job("b"), 0)])
        #expect(bench.story == ["0.0 a inactive>firing"])
        let alert = try #require(bench.notified.all.first)
        #expect(alert.labels == ["alertname": "Failed", "cluster": "c", "job": "a", "severity": "page"])
        #expect(alert.annotations == ["summary": "a is 1"])
        #expect(alert.startsAt == bench.start && alert.endsAt == nil)
        bench.run(for: .milliseconds(500))
        bench.push([(job("a"), 0)])
        #expect(bench.story.last == "0.5 a firing>inactive")
        #expect(bench.notified.all.last?.endsAt == bench.clock.now())
        #expect(bench.dispatch.gate.counts.queued == 0)
        #expect(bench.dispatch.gate.counts.delivered == 2)
    }

    @Test func `a rule whose results come from one series each looks at what changed only`() throws {
        let bench = try RuleBench(Self.failed)
        bench.push((0..<100).map { (job("\($0)"), 0) })
        bench.watch.requests.withLock { $0 = [] }
        bench.run(for: .milliseconds(1))
        bench.push([(job("7"), 1)])
        #expect(bench.watch.requests.withLock { $0.map { $0.only?.count } } == [1])
        #expect(bench.story == ["0.001 7 inactive>firing"])
    }

    @Test func `samples that no rule reads wake nobody`() throws {
        let bench = try RuleBench(Self.failed)
        bench.push([(job("a", "other"), 1)])
        #expect(bench.watch.requests.withLock { $0.isEmpty })
        #expect(bench.dispatch.gate.counts.delivered == 1)
    }

    @Test func `for runs out on its deadline, without new samples`() throws {
        let bench = try RuleBench(
            """
            groups:
            - name: g
              interval: 1h
              rules: [{alert: A, expr: failed == 1, for: 90s, keep_firing_for: 30s}]
            """)
        bench.push([(job("a"), 1)])
        #expect(bench.query("ALERTS") == [#"ALERTS{alertname="A", alertstate="pending", job="a"} 1.0"#])
        bench.run(for: .seconds(89))
        #expect(bench.story == ["0.0 a inactive>pending"])
        bench.run(for: .seconds(2))
        #expect(bench.story.last == "90.0 a pending>firing")
        bench.push([(job("a"), 0)])
        #expect(bench.story.count == 2)
        bench.run(for: .seconds(31))
        #expect(bench.story.last == "121.0 a firing>inactive")
    }

    @Test func `in interval mode only the interval counts`() throws {
        let bench = try RuleBench(Self.failed, mode: .interval, interval: .seconds(15))
        bench.toNextTick()
        let first = bench.clock.now()
        bench.run(for: .seconds(1))
        bench.push([(job("a"), 1)])
        #expect(bench.story.isEmpty)
        bench.run(for: .seconds(13))
        #expect(bench.story.isEmpty)
        bench.run(for: .seconds(1))
        #expect(bench.transitions.all.map(\.time) == [first + .seconds(15)])
        bench.run(for: .seconds(30))
        #expect(bench.metric("tocsin_rule_group_iterations_total") == 4)
        #expect(bench.metric("tocsin_rule_group_iterations_missed_total") == 0)
    }

    @Test func `intervals that passed during a standstill are counted as missed`() throws {
        let bench = try RuleBench(Self.failed, mode: .interval, interval: .seconds(15))
        bench.toNextTick()
        let first = bench.clock.now()
        bench.push([(job("a"), 1)])
        bench.clock.advance(to: first + .seconds(50))
        bench.simulation.runUntilIdle()
        #expect(bench.transitions.all.map(\.time) == [first + .seconds(45)])
        #expect(bench.metric("tocsin_rule_group_iterations_missed_total") == 2)
        #expect(bench.metric("prometheus_rule_group_iterations_total") == 4)
    }

    @Test func `what a rule records is seen by the rules after it`() throws {
        let bench = try RuleBench(
            """
            groups:
            - name: g
              rules:
              - {record: job:failed:sum, expr: sum by (job) (failed), labels: {team: ml}}
              - {alert: A, expr: 'job:failed:sum > 1'}
            """)
        bench.push([
            (["__name__": "failed", "job": "a", "n": "1"], 1), (["__name__": "failed", "job": "a", "n": "2"], 1),
        ])
        bench.run(for: .milliseconds(100))
        #expect(bench.query("job:failed:sum") == [#"job:failed:sum{job="a", team="ml"} 2.0"#])
        #expect(bench.transitions.all.map(\.to) == [.firing])
    }

    @Test func `native histograms wake rules, are recorded, and are shown by alerts`() throws {
        let bench = try RuleBench(
            """
            groups:
            - name: g
              rules:
              - {record: all, expr: sum(steps)}
              - {alert: Slow, expr: steps, annotations: {text: '{{ $value }}'}}
              - {alert: Many, expr: histogram_count(all) > 4}
            """)
        func steps(_ count: Double) -> NativeHistogram {
            NativeHistogram(
                count: count, sum: 1, positive: .init(spans: [.init(offset: 0, length: 1)], counts: [count]))
        }
        bench.push(["__name__": "steps", "job": "a"], steps(2))
        bench.run(for: .milliseconds(100))
        #expect(bench.query("all") == ["all {count:2, sum:1, (0.5,1]:2}"])
        #expect(bench.transitions.all.map(\.rule) == ["Slow"])
        let alert = try #require(bench.notified.all.first)
        #expect(alert.annotations == ["text": "{count:2, sum:1, (0.5,1]:2}"])
        bench.push(["__name__": "steps", "job": "b"], steps(3))
        bench.run(for: .milliseconds(100))
        #expect(bench.query("all") == ["all {count:5, sum:2, (0.5,1]:5}"])
        #expect(bench.transitions.all.map(\.rule) == ["Slow", "Slow", "Many"])
    }

    @Test func `results that vanish are marked stale at once`() throws {
        let bench = try RuleBench(
            """
            groups:
            - name: g
              rules:
              - {record: bad, expr: failed == 1}
              - {alert: A, expr: failed == 1}
            """)
        bench.push([(job("a"), 1), (job("b"), 1)])
        #expect(bench.query("bad").count == 2)
        #expect(bench.query("ALERTS").count == 2)
        #expect(bench.query("ALERTS_FOR_STATE").count == 2)
        bench.run(for: .seconds(1))
        bench.push([(job("a"), 0)])
        #expect(bench.query("bad") == [#"bad{job="b"} 1.0"#])
        #expect(
            bench.query("ALERTS") == [#"ALERTS{alertname="A", alertstate="firing", job="b"} 1.0"#])
        let since = Double(bench.start.milliseconds / 1000)
        #expect(bench.query("ALERTS_FOR_STATE") == [#"ALERTS_FOR_STATE{alertname="A", job="b"} \#(since)"#])
    }

    @Test func `a rule that fails leaves its group running, and is told once`() throws {
        let bench = try RuleBench(
            """
            groups:
            - name: g
              rules:
              - {record: twice, expr: 'label_replace(failed, "job", "x", "", "")'}
              - {alert: A, expr: failed == 1}
            """)
        bench.push([(job("a"), 1), (job("b"), 0)])
        bench.run(for: .seconds(300))
        #expect(bench.story.first == "0.0 a inactive>firing")
        #expect(bench.log.messages.filter { $0.contains("Rule evaluation failed") }.count == 1)
        #expect(bench.metric("tocsin_rule_evaluation_failures_total") >= 5)
    }

    @Test func `an evaluation that fails at an alert's deadline is tried again at the interval, not without end`()
        throws
    {
        let bench = try RuleBench(
            """
            groups: [{name: g, rules: [{alert: A, expr: failed == 1, for: 10s}]}]
            """)
        bench.toNextTick()
        bench.push([(job("a"), 1)])
        // One evaluation a millisecond: that of the interval was in this one.
        bench.run(for: .milliseconds(1))
        bench.watch.failure.withLock { $0 = .unavailable("the disk is on fire") }
        let before = bench.metric("tocsin_rule_evaluations_total")
        bench.run(for: .milliseconds(58_999))
        #expect(bench.metric("tocsin_rule_evaluations_total") - before <= 2)
        bench.watch.failure.withLock { $0 = nil }
        bench.run(for: .seconds(1))
        #expect(bench.story.last?.hasSuffix("a pending>firing") == true)
        #expect(bench.log.messages.last?.contains("works again") == true)
    }

    @Test func `many batches within a millisecond do not make time run ahead of the clock`() throws {
        let bench = try RuleBench(
            """
            groups: [{name: g, rules: [{alert: A, expr: failed == 1}]}]
            """)
        bench.toNextTick()
        for round in 0..<100 { bench.push([(job("j\(round)"), 1)]) }
        bench.run(for: .milliseconds(1))
        #expect(Set(bench.notified.all.map(\.startsAt)).count <= 2)
        #expect(Set(bench.notified.all.compactMap { $0.labels["job"] }).count == 100)
    }

    @Test func `beyond the limit firing alerts are told to have ended`() throws {
        let bench = try RuleBench(
            """
            groups: [{name: g, limit: 2, rules: [{alert: A, expr: failed == 1}]}]
            """)
        bench.push([(job("a"), 1), (job("b"), 1)])
        bench.run(for: .seconds(1))
        bench.push([(job("c"), 1)])
        #expect(bench.notified.all.filter { $0.endsAt != nil }.compactMap { $0.labels["job"] }.sorted() == ["a", "b"])
        #expect(bench.query("ALERTS") == [])
        bench.run(for: .seconds(1))
        // One that is told alone is not all there is.
        bench.push([(job("a"), 1)])
        #expect(bench.query("ALERTS") == [])
    }

    @Test func `a rule that reads what it writes comes to rest`() throws {
        let bench = try RuleBench(
            """
            groups:
            - name: g
              rules:
              - {record: n, expr: 'n + 1 or 0 * failed'}
              - {record: ping, expr: pong + 1 or failed}
              - {record: pong, expr: ping + 1}
              - {alert: A, expr: 'ALERTS{alertname="none"} or failed == 1'}
            """)
        bench.push([(job("a"), 1)])
        bench.run(for: .milliseconds(100))
        #expect(bench.metric("tocsin_rule_evaluations_total") <= 20)
        #expect(bench.story == ["0.0 a inactive>firing"])
    }

    @Test func `a sample from a clock ahead is seen in its time and holds nothing else up`() throws {
        let bench = try RuleBench(Self.failed)
        bench.push([(job("early"), 1)], ahead: .seconds(10))
        #expect(bench.story.isEmpty)
        bench.run(for: .seconds(1))
        bench.push([(job("a"), 1)])
        #expect(bench.story == ["1.0 a inactive>firing"])
        bench.run(for: .seconds(10))
        #expect(bench.story.last == "10.0 early inactive>firing")
    }

    @Test func `alerts of an earlier run do not end before their samples can have come`() throws {
        let active = ActiveAlerts.Active(
            source: ["job": "a"], labels: ["alertname": "Failed", "job": "a", "severity": "page"],
            annotations: LabelSet(), value: 1, state: .firing,
            activeSince: Timestamp(milliseconds: 1_767_225_000_000),
            firedAt: Timestamp(milliseconds: 1_767_225_000_000))
        let bench = try RuleBench(Self.failed, restoring: ["Failed": [active]])
        bench.run(for: .seconds(120))
        #expect(bench.story.isEmpty)
        bench.push([(job("a"), 1)])
        bench.run(for: .seconds(120))
        #expect(bench.story.isEmpty)
        bench.push([(job("a"), 0)])
        #expect(bench.story == ["240.0 a firing>inactive"])
    }

    private static func active(
        _ labels: LabelSet, _ state: AlertState, since seconds: Int64
    ) -> ActiveAlerts.Active {
        let since = Timestamp(milliseconds: 1_767_225_600_000 - seconds * 1000)
        return ActiveAlerts.Active(
            source: ["job": labels["job"] ?? ""], labels: labels, annotations: LabelSet(), value: 1, state: state,
            activeSince: since, firedAt: state == .firing ? since : nil)
    }

    @Test func `an alert of an earlier run ends at once when a sample of its own says so`() throws {
        let alert = Self.active(["alertname": "Failed", "job": "a", "severity": "page"], .firing, since: 1000)
        let bench = try RuleBench(Self.failed, restoring: ["Failed": [alert]])
        bench.push([(job("b"), 0)])
        bench.run(for: .seconds(1))
        #expect(bench.story.isEmpty)
        bench.push([(job("a"), 0)])
        #expect(bench.story == ["1.0 a firing>inactive"])
    }

    @Test func `the time for which the server was away does not count for a pending alert`() throws {
        let rules = "groups: [{name: g, rules: [{alert: Failed, expr: failed == 1, for: 10m}]}]"
        for outage in [0, 60, 3600] {
            // Pending for 500 seconds when the server was last well.
            let alert = Self.active(["alertname": "Failed", "job": "a"], .pending, since: Int64(outage) + 500)
            let bench = try RuleBench(rules, restoring: ["Failed": [alert]], outage: .seconds(outage))
            bench.push([(job("a"), 1)])
            bench.run(for: .seconds(99))
            #expect(bench.story.isEmpty)
            bench.run(for: .seconds(1))
            #expect(bench.story == ["100.0 a pending>firing"], "\(outage)")
        }
        let alert = Self.active(["alertname": "Failed", "job": "a"], .pending, since: 4000)
        let bench = try RuleBench(rules, restoring: ["Failed": [alert]], outage: .seconds(3601))
        bench.push([(job("a"), 1)])
        #expect(bench.story == ["0.0 a inactive>pending"])
    }

    @Test func `alerts of an earlier run go back to the rule with their labels`() throws {
        let text = """
            groups:
            - name: g
              rules:
              - {alert: Failed, expr: failed == 1, labels: {severity: warning}}
              - {alert: Failed, expr: failed == 2, labels: {severity: page}}
            """
        func saved(_ severity: String, _ name: String) -> SavedRule {
            let labels: LabelSet = ["alertname": "Failed", "job": name, "severity": severity]
            return SavedRule(
                name: "Failed", labels: [Label("severity", severity)],
                active: [Self.active(labels, .firing, since: 1000)])
        }
        let bench = try RuleBench(text)
        let group = bench.groups[0]
        let (start, rules) = (bench.start, [saved("page", "b"), saved("warning", "a"), saved("gone", "c")])
        bench.perform { await group.restore(rules, savedAt: start) }
        bench.push([(job("a"), 1), (job("b"), 2), (job("c"), 1)])
        bench.run(for: .seconds(200))
        #expect(bench.story == ["0.0 c inactive>firing"])
    }

    @Test func `a group that stops gives all permits back`() throws {
        let bench = try RuleBench(Self.failed, capacity: 4)
        for turn in 0..<20 { bench.push([(job("a"), Double(turn % 2))]) }
        #expect(bench.dispatch.gate.counts.queued == 0)
        #expect(bench.dispatch.gate.counts.delivered == 20)
    }

    // MARK: both modes

    private static let mixed = """
        groups:
        - name: g
          rules:
          - {record: job:failed:max, expr: max by (job) (failed)}
          - {record: failing, expr: failed == 1}
          - {alert: Now, expr: failed == 1}
          - {alert: Later, expr: failed == 1, for: 25s, keep_firing_for: 20s}
          - {alert: Most, expr: count(failed == 1) > 3}
          - {alert: Chained, expr: 'job:failed:max > 0', for: 10s}
        """

    @Test("Streaming gives at every interval what Prometheus's timing gives", arguments: 1...12 as ClosedRange<UInt64>)
    func modes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let streaming = try RuleBench(Self.mixed, interval: .seconds(10), seed: seed)
        let interval = try RuleBench(Self.mixed, mode: .interval, interval: .seconds(10))
        streaming.toNextTick()
        interval.toNextTick()
        // A change right after a tick lasts until the next at least, so that both see the same.
        for step in 0..<40 {
            streaming.run(for: .milliseconds(100))
            interval.run(for: .milliseconds(100))
            var samples: [(LabelSet, Double)] = []
            for number in 0..<6 {
                // Told anew or not, gone, failed or well.
                switch Int.random(in: 0..<4, using: &random) {
                case 0: samples.append((job("\(number)"), 1))
                case 1: samples.append((job("\(number)"), 0))
                case 2 where step > 0: samples.append((job("\(number)"), StaleMarker.value))
                default: break
                }
            }
            streaming.push(samples)
            interval.push(samples)
            streaming.run(for: .milliseconds(9900))
            interval.run(for: .milliseconds(9900))
            for query in ["failing", "job:failed:max", #"ALERTS{alertname=~"Now|Most"}"#] {
                #expect(streaming.query(query) == interval.query(query), "seed \(seed), step \(step): \(query)")
            }
        }
    }
}

@Suite struct RuleDispatchTests {
    private func bench(_ rules: String) throws -> (RuleBench, [Set<String>]) {
        let bench = try RuleBench("groups: [{name: g, rules: [\(rules)]}]")
        let nodes = bench.perform { [groups = bench.groups] in await groups[0].nodes() }
        let cycles = RuleNode.cycles(of: nodes)
        let names = Dictionary(uniqueKeysWithValues: nodes.map { ($0.interest, $0.outputs[0]) })
        return (bench, nodes.map { Set((cycles[$0.interest] ?? []).compactMap { names[$0] }) })
    }

    @Test func `rules that read each other's output are a circle; those that only read from it are not`() throws {
        let (_, cycles) = try bench(
            "{record: a, expr: b + 1}, {record: b, expr: a + x}, {record: c, expr: a + b}, {record: d, expr: d}")
        #expect(cycles == [["a", "b"], ["a", "b"], [], ["d"]])
    }

    @Test func `a selector without a name may read everything`() throws {
        let (_, cycles) = try bench(#"{record: a, expr: 'count({job="x"})'}, {record: b, expr: x}"#)
        #expect(cycles == [["a"], []])
    }

    @Test func `a series interests the rules that select it, each once`() throws {
        let (bench, _) = try bench(
            #"{record: a, expr: 'x{job="1"} + x'}, {record: b, expr: 'x{job="2"}'}, {record: c, expr: '{job=~"1|2"}'}"#)
        func count(_ labels: LabelSet) -> Int { bench.dispatch.interests(in: labels).count }
        #expect(count(["__name__": "x", "job": "1"]) == 2)
        #expect(count(["__name__": "x", "job": "2"]) == 3)
        #expect(count(["__name__": "x"]) == 1)
        #expect(count(["__name__": "y"]) == 0)
    }
}
