import Actors
import Streams
import TestKit
import Testing

@Suite struct PostedAlertTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var alert: PostedAlert
        var reason: String

        init(_ name: String, _ alert: PostedAlert, _ reason: String) {
            testDescription = name
            self.alert = alert
            self.reason = reason
        }
    }

    private static let noon = Timestamp(milliseconds: 1_767_268_800_000)

    static let refused = [
        Case("no labels", PostedAlert(labels: [:]), "at least one label pair required"),
        Case("only empty values", PostedAlert(labels: ["a": ""]), "at least one label pair required"),
        Case("a label without a name", PostedAlert(labels: ["": "x"]), "invalid label set: invalid name \"\""),
        Case(
            "an annotation without a name", PostedAlert(labels: ["a": "b"], annotations: ["": "x"]),
            "invalid annotations: invalid name \"\""),
        Case(
            "an end before the start", PostedAlert(labels: ["a": "b"], startsAt: noon, endsAt: noon - .seconds(1)),
            "start time must be before end time"),
        Case(
            "an end before the start, of nothing",
            PostedAlert(labels: [:], startsAt: noon, endsAt: noon - .seconds(1)),
            "start time must be before end time"),
    ]

    @Test("What can't be an alert is refused", arguments: refused)
    func refuses(_ example: Case) {
        do throws(PostedAlert.Invalid) {
            _ = try example.alert.alert(at: Self.noon, resolveTimeout: .seconds(300))
            Issue.record("it was taken")
        } catch {
            #expect(error.description == example.reason)
        }
    }

    @Test func `times that are not given are filled in`() throws {
        func times(_ start: Timestamp?, _ end: Timestamp?) throws -> [Double] {
            let alert = try PostedAlert(labels: ["a b": "c"], startsAt: start, endsAt: end)
                .alert(at: Self.noon, resolveTimeout: .seconds(300))
            return [alert.startsAt, try #require(alert.endsAt)].map { ($0 - Self.noon).inSeconds }
        }
        #expect(try times(nil, nil) == [0, 300])
        #expect(try times(Self.noon - .seconds(60), nil) == [-60, 300])
        #expect(try times(nil, Self.noon - .seconds(60)) == [-60, -60])
        #expect(try times(Self.noon, Self.noon) == [0, 0])
    }

    // MARK: over time

    private func bench(
        _ sink: FakeSink, _ clock: ManualClock, continuing: Notifier.Continuation? = nil
    ) throws -> NotifierBench {
        try NotifierBench(
            "route: {receiver: a, group_by: [alertname], group_wait: 0s, group_interval: 10s}", sinks: ["a": [sink]],
            clock: clock, continuing: continuing)
    }

    private func post(_ name: String, to bench: NotifierBench, lasting: Duration? = nil) throws {
        let now = bench.clock.now()
        let posted = PostedAlert(labels: ["alertname": name], startsAt: now, endsAt: lasting.map { now + $0 })
        try bench.post(posted.alert(at: now, resolveTimeout: .seconds(60)))
    }

    @Test func `an alert that nobody renews is over when its time is out, and told so`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock)
        try post("A", to: bench)
        bench.run(for: .seconds(59))
        #expect(bench.events == ["0.0: A inactive>firing"])
        bench.run(for: .seconds(30))
        #expect(bench.events == ["0.0: A inactive>firing", "60.0: A firing>inactive"])
        #expect(sink.story == ["0.0: A", "60.0: A-"])
    }

    @Test func `an alert that is renewed goes on, and begins anew after its end`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock)
        for _ in 0..<5 {
            try post("A", to: bench)
            bench.run(for: .seconds(50))
        }
        #expect(bench.events == ["0.0: A inactive>firing"])
        bench.run(for: .seconds(50))
        #expect(bench.events.last == "260.0: A firing>inactive")
        try post("A", to: bench)
        #expect(bench.events.last == "300.0: A inactive>firing")
        bench.run(for: .seconds(1))
        #expect(sink.story == ["0.0: A", "260.0: A-", "300.0: A"])
    }

    @Test func `an end that the sender names ends it, once`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock)
        try post("A", to: bench, lasting: .seconds(100))
        bench.run(for: .seconds(5))
        try post("A", to: bench, lasting: .zero)
        try post("A", to: bench, lasting: .zero)
        try post("B", to: bench, lasting: .zero)
        #expect(bench.events == ["0.0: A inactive>firing", "5.0: A firing>inactive"])
        bench.run(for: .seconds(200))
        #expect(bench.events.count == 2)
        #expect(sink.story == ["0.0: A", "10.0: A-"])
    }

    @Test func `an alert that comes and goes a thousand times is told of each time`() throws {
        let clock = ManualClock()
        let bench = try bench(FakeSink(clock), clock)
        for _ in 0..<1000 {
            try post("A", to: bench, lasting: .seconds(1_000_000))
            clock.advance(by: .milliseconds(1))
            try post("A", to: bench, lasting: .zero)
            clock.advance(by: .milliseconds(1))
        }
        #expect(bench.events.count == 2000)
        try post("A", to: bench, lasting: .seconds(30))
        bench.run(for: .seconds(40))
        #expect(bench.events.suffix(2) == ["2.0: A inactive>firing", "32.0: A firing>inactive"])
    }

    @Test func `alerts of rules are left to their rules`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock)
        let alert = bench.firing("A")
        try bench.post(alert)
        bench.run(for: .seconds(5))
        try bench.post(bench.resolved(alert))
        bench.run(for: .seconds(20))
        #expect(bench.events == [])
        #expect(sink.story == ["0.0: A", "10.0: A-"])
    }

    // MARK: over a restart

    @Test func `a reload ends no alert and begins none, and the clock goes on`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let first = try bench(sink, clock)
        try post("A", to: first)
        clock.advance(by: .seconds(30))
        let state = try #require(first.stop())
        let second = try bench(sink, clock, continuing: .init(state, by: .reload))
        second.run(for: .seconds(29))
        #expect(second.events == [])
        second.run(for: .seconds(20))
        #expect(second.events == ["30.0: A firing>inactive"])
        #expect(sink.story == ["0.0: A", "60.0: A-"])
    }

    @Test("A sender that could not reach the program is waited for", arguments: [nil, Duration.seconds(240)])
    func restarts(lasting: Duration?) throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let first = try bench(sink, clock)
        try post("kept", to: first, lasting: lasting)
        try post("gone", to: first, lasting: lasting)
        _ = first.stop()
        let state = first.kept
        clock.advance(by: .seconds(600))
        let second = try bench(sink, clock, continuing: .init(state, by: .restart(grace: .seconds(120))))
        second.run(for: .seconds(60))
        try post("kept", to: second, lasting: .seconds(240))
        second.run(for: .seconds(100))
        #expect(second.events == ["120.0: gone firing>inactive"])
        #expect(sink.story.filter { $0.contains("kept") } == ["0.0: kept"])
        second.run(for: .seconds(200))
        #expect(second.events.last == "300.0: kept firing>inactive")
    }
}
