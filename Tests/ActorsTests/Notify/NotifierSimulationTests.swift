import Actors
import Streams
import TestKit
import Testing

/// Half a day of alerts that come and go, sinks that fail at random and a program that is stopped and started again.
@Suite struct NotifierSimulationTests {
    private static let routing = """
        route:
          receiver: all
          group_by: [team]
          group_wait: 10s
          group_interval: 1m
          repeat_interval: 3h
          routes:
          - {matchers: [severity=page], receiver: pager, group_wait: 0s, group_interval: 20s, continue: true}
        inhibit_rules:
        - {source_matchers: [alertname=Outage], target_matchers: [severity=warn], equal: [team]}
        """

    @Test("Nobody is left with old news and nobody hears the same twice", arguments: [1, 2, 3] as [UInt64])
    func halfDay(seed: UInt64) throws {
        let clock = ManualClock()
        let sinks = ["all": [FakeSink(clock), FakeSink(clock)], "pager": [FakeSink(clock)]]
        var random = SeededGenerator(seed: seed)
        var current: [LabelSet: Alert] = [:]
        var bench = try bench(sinks, clock, nil, seed)
        let end = clock.now() + .seconds(12 * 3600)
        while clock.now() < end {
            bench.run(for: .milliseconds(Int64.random(in: 1...240_000, using: &random)))
            for sink in sinks.values.joined() where Int.random(in: 0..<4, using: &random) == 0 {
                sink.answer(Self.answer(&random))
            }
            try bench.inbox.trySend(Self.changes(&current, clock.now(), &random))
            if Int.random(in: 0..<40, using: &random) == 0 {
                let patience = Duration.seconds(Int.random(in: 0...5, using: &random))
                // A proper end, or that of a process that is killed.
                _ = Bool.random(using: &random) ? bench.drain(patience: patience) : bench.stop()
                let state = bench.kept
                clock.advance(by: .seconds(Int.random(in: 0...60, using: &random)))
                bench = try self.bench(sinks, clock, state, seed)
                // The rules go on and report what they find.
                try bench.inbox.trySend(Array(current.values))
            }
        }
        for sink in sinks.values.joined() { sink.answer(.accept) }
        bench.run(for: .seconds(4 * 3600))

        for (receiver, sinks) in sinks {
            for sink in sinks { check(sink, receiver, current) }
        }
    }

    private func bench(
        _ sinks: [String: [FakeSink]], _ clock: ManualClock, _ state: DispatcherState?, _ seed: UInt64
    ) throws -> NotifierBench {
        try NotifierBench(
            Self.routing, sinks: sinks, clock: clock, queue: .init(capacity: 1, outstandingMax: 2, concurrencyMax: 1),
            continuing: state.map { .init($0, by: .restart(grace: .seconds(600))) }, seed: seed)
    }

    private static func answer(_ random: inout SeededGenerator) -> FakeSink.Answer {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: .refuse
        case 1: .unavailable(retryAfter: .seconds(Int.random(in: 0...300, using: &random)))
        case 2: .unavailable(retryAfter: nil)
        case 3: .acceptAfter(.milliseconds(Int64.random(in: 1...90_000, using: &random)))
        default: .accept
        }
    }

    /// Some alerts begin, some end.
    private static func changes(
        _ current: inout [LabelSet: Alert], _ now: Timestamp, _ random: inout SeededGenerator
    ) -> [Alert] {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
            let name = ["Outage", "Slow", "Full", "Lost"].randomElement(using: &random) ?? ""
            let severity = name == "Outage" ? "page" : ["page", "warn"].randomElement(using: &random) ?? ""
            let labels: LabelSet = [
                "alertname": name, "severity": severity, "team": ["a", "b"].randomElement(using: &random) ?? "",
            ]
            if var alert = current.removeValue(forKey: labels) {
                alert.endsAt = now
                alert.updatedAt = now
                return alert
            }
            let alert = Alert(labels: labels, startsAt: now, updatedAt: now)
            current[labels] = alert
            return alert
        }
    }

    private func check(_ sink: FakeSink, _ receiver: String, _ current: [LabelSet: Alert]) {
        let accepted = sink.accepted.map(\.notification)
        #expect(accepted.count > 10)
        #expect(Set(accepted.map(\.id)).count == accepted.count)
        for (groupKey, story) in Dictionary(grouping: accepted, by: \.groupKey) {
            for (earlier, later) in zip(story, story.dropFirst())
            where Set(earlier.firing.map(\.labels)) == Set(later.firing.map(\.labels)) {
                let isNew =
                    later.reason == "repeat interval elapsed" || !later.resolved.isEmpty
                    || later.reason == "first notification"
                #expect(isNew, "\(groupKey): \(later.reason)")
            }
            // Who was told of alerts, and of which, at the end: those that fire and are not inhibited.
            let team = story[0].groupLabels["team"]
            let firing = current.keys.filter { labels in
                let isInhibited =
                    labels["severity"] == "warn"
                    && current.keys.contains {
                        $0["alertname"] == "Outage" && $0["team"] == labels["team"]
                    }
                return labels["team"] == team && !isInhibited
                    && (labels["severity"] == "page") == (receiver == "pager")
            }
            let told = Set(story.last?.firing.map(\.labels) ?? [])
            // An alert that became inhibited after it was told is left to itself, as Alertmanager does.
            #expect(Set(firing).isSubset(of: told), "\(groupKey): \(firing) not in \(told)")
            for labels in told.subtracting(firing) { #expect(labels["severity"] == "warn", "\(groupKey): \(labels)") }
        }
    }
}
