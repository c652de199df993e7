import Actors
import Streams
import TestKit
import Testing
import YAML

/// What silences do to notifications, and how they last.
@Suite struct DispatcherSilenceTests {
    private static let start = Timestamp(milliseconds: 1_767_323_045_000)

    private static func settings() throws -> DispatcherSettings {
        var route = RouteSettings(receiver: "a")
        route.groupBy = .labels(["alertname"])
        route.groupWait = .zero
        route.groupInterval = .seconds(60)
        return DispatcherSettings(
            pipeline: "p", routing: RoutingSettings(route: route),
            receivers: ["a": [IntegrationInfo(kind: "webhook", position: 0, sendsResolved: true)]],
            externalURL: "http://t")
    }

    private static func at(_ seconds: Int64) -> Timestamp { start + .seconds(seconds) }

    private static func alert(_ name: String, _ instance: String) -> Alert {
        Alert(labels: ["alertname": name, "instance": instance], startsAt: start)
    }

    private static func draft(_ instance: String, to end: Int64) -> SilenceDraft {
        SilenceDraft(
            matchers: [.init("instance", .equal, instance), .init("alertname", .matches, "A|B")], endsAt: at(end),
            createdBy: "me", comment: "why", annotations: ["ticket": "7"])
    }

    private static func told(_ deliveries: [Delivery]) -> [[String]] {
        deliveries.map { $0.notification.alerts.map { $0.labels["instance"] ?? "" } }
    }

    private static func finish(_ deliveries: [Delivery], _ dispatcher: inout Dispatcher, _ now: Timestamp) {
        for delivery in deliveries { _ = dispatcher.complete(delivery, .accepted, now: now) }
    }

    @Test func `a silenced alert is told at the first flush after the silence has ended`() throws {
        var dispatcher = Dispatcher(try Self.settings(), now: Self.start)
        let random = RandomSource(SeededGenerator(seed: 1))
        _ = try dispatcher.set(Self.draft("1", to: 100), now: Self.at(0), newID: random.uuid)
        let first = dispatcher.process([Self.alert("A", "1"), Self.alert("A", "2")], now: Self.at(1))
        #expect(Self.told(first) == [["2"]])
        Self.finish(first, &dispatcher, Self.at(1))
        #expect(Self.told(dispatcher.advance(to: Self.at(61))) == [])
        let second = dispatcher.advance(to: Self.at(121))
        #expect(Self.told(second) == [["1", "2"]])
        #expect(second.first?.notification.reason == "new alerts in group")
    }

    @Test func `one that a person ends early is told at the next flush`() throws {
        var dispatcher = Dispatcher(try Self.settings(), now: Self.start)
        let random = RandomSource(SeededGenerator(seed: 1))
        let id = try dispatcher.set(Self.draft("1", to: 10_000), now: Self.at(0), newID: random.uuid).id
        #expect(Self.told(dispatcher.process([Self.alert("A", "1")], now: Self.at(1))) == [])
        let shown = try #require(dispatcher.shownAlerts([], at: Self.at(2)).first)
        #expect(shown.silencedBy == [id] && shown.isSuppressed)
        _ = try dispatcher.expire(silence: id, now: Self.at(30))
        #expect(Self.told(dispatcher.advance(to: Self.at(61))) == [["1"]])
    }

    @Test func `silences outlive a restart and a reload`() throws {
        var dispatcher = Dispatcher(try Self.settings(), now: Self.start)
        let random = RandomSource(SeededGenerator(seed: 1))
        let id = try dispatcher.set(Self.draft("1", to: 10_000), now: Self.at(0), newID: random.uuid).id
        _ = dispatcher.process([Self.alert("A", "1")], now: Self.at(1))
        let state = Self.kept(dispatcher.takeChanges())
        #expect(state.silences == dispatcher.state(at: Self.at(2)).silences)
        #expect(state.alerts.count == 1)
        for way in [Dispatcher.Continuation.reload, .restart(grace: .seconds(60))] {
            var next = Dispatcher(try Self.settings(), continuing: state, by: way, now: Self.at(3))
            #expect(next.silences[id] == dispatcher.silences[id])
            #expect(Self.told(next.advance(to: Self.at(200))) == [])
            #expect(next.shownAlerts([], at: Self.at(4)).map(\.silencedBy) == [[id]])
        }
    }

    private static func kept(_ changes: StateChanges...) -> DispatcherState {
        var tables = StateTables()
        for change in changes { tables.apply(change) }
        var unreadable = 0
        let state = DispatcherState(tables, pipeline: "p", savedAt: at(2), unreadable: &unreadable)
        #expect(unreadable == 0)
        return state
    }

    @Test func `what changes and ends a silence is kept as well`() throws {
        var dispatcher = Dispatcher(try Self.settings(), now: Self.start)
        let random = RandomSource(SeededGenerator(seed: 1))
        let id = try dispatcher.set(Self.draft("1", to: 10_000), now: Self.at(0), newID: random.uuid).id
        let made = dispatcher.takeChanges()
        _ = try dispatcher.expire(silence: id, now: Self.at(30))
        let ended = dispatcher.takeChanges()
        #expect(Self.kept(made).silences.map(\.endsAt) == [Self.at(10_000)])
        #expect(Self.kept(made, ended).silences.map(\.endsAt) == [Self.at(30)])
        _ = dispatcher.advance(to: Self.at(200 * 3600))
        #expect(Self.kept(made, ended, dispatcher.takeChanges()).silences == [])
    }

    @Test func `what is over for long is forgotten by the sweep`() throws {
        var dispatcher = Dispatcher(try Self.settings(), now: Self.start)
        let random = RandomSource(SeededGenerator(seed: 1))
        _ = try dispatcher.set(Self.draft("1", to: 10), now: Self.at(0), newID: random.uuid)
        _ = dispatcher.advance(to: Self.at(100 * 3600))
        #expect(dispatcher.silences.count == 1)
        _ = dispatcher.advance(to: Self.at(121 * 3600))
        #expect(dispatcher.silences.count == 0)
    }

    @Test func `groups are shown by their labels, with those who hear of each alert`() throws {
        var settings = try Self.settings()
        var route = RouteSettings(receiver: "a")
        route.groupBy = .labels(["alertname"])
        var other = RouteSettings(receiver: "b")
        other.groupBy = .labels(["zone"])
        other.continues = true
        other.muteTimeIntervals = ["always"]
        var third = RouteSettings(receiver: "a")
        third.labels = ["team": "x"]
        route.routes = [other, third]
        settings.routes = RouteTree(route)
        settings.timeIntervals = ["always": [RecurringInterval()]]
        var dispatcher = Dispatcher(settings, now: Self.start)
        _ = dispatcher.process(
            [Alert(labels: ["alertname": "A", "zone": "z"], startsAt: Self.start), Self.alert("B", "2")],
            now: Self.at(1))
        let groups = dispatcher.shownGroups([], at: Self.at(2), receivers: { _ in true }, alerts: { _ in true })
        #expect(
            groups.map { "\($0.labels) \($0.receiver) \($0.mutedBy) \($0.alerts.count)" } == [
                #"{} b ["always"] 1"#, #"{zone="z"} b ["always"] 1"#, #"{alertname="A"} a [] 1"#,
                #"{alertname="B"} a [] 1"#,
            ])
        #expect(groups.flatMap(\.alerts).allSatisfy { $0.receivers == ["a", "b"] })
        #expect(groups.last?.routeLabels == ["team": "x"])
    }
}
