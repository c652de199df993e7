import Actors
import Streams
import TestKit
import Testing

@Suite struct ActiveAlertsTests {
    /// Plays seconds and the names that are there; tells each change as `second name from>to`.
    private func play(
        _ alerts: inout ActiveAlerts, _ steps: [(second: Int64, names: [String])], limit: Int = 0
    ) throws -> [String] {
        var story: [String] = []
        for (second, names) in steps {
            let outcome = try alerts.settle(
                names.map { candidate($0) }, scope: .all, at: at(second), limit: limit)
            story += outcome.changes.map { "\(second) \($0.alert.labels["x"] ?? "") \($0.from)>\($0.to)" }.sorted()
        }
        return story
    }

    private func candidate(
        _ name: String, source: String? = nil, annotation: String = "", value: Double = 1
    ) -> ActiveAlerts.Candidate {
        ActiveAlerts.Candidate(
            source: ["x": source ?? name], labels: ["alertname": "A", "x": name], annotations: ["text": annotation],
            value: value)
    }

    private func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: second * 1000) }

    struct Life: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var hold: Int64 = 0
        var keep: Int64 = 0
        var steps: [(Int64, [String])]
        var story: [String]
    }

    static let lives = [
        Life(
            testDescription: "without `for` an alert fires at once and resolves when it is gone",
            steps: [(0, ["a"]), (1, ["a"]), (2, []), (3, [])],
            story: ["0 a inactive>firing", "2 a firing>inactive"]),
        Life(
            testDescription: "with `for` it is pending first", hold: 10, steps: [(0, ["a"]), (9, ["a"]), (10, ["a"])],
            story: ["0 a inactive>pending", "10 a pending>firing"]),
        Life(
            testDescription: "one that goes while pending never fires, and begins anew", hold: 10,
            steps: [(0, ["a"]), (5, []), (6, ["a"]), (15, ["a"]), (16, ["a"])],
            story: ["0 a inactive>pending", "5 a pending>inactive", "6 a inactive>pending", "16 a pending>firing"]),
        Life(
            testDescription: "keep_firing_for holds one that fires, from when it went", keep: 10,
            steps: [(0, ["a"]), (5, []), (14, []), (15, [])],
            story: ["0 a inactive>firing", "15 a firing>inactive"]),
        Life(
            testDescription: "one that comes back while kept starts over", keep: 10,
            steps: [(0, ["a"]), (5, []), (10, ["a"]), (16, []), (25, []), (26, [])],
            story: ["0 a inactive>firing", "26 a firing>inactive"]),
        Life(
            testDescription: "keep_firing_for does not hold a pending one", hold: 10, keep: 10,
            steps: [(0, ["a"]), (5, [])], story: ["0 a inactive>pending", "5 a pending>inactive"]),
        Life(
            testDescription: "alerts live apart from each other", hold: 2,
            steps: [(0, ["a"]), (1, ["a", "b"]), (2, ["a", "b"]), (3, ["b"])],
            story: [
                "0 a inactive>pending", "1 b inactive>pending", "2 a pending>firing", "3 a firing>inactive",
                "3 b pending>firing",
            ]),
    ]

    @Test("An alert's life is Prometheus's", arguments: lives)
    func life(_ life: Life) throws {
        var alerts = ActiveAlerts(holdDuration: .seconds(life.hold), keepFiringFor: .seconds(life.keep))
        #expect(try play(&alerts, life.steps) == life.story)
    }

    @Test func `two results with the same labels change nothing`() throws {
        var alerts = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        _ = try play(&alerts, [(0, ["a"])])
        #expect(throws: ActiveAlerts.EvaluationFailure.self) {
            try alerts.settle([candidate("b"), candidate("b", source: "c")], scope: .all, at: at(1))
        }
        #expect(alerts.active.values.map(\.state) == [.firing])
    }

    @Test
    func `a result with the labels of an alert from another input is a duplicate, also when only it was looked at`()
        throws
    {
        var alerts = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        _ = try alerts.settle([candidate("a", source: "1")], scope: .all, at: at(0))
        #expect(throws: ActiveAlerts.EvaluationFailure.self) {
            try alerts.settle([candidate("a", source: "2")], scope: .sources([["x": "2"]]), at: at(1))
        }
        #expect(alerts.active.values.map(\.source) == [["x": "1"]])
    }

    @Test func `beyond the limit all alerts end and are told to have ended`() throws {
        var alerts = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        let story = try play(&alerts, [(0, ["a", "b"]), (1, ["a", "b", "c"]), (2, ["a"])], limit: 2)
        #expect(
            story == [
                "0 a inactive>firing", "0 b inactive>firing", "1 a firing>inactive", "1 b firing>inactive",
                "2 a inactive>firing",
            ])
    }

    @Test func `only what was looked at can end`() throws {
        var alerts = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        _ = try play(&alerts, [(0, ["a", "b"])])
        let outcome = try alerts.settle([], scope: .sources([["x": "a"]]), at: at(1))
        #expect(outcome.changes.map { $0.alert.labels["x"] } == ["a"])
        #expect(alerts.active.count == 1)
    }

    @Test func `changed annotations are told again, at most every minute, and not forgotten until then`() throws {
        var alerts = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        func told(_ second: Int64, _ text: String) throws -> [String] {
            try alerts.settle([candidate("a", annotation: text)], scope: .all, at: at(second)).updated
                .map { $0.annotations["text"] ?? "" }
        }
        #expect(try told(0, "one") == [])
        #expect(try told(10, "two") == [])
        #expect(alerts.nextDeadline == at(60))
        #expect(try told(59, "two") == [])
        #expect(try told(60, "two") == ["two"])
        #expect(try told(61, "two") == [])
        #expect(alerts.nextDeadline == nil)
    }

    @Test func `deadlines are those of for and keep_firing_for`() throws {
        var alerts = ActiveAlerts(holdDuration: .seconds(10), keepFiringFor: .seconds(20))
        #expect(alerts.nextDeadline == nil)
        _ = try play(&alerts, [(5, ["a"])])
        #expect(alerts.nextDeadline == at(15))
        _ = try play(&alerts, [(15, ["a"])])
        #expect(alerts.nextDeadline == nil)
        _ = try play(&alerts, [(16, [])])
        #expect(alerts.nextDeadline == at(36))
    }

    @Test func `alerts of an earlier run wait for their samples to come again`() throws {
        var before = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        _ = try play(&before, [(0, ["a", "b"])])
        var alerts = ActiveAlerts(holdDuration: .zero, keepFiringFor: .zero)
        alerts.restore(Array(before.active.values), until: at(300))
        let story = try play(&alerts, [(10, []), (20, ["a"]), (30, []), (299, []), (300, [])])
        #expect(story == ["30 a firing>inactive", "300 b firing>inactive"])
    }

    @Test func `of the same rule before a reload they go on as they were`() throws {
        var before = ActiveAlerts(holdDuration: .seconds(10), keepFiringFor: .zero)
        _ = try play(&before, [(0, ["a"])])
        var alerts = ActiveAlerts(holdDuration: .seconds(10), keepFiringFor: .zero)
        alerts.restore(Array(before.active.values))
        #expect(try play(&alerts, [(10, ["a"]), (11, [])]) == ["10 a pending>firing", "11 a firing>inactive"])
    }
}
