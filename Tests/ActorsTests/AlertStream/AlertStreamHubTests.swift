import Actors
import Streams
import TestKit
import Testing

@Suite struct AlertStreamHubTests {
    private func hub(epoch: String = "run1", capacity: Int = 100, subscribersMax: Int = 10) -> AlertStreamHub {
        AlertStreamHub(epoch: epoch, capacity: capacity, subscribersMax: subscribersMax, telemetry: Telemetry())
    }

    private func transition(_ name: String, from: AlertState = .pending, to: AlertState = .firing) -> AlertTransition {
        AlertTransition(
            time: Timestamp(milliseconds: 1_767_225_600_123), pipeline: "training", group: "jobs", rule: name,
            from: from, to: to, labels: ["alertname": name, "team": "ml"], annotations: ["summary": "it \"broke\""],
            value: 0.5, activeSince: Timestamp(milliseconds: 1_767_225_540_000))
    }

    /// What the subscriber gets next without waiting, as `type alertname id`; at most `count` events.
    private func read(_ subscription: AlertStreamSubscription?, _ count: Int) async -> [String] {
        var result: [String] = []
        for _ in 0..<count {
            guard let item = await subscription?.next() else { break }
            switch item {
            case .transition(let id, let transition):
                result.append("\(item.type) \(transition.labels["alertname"] ?? "") \(id)")
            case .missed(let id, let count): result.append("missed \(count.map(String.init) ?? "?") \(id)")
            }
        }
        return result
    }

    @Test func `an event is one line of JSON with all that a client wants to know`() async {
        let hub = hub()
        let subscription = hub.subscribe()
        hub.publish([transition("A")])
        let item = await subscription?.next()
        #expect(item?.type == "firing")
        #expect(
            item?.json
                == #"{"type":"firing","time":"2026-01-01T00:00:00.123Z","pipeline":"training","group":"jobs","rule":"A","#
                + #""labels":{"alertname":"A","team":"ml"},"annotations":{"summary":"it \"broke\""},"value":"0.5","#
                + #""activeAt":"2025-12-31T23:59:00Z"}"#)
    }

    @Test func `an alert that ends was resolved if it fired and is inactive if it only waited`() async {
        let hub = hub()
        let subscription = hub.subscribe()
        hub.publish([
            transition("A", from: .inactive, to: .pending), transition("A", from: .pending, to: .inactive),
            transition("A", from: .firing, to: .inactive),
        ])
        #expect(await read(subscription, 3) == ["pending A run1-1", "inactive A run1-2", "resolved A run1-3"])
    }

    @Test func `a subscriber hears from when he came, and only what his matchers accept`() async {
        let hub = hub()
        hub.publish([transition("before")])
        let all = hub.subscribe()
        let one = hub.subscribe(matchers: [Matcher("alertname", equals: "B")])
        hub.publish([transition("A"), transition("B"), transition("C")])
        hub.close()
        #expect(await read(all, 9) == ["firing A run1-2", "firing B run1-3", "firing C run1-4"])
        #expect(await read(one, 9) == ["firing B run1-3"])
    }

    @Test func `who comes back goes on after the last event that he saw`() async {
        let hub = hub()
        hub.publish([transition("A"), transition("B"), transition("C")])
        hub.close()
        #expect(await read(hub.subscribe(after: "run1-1"), 9) == ["firing B run1-2", "firing C run1-3"])
        #expect(await read(hub.subscribe(after: "run1-3"), 9) == [])
    }

    @Test func `who comes back too late is told how much he missed`() async {
        let hub = hub(capacity: 2)
        hub.publish(["A", "B", "C", "D", "E"].map { transition($0) })
        hub.close()
        #expect(
            await read(hub.subscribe(after: "run1-1"), 9) == ["missed 2 run1-3", "firing D run1-4", "firing E run1-5"])
    }

    @Test(
        "An id of another run, or none at all, means that something was missed",
        arguments: ["run0-7", "run1-99", "x", ""])
    func foreignID(_ id: String) async {
        let hub = hub()
        hub.publish([transition("A")])
        hub.close()
        #expect(await read(hub.subscribe(after: id), 9) == ["missed ? run1-0", "firing A run1-1"])
    }

    @Test func `a slow reader is told that he missed events and goes on with what is kept`() async {
        let hub = hub(capacity: 3)
        let subscription = hub.subscribe()
        hub.publish([transition("A")])
        #expect(await read(subscription, 1) == ["firing A run1-1"])
        hub.publish(["B", "C", "D", "E", "F"].map { transition($0) })
        hub.close()
        #expect(
            await read(subscription, 9)
                == ["missed 2 run1-3", "firing D run1-4", "firing E run1-5", "firing F run1-6"])
        let missed = AlertStreamItem.missed(id: "run1-3", count: 2)
        #expect(missed.json == #"{"type":"missed","count":2,"until":"run1-3"}"#)
    }

    @Test func `a waiting reader wakes at the next event and ends when cancelled`() async {
        let hub = hub()
        let subscription = hub.subscribe()
        async let first = read(subscription, 1)
        hub.publish([transition("A")])
        #expect(await first == ["firing A run1-1"])
        let rest = Task { await subscription?.next() }
        rest.cancel()
        #expect(await rest.value == nil)
    }

    @Test func `there is a bound on subscribers, and one who goes makes room`() {
        let hub = hub(subscribersMax: 1)
        var first = hub.subscribe()
        #expect(first != nil)
        #expect(hub.subscribe() == nil)
        first = nil
        #expect(hub.subscribe() != nil)
        withExtendedLifetime(first) {}
    }
}
