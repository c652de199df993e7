import Actors
import Streams
import TestKit
import Testing

@Suite struct NotifierTests {
    private static let routing = "route: {receiver: a, group_by: [alertname], group_wait: 0s, group_interval: 1m}"

    private func bench(
        _ sink: FakeSink, _ clock: ManualClock, routing: String = NotifierTests.routing,
        queue: DeliveryQueue.Settings = .init(), continuing: Notifier.Continuation? = nil
    ) throws -> NotifierBench {
        try NotifierBench(routing, sinks: ["a": [sink]], clock: clock, queue: queue, continuing: continuing)
    }

    @Test func `without a group wait an alert leaves in the same turn, without a timer`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock)
        let before = clock.now()
        try bench.post(bench.firing("A"), bench.firing("A", ["i": "2"]))
        #expect(sink.story == ["0.0: A A"])
        #expect(clock.now() == before)
        let notification = try #require(sink.accepted.first?.notification)
        #expect(notification.groupKey == #"{}:{alertname="A"}"#)
        #expect(notification.reason == "first notification")
        #expect(notification.pipeline == "p")
    }

    @Test func `a sink that is down delays no other one`() throws {
        let clock = ManualClock()
        let (down, up) = (FakeSink(clock), FakeSink(clock))
        down.answer(.acceptAfter(.seconds(1000)))
        let bench = try NotifierBench(Self.routing, sinks: ["a": [down, up]], clock: clock)
        let first = bench.firing("A")
        try bench.post(first)
        bench.run(for: .seconds(90))
        try bench.post(bench.resolved(first))
        bench.run(for: .seconds(60))
        #expect(up.story == ["0.0: A", "120.0: A-"])
        #expect(down.accepted.isEmpty)
    }

    @Test
    func `a sink that is down is tried again after growing pauses, told once in the log, and gets the alert at last`()
        throws
    {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.unavailable(retryAfter: nil))
        let bench = try bench(
            sink, clock,
            queue: .init(backoff: .init(first: .seconds(1), factor: 2, longest: .seconds(60), spread: 0)))
        try bench.post(bench.firing("A"))
        bench.run(for: .seconds(10))
        #expect(sink.tries.map(\.at) == [.zero, .seconds(1), .seconds(3), .seconds(7)])
        sink.answer(.accept)
        bench.run(for: .seconds(10))
        #expect(sink.story == ["15.0: A"])
        #expect(Set(sink.tries.map(\.notification.id)).count == 1)
        #expect(
            bench.log.messages == ["warning: Delivery failed; will retry.", "info: Deliveries are accepted again."])
    }

    @Test func `pauses are drawn at random around their middle`() throws {
        let random = RandomSource(SeededGenerator(seed: 7))
        var backoff = Backoff(.delivery)
        let pauses = (0..<20).map { _ in backoff.next(random) }
        #expect(pauses[0] >= .milliseconds(250) && pauses[0] <= .milliseconds(750))
        #expect(pauses.allSatisfy { $0 <= .seconds(90) })
        #expect(Set(pauses).count == 20)
    }

    @Test func `Retry-After holds for everything that goes to the sink`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock)
        sink.answer(.unavailable(retryAfter: .seconds(20)))
        try bench.post(bench.firing("A"))
        sink.answer(.accept)
        bench.run(for: .seconds(5))
        try bench.post(bench.firing("B"))
        bench.run(for: .seconds(10))
        #expect(sink.tries.count == 1)
        bench.run(for: .seconds(10))
        #expect(sink.accepted.map(\.at) == [.seconds(20), .seconds(20)])
    }

    @Test func `what a sink refuses is told again by the next flush, not before`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.refuse)
        let bench = try bench(sink, clock)
        try bench.post(bench.firing("A"))
        bench.run(for: .seconds(150))
        #expect(sink.tries.map(\.at) == [.zero, .seconds(60), .seconds(120)])
        #expect(bench.log.messages == ["error: A notification was refused."])
        #expect(
            bench.telemetry.exposition().contains(
                #"tocsin_notifications_failed_total{integration="webhook[0]", pipeline="p", receiver="a"} 3"#))
    }

    @Test func `what a sink has taken in part is not told again before the repeat interval`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.takePart)
        let bench = try bench(sink, clock)
        try bench.post(bench.firing("A"))
        bench.run(for: .seconds(150))
        #expect(sink.tries.map(\.at) == [.zero])
        #expect(bench.log.messages == ["error: A notification was refused for some of its recipients."])
        #expect(
            bench.telemetry.exposition().contains(
                #"tocsin_notifications_failed_total{integration="webhook[0]", pipeline="p", receiver="a"} 1"#))
    }

    @Test func `a try under way at the group's next flush is finished, and nothing is told twice`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        // A mail server that takes its time once it has the whole message.
        sink.answer(.acceptAfter(.seconds(150)))
        let bench = try bench(sink, clock)
        try bench.post(bench.firing("A"))
        bench.run(for: .seconds(400))
        #expect(sink.tries.map(\.at) == [.seconds(150)] && sink.accepted.count == 1)
    }

    @Test func `a sink that does not answer is given up after the time-out`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.acceptAfter(.seconds(1000)))
        let bench = try bench(sink, clock, queue: .init(attemptTimeout: .seconds(5)))
        try bench.post(bench.firing("A"))
        bench.run(for: .seconds(5))
        sink.answer(.accept)
        bench.run(for: .seconds(2))
        #expect(sink.accepted.count == 1)
    }

    @Test func `an alert that ends before anybody was told is not told`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.unavailable(retryAfter: nil))
        let bench = try bench(sink, clock)
        let alert = bench.firing("A")
        try bench.post(alert)
        bench.run(for: .seconds(30))
        try bench.post(bench.resolved(alert))
        bench.run(for: .seconds(40))
        sink.answer(.accept)
        bench.run(for: .seconds(600))
        #expect(sink.accepted.isEmpty)
        #expect(bench.drain()?.groups.isEmpty == true)
    }

    @Test func `while a sink is down the news waits, and comes as one notification`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let bench = try bench(sink, clock, routing: "route: {receiver: a, group_wait: 0s, group_interval: 1m}")
        let first = bench.firing("A")
        try bench.post(first)
        sink.answer(.unavailable(retryAfter: nil))
        try bench.post(bench.firing("B"))
        bench.run(for: .seconds(70))
        try bench.post(bench.resolved(first), bench.firing("C"))
        bench.run(for: .seconds(600))
        sink.answer(.accept)
        bench.run(for: .seconds(120))
        #expect(sink.accepted.count == 2)
        #expect(sink.story.last?.hasSuffix(": A- B C") == true)
    }

    @Test func `a full queue loses nothing: what finds no room goes as soon as there is some`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.acceptAfter(.seconds(5)))
        let bench = try bench(sink, clock, queue: .init(capacity: 1, outstandingMax: 1, concurrencyMax: 1))
        let names = ["A", "B", "C", "D", "E", "F"]
        try bench.inbox.trySend(names.map { bench.firing($0) })
        bench.run(for: .seconds(30))
        #expect(Set(sink.accepted.compactMap { $0.notification.alerts.first?.name }) == Set(names))
        #expect(sink.accepted.map(\.at) == (1...6).map { .seconds($0 * 5) })
    }

    @Test func `what is known and what came is counted`() throws {
        let clock = ManualClock()
        let bench = try bench(FakeSink(clock), clock)
        let alert = bench.firing("A")
        try bench.post(alert, bench.firing("B"))
        bench.run(for: .seconds(1))
        try bench.post(bench.resolved(alert))
        bench.run(for: .seconds(60))
        let text = bench.telemetry.exposition()
        for line in [
            #"tocsin_alerts{pipeline="p"} 2"#, #"tocsin_alert_groups{pipeline="p"} 1"#,
            #"tocsin_alerts_received_total{pipeline="p"} 3"#, #"tocsin_alerts_refused_total{pipeline="p"} 0"#,
            #"tocsin_notifications_total{integration="webhook[0]", pipeline="p", receiver="a"} 3"#,
            #"tocsin_notification_latency_seconds_count{integration="webhook[0]", pipeline="p", receiver="a"} 3"#,
        ] {
            #expect(text.contains(line + "\n"))
        }
    }

    // MARK: the end, and a new start

    @Test func `draining finishes what is on its way`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.acceptAfter(.seconds(3)))
        let bench = try bench(sink, clock)
        try bench.post(bench.firing("A"))
        let state = try #require(bench.drain(patience: .seconds(5)))
        #expect(sink.story == ["3.0: A"])
        #expect(state.groups.map(\.isUndelivered) == [false])
        #expect(state.log.count == 1)
    }

    @Test func `what was not accepted is kept and sent at the next start under the same id`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.unavailable(retryAfter: nil))
        let first = try bench(sink, clock)
        try first.post(first.firing("A"))
        first.run(for: .seconds(3))
        let state = try #require(first.drain())
        #expect(state.outbox.map(\.integration) == ["webhook[0]"])
        let saved = first.kept
        #expect(saved.outbox == state.outbox)
        #expect(saved.groups == state.groups)

        clock.advance(by: .seconds(10))
        sink.answer(.accept)
        _ = try bench(sink, clock, continuing: .init(saved, by: .restart(grace: .seconds(300))))
        #expect(sink.story == ["13.0: A"])
        #expect(Set(sink.tries.map(\.notification.id)).count == 1)
    }

    @Test func `a new start tells nothing twice, and timers go on`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let first = try bench(sink, clock)
        let alert = first.firing("A")
        try first.post(alert)
        first.run(for: .seconds(40))
        let state = try #require(first.drain())
        clock.advance(by: .seconds(5))
        let second = try bench(sink, clock, continuing: .init(state, by: .restart(grace: .seconds(300))))
        // The rules report it again, and then its end.
        try second.post(alert)
        second.run(for: .seconds(5))
        try second.post(second.resolved(alert))
        second.run(for: .seconds(30))
        #expect(sink.story == ["0.0: A", "60.0: A-"])
    }

    @Test func `an alert that nobody reports after a new start is over after the grace`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let first = try bench(sink, clock)
        try first.post(first.firing("A"))
        let state = try #require(first.drain())
        let second = try bench(sink, clock, continuing: .init(state, by: .restart(grace: .seconds(90))))
        second.run(for: .seconds(300))
        #expect(sink.story == ["0.0: A", "120.0: A-"])
    }

    @Test func `what was on its way when the program was killed is sent as it was, and what came since after it`()
        throws
    {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.unavailable(retryAfter: nil))
        let first = try bench(sink, clock)
        let a = first.firing("A", ["place": "1"])
        try first.post(a)
        first.run(for: .seconds(3))
        _ = first.stop()
        sink.answer(.accept)
        let second = try bench(sink, clock, continuing: .init(first.kept, by: .restart(grace: .seconds(300))))
        #expect(sink.story == ["3.0: A"])
        try second.post(a, second.firing("A", ["place": "2"]))
        second.run(for: .seconds(60))
        #expect(sink.story == ["3.0: A", "60.0: A A"])
        #expect(Set(sink.tries.map(\.notification.id)).count == 2)
    }

    @Test func `an alert that ended while its end was not told yet is told after the program was killed`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let first = try bench(sink, clock)
        let (a, b) = (first.firing("A", ["place": "1"]), first.firing("A", ["place": "2"]))
        try first.post(a, b)
        try first.post(first.resolved(a))
        _ = first.stop()
        let second = try bench(sink, clock, continuing: .init(first.kept, by: .restart(grace: .seconds(300))))
        second.run(for: .seconds(70))
        #expect(sink.story == ["0.0: A A", "60.0: A- A"])
        // Now everybody knows.
        _ = second.stop()
        let third = try bench(sink, clock, continuing: .init(second.kept, by: .restart(grace: .seconds(300))))
        third.run(for: .seconds(100))
        #expect(sink.story == ["0.0: A A", "60.0: A- A"])
    }

    @Test func `an alert that ended while it was on its way when the program was killed is told with its end`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.unavailable(retryAfter: nil))
        let first = try bench(sink, clock)
        let alert = first.firing("A")
        try first.post(alert)
        first.run(for: .seconds(3))
        try first.post(first.resolved(alert))
        _ = first.stop()
        sink.answer(.accept)
        let second = try bench(sink, clock, continuing: .init(first.kept, by: .restart(grace: .seconds(300))))
        second.run(for: .seconds(100))
        #expect(sink.story == ["3.0: A", "60.0: A-"])
    }

    @Test func `an alert that no rule has any more after a new start is over at once`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        let first = try bench(sink, clock)
        let (kept, lost) = (first.firing("A", ["place": "1"]), first.firing("A", ["place": "2"]))
        try first.post(kept, lost)
        _ = first.stop()
        let way = Dispatcher.Continuation.restart(grace: .seconds(300), claimed: [kept.fingerprint])
        let second = try bench(sink, clock, continuing: .init(first.kept, by: way))
        second.run(for: .seconds(70))
        #expect(sink.story == ["0.0: A A", "60.0: A A-"])
    }

    @Test func `kept rows that are cut or changed are counted or read, and never trap`() throws {
        let clock = ManualClock()
        let sink = FakeSink(clock)
        sink.answer(.unavailable(retryAfter: nil))
        let bench = try bench(sink, clock)
        try bench.post(bench.firing("A", ["note": "ümlaut 🙂"]), bench.firing("B"))
        _ = bench.stop()
        for table in [StateTable.alerts, .groups, .notifications, .outbox] {
            for row in bench.journal.tables.rows(table, "p") {
                for count in 0..<row.value.count {
                    #expect(Self.unreadable(row.key, Array(row.value.prefix(count)), table) == 1)
                    var changed = row.value
                    changed[count] ^= 0x41
                    #expect(Self.unreadable(row.key, changed, table) <= 1)
                }
                for count in 0..<row.key.count {
                    #expect(Self.unreadable(Array(row.key.prefix(count)), row.value, table) <= 1)
                }
            }
        }
    }

    private static func unreadable(_ key: [UInt8], _ value: [UInt8], _ table: StateTable) -> Int {
        var tables = StateTables()
        tables.put(value, for: key, in: table, "p")
        var unreadable = 0
        _ = DispatcherState(tables, pipeline: "p", savedAt: .distantPast, unreadable: &unreadable)
        return unreadable
    }

    @Test func `when there is no room for more alerts the known ones go on`() {
        let clock = ManualClock()
        var settings = DispatcherSettings(
            pipeline: "p", routing: RoutingSettings(route: RouteSettings(receiver: "a")),
            receivers: ["a": [IntegrationInfo(kind: "webhook", position: 0, sendsResolved: true)]], externalURL: "")
        settings.alertsMax = 1
        var dispatcher = Dispatcher(settings, now: clock.now())
        let alert = Alert(labels: ["alertname": "A"], startsAt: clock.now())
        _ = dispatcher.process([alert, Alert(labels: ["alertname": "B"], startsAt: clock.now())], now: clock.now())
        #expect(dispatcher.refusedCount == 1)
        let deliveries = dispatcher.advance(to: clock.now() + .seconds(30))
        #expect(deliveries.first?.notification.alerts.map(\.name) == ["A"])
    }
}
