import Sources
import Storage
import Streams
import TestKit
import Testing

@Suite struct PushGatewayTests {
    private let samples = SampleStore()
    private let start: Timestamp
    private let key = GroupingKey(labels: ["job": "j"])

    init() { start = samples.clock.now() }

    private func gateway(_ settings: PushSettings = PushSettings()) -> PushGateway {
        PushGateway(settings, ingest: samples.ingest, clock: samples.clock, telemetry: samples.telemetry)
    }

    /// The samples of the metric's only series.
    private func series(_ name: String) async throws -> [String] {
        let all = try await samples.samples(name, since: start)
        #expect(all.count <= 1, "\(all)")
        return all.values.first ?? []
    }

    private func seconds(_ milliseconds: Int64) -> String {
        formatFloat((start + .milliseconds(milliseconds)).seconds, .general)
    }

    // MARK: verbs

    @Test func `a push is readable when it returns, under the group's labels`() async throws {
        let gateway = gateway()
        let key = GroupingKey(labels: ["job": "train", "instance": "a", "empty": ""])
        try await gateway.push(Array("loss{job=\"other\",x=\"1\"} 0.5\n".utf8), to: key, replacing: true)
        #expect(
            try await samples.samples("loss", since: start) == [
                #"loss{instance="a", job="train", x="1"}"#: ["0.5 @0"]
            ])
        #expect(
            try await samples.samples("push_time_seconds", since: start) == [
                #"push_time_seconds{instance="a", job="train"}"#: ["\(seconds(0)) @0"]
            ])
        #expect(try await series("push_failure_time_seconds") == ["0 @0"])
        #expect(samples.metric("tocsin_push_total") == "1" && samples.metric("tocsin_push_groups") == "1")
    }

    @Test func `PUT replaces the group, POST only what it names`() async throws {
        let gateway = gateway()
        try await gateway.push(Array("a 1\nb{x=\"1\"} 1\nb{x=\"2\"} 1\n".utf8), to: key, replacing: true)
        samples.clock.advance(by: .seconds(1))
        try await gateway.push(Array("b{x=\"1\"} 2\n".utf8), to: key, replacing: false)
        #expect(try await series("a") == ["1 @0", "1 @1000"])
        #expect(
            try await samples.samples("b", since: start) == [
                #"b{job="j", x="1"}"#: ["1 @0", "2 @1000"], #"b{job="j", x="2"}"#: ["1 @0", "stale @1000"],
            ])
        samples.clock.advance(by: .seconds(1))
        try await gateway.push(Array("c 3\n".utf8), to: key, replacing: true)
        #expect(try await series("a") == ["1 @0", "1 @1000", "stale @2000"])
        #expect(try await series("c") == ["3 @2000"])
        samples.clock.advance(by: .seconds(1))
        try await gateway.push([], to: key, replacing: true)
        #expect(try await series("c") == ["3 @2000", "stale @3000"])
        #expect(try await series("push_time_seconds").last == "\(seconds(3000)) @3000")
        #expect(samples.metric("tocsin_push_groups") == "1")
    }

    @Test func `DELETE ends the series of one group; what is not there is deleted already`() async throws {
        let gateway = gateway()
        let other = GroupingKey(labels: ["job": "k"])
        try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
        try await gateway.push(Array("b 1\n".utf8), to: other, replacing: true)
        samples.clock.advance(by: .seconds(1))
        try await gateway.delete(key)
        try await gateway.delete(key)
        #expect(try await series("a") == ["1 @0", "stale @1000"])
        #expect(try await series("b") == ["1 @0"])
        #expect(
            try await samples.samples("push_time_seconds", since: start)[#"push_time_seconds{job="j"}"#]?.last
                == "stale @1000")
        #expect(samples.metric("tocsin_push_groups") == "1")
        #expect(try await !gateway.exposition().contains(#"job="j""#))
    }

    @Test func `pushes, deletes and pushes within one millisecond are all stored`() async throws {
        let gateway = gateway()
        try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
        try await gateway.push(Array("a 2\n".utf8), to: key, replacing: true)
        try await gateway.delete(key)
        try await gateway.push(Array("a 3\n".utf8), to: key, replacing: true)
        #expect(try await series("a") == ["1 @0", "2 @1", "stale @2", "3 @3"])
    }

    @Test func `pushes to many groups do not run ahead of the clock`() async throws {
        let gateway = gateway()
        for number in 0..<50 {
            try await gateway.push(
                Array("a \(number)\n".utf8), to: GroupingKey(labels: ["job": "\(number)"]), replacing: true)
        }
        let times = try await samples.samples("a", since: start).values.compactMap(\.first)
        #expect(times.count == 50 && times.allSatisfy { $0.hasSuffix(" @0") })
    }

    @Test func `a group that is pushed faster than milliseconds go by is refused before it runs ahead`() async throws {
        let gateway = gateway()
        var taken = 0
        do {
            while taken < 5000 {
                try await gateway.push(Array("a \(taken)\n".utf8), to: key, replacing: true)
                taken += 1
            }
        } catch {
            #expect(error == .ingest(.saturated(retryAfter: .seconds(1))))
        }
        #expect(taken == 1001)
        #expect(try await series("a").count == taken, "what was taken is stored")
        samples.clock.advance(by: .seconds(2))
        try await gateway.push(Array("a -1\n".utf8), to: key, replacing: true)
        #expect(try await series("a").last == "-1 @2000")
    }

    @Test func `wiping and retiring end everything`() async throws {
        let gateway = gateway()
        let other = GroupingKey(labels: ["job": "k"])
        try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
        try await gateway.push(Array("b 1\n".utf8), to: other, replacing: true)
        try await gateway.wipe()
        #expect(try await series("a") == ["1 @0", "stale @1"])
        #expect(try await series("b") == ["1 @0", "stale @1"])
        #expect(samples.metric("tocsin_push_groups") == "0")
        #expect(try await gateway.exposition() == "")
        try await gateway.push(Array("a 2\n".utf8), to: key, replacing: true)
        samples.clock.advance(by: .seconds(1))
        await gateway.retire()
        #expect(try await series("a") == ["1 @0", "stale @1", "2 @2", "stale @1000"])
    }

    @Test func `groups go on under other settings, and the old gateway takes no more`() async throws {
        let old = gateway()
        try await old.push(Array("# TYPE a counter\na 1\n".utf8), to: key, replacing: true)
        let new = gateway(PushSettings(timeToLive: .seconds(60)))
        await new.takeOver(from: old)
        await #expect(throws: PushGateway.Refusal.ingest(.closed)) {
            try await old.push(Array("a 2\n".utf8), to: key, replacing: true)
        }
        #expect(try await new.exposition().contains(#"a{instance="",job="j"} 1"#))
        await #expect(throws: PushGateway.Refusal.self, "types are remembered") {
            try await new.push(
                Array("# TYPE a gauge\na 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: true)
        }
        try await new.push(Array("# TYPE a counter\na 3\n".utf8), to: key, replacing: true)
        #expect(try await series("a") == ["1 @0", "3 @1"])
    }

    // MARK: a restart

    @Test func `groups come back after a restart as they were, but for those whose time is over`() async throws {
        let first = gateway()
        let old = GroupingKey(labels: ["job": "old", "é/l": ""])
        try await first.push(Array("gone 1\n".utf8), to: old, replacing: true)
        samples.clock.advance(by: .seconds(40))
        let text = #"""
            # HELP h some "help" with \\
            # TYPE h histogram
            h_bucket{le="1",l="a\"b"} 1
            h_bucket{le="+Inf",l="a\"b"} 2
            h_sum{l="a\"b"} 0.1
            h_count{l="a\"b"} 2
            n NaN
            i -Inf

            """#
        try await first.push(Array(text.utf8), to: key, replacing: true)
        await #expect(throws: PushGateway.Refusal.self) {
            try await first.push(Array("n 1 1000\n".utf8), to: key, replacing: true)
        }
        let saved = try SavedGroups(await first.savedGroups().bytes)
        let second = gateway()
        await second.restore(saved)
        #expect(try await second.exposition() == first.exposition())
        #expect(await second.groupsAsJSON() == first.groupsAsJSON())
        samples.clock.advance(by: .seconds(30))
        let third = gateway(PushSettings(timeToLive: .seconds(60)))
        await third.restore(saved)
        #expect(try await !third.exposition().contains("gone"))
        #expect(try await third.exposition().contains("h_count"))
        // Types are remembered, too.
        await #expect(throws: PushGateway.Refusal.self) {
            try await third.push(
                Array("# TYPE h gauge\nh 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: true)
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await third.run() }
            await samples.clock.waitForSleepers(count: 1)
            group.cancelAll()
        }
        #expect(try await series("h_count").last == "2 @70000")
        #expect(try await series("gone") == ["1 @0"])
    }

    @Test(
        "A file of groups that is damaged is told and not used",
        arguments: [
            "{", "{}", "{\"version\":2}", "{\"version\":1}\n{\"family\":\"a\"}",
            "{\"version\":1}\n{\"group\":{\"job\":\"a\"}}\n{\"sample\":{},\"value\":\"1\"}",
            "{\"version\":1}\n{\"group\":{}}", "{\"version\":1}\n{\"group\":3}",
        ])
    func damagedGroups(text: String) {
        #expect(throws: SavedGroups.Damaged.self) { try SavedGroups(Array(text.utf8)) }
    }

    // MARK: refusals

    static let refused: [(body: String, reason: String)] = [
        ("a 1 1000\n", "pushed metrics must not have timestamps: a{job=\"j\"}"),
        ("a 1\na 2\n", "the series a{job=\"j\"} was collected before with the same name and label values"),
        (
            "# TYPE known counter\nknown 1\n",
            "metric \"known\" is pushed with type counter, but another group has it with type gauge"
        ),
        (
            "# TYPE hist gauge\nhist 1\n",
            "metric \"hist\" is pushed with type gauge, but another group has it with type histogram"
        ),
        ("hist_count 1\n", "metric \"hist_count\" collides with the histogram \"hist\""),
        ("hist_bucket{le=\"9\"} 1\n", "metric \"hist_bucket\" collides with the histogram \"hist\""),
        (
            "# TYPE known summary\nknown_sum 1\nknown_count 1\n",
            "metric \"known\" is pushed with type summary, but another group has it with type gauge"
        ),
        (
            "# TYPE new histogram\nnew_bucket{le=\"+Inf\"} 1\nnew_sum 1\nnew_count 1\n",
            "the histogram \"new\" collides with metric \"new_sum\""
        ),
    ]

    @Test("A push that contradicts itself or others is refused, which the group remembers", arguments: refused)
    func refuses(_ example: (body: String, reason: String)) async throws {
        let gateway = gateway()
        let other = """
            # TYPE known gauge
            known 1
            # TYPE hist histogram
            hist_bucket{le="+Inf"} 1
            hist_sum 1
            hist_count 1
            new_sum 1

            """
        try await gateway.push(Array(other.utf8), to: GroupingKey(labels: ["job": "other"]), replacing: true)
        try await gateway.push(Array("kept 1\n".utf8), to: key, replacing: true)
        samples.clock.advance(by: .seconds(1))
        await #expect(
            throws: PushGateway.Refusal.invalid(
                "pushed metrics are invalid or inconsistent with existing metrics: " + example.reason)
        ) {
            try await gateway.push(Array(example.body.utf8), to: key, replacing: true)
        }
        #expect(try await series("a") == [])
        #expect(try await series("kept") == ["1 @0"])
        let failure = try await samples.samples("push_failure_time_seconds", since: start)
        #expect(failure[#"push_failure_time_seconds{job="j"}"#] == ["0 @0", "\(seconds(1000)) @1000"])
        #expect(try await gateway.exposition().contains("kept{instance=\"\",job=\"j\"} 1\n"))
        #expect(samples.metric("tocsin_push_refused_total") == "1")
    }

    @Test func `the first push to a group that fails leaves its two times`() async throws {
        let gateway = gateway()
        await #expect(throws: PushGateway.Refusal.self) {
            try await gateway.push(Array("a 1 5\n".utf8), to: key, replacing: true)
        }
        #expect(try await series("push_time_seconds") == ["0 @0"])
        #expect(try await series("push_failure_time_seconds") == ["\(seconds(0)) @0"])
        #expect(samples.metric("tocsin_push_groups") == "1")
    }

    @Test func `a text that can't be read is no push at all`() async throws {
        let gateway = gateway()
        do {
            try await gateway.push(Array("a 1\nb one\n".utf8), to: key, replacing: true)
            Issue.record("it was taken")
        } catch {
            #expect("\(error)".hasPrefix("text format parsing error in line 2: "), "\(error)")
        }
        #expect(try await series("push_failure_time_seconds") == [])
        #expect(samples.metric("tocsin_push_refused_total") == "1")
    }

    @Test func `a group may change the type of what it alone has`() async throws {
        let gateway = gateway()
        try await gateway.push(Array("# TYPE a counter\na 1\n".utf8), to: key, replacing: true)
        try await gateway.push(Array("# TYPE a gauge\na 2\n".utf8), to: key, replacing: false)
        #expect(try await gateway.exposition().contains("# TYPE a gauge\n"))
        await #expect(throws: PushGateway.Refusal.self) {
            try await gateway.push(
                Array("# TYPE a counter\na 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: false)
        }
        try await gateway.delete(key)
        try await gateway.push(
            Array("# TYPE a counter\na 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: false)
    }

    @Test func `where consistency is not checked, what contradicts shows at the exposition`() async throws {
        var settings = PushSettings()
        settings.checksConsistency = false
        let gateway = gateway(settings)
        try await gateway.push(Array("# TYPE a counter\na 1\n".utf8), to: key, replacing: true)
        try await gateway.push(
            Array("# TYPE a gauge\na 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: true)
        await #expect(throws: PushGateway.Inconsistent.self) { try await gateway.exposition() }
    }

    @Test func `groups have their bound`() async throws {
        var settings = PushSettings()
        settings.groupsMax = 1
        let gateway = gateway(settings)
        try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
        await #expect(throws: PushGateway.Refusal.invalid("there are 1 groups already (groups_max)")) {
            try await gateway.push(Array("a 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: true)
        }
        try await gateway.push(Array("a 2\n".utf8), to: key, replacing: true)
        try await gateway.delete(key)
        try await gateway.push(Array("a 1\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: true)
    }

    @Test func `while the graph is full a push is refused and changes nothing`() async throws {
        let gateway = gateway()
        try await gateway.push(Array("a 1\nb 1\n".utf8), to: key, replacing: true)
        samples.clock.advance(by: .seconds(1))
        samples.isFull = true
        let full = PushGateway.Refusal.ingest(.saturated(retryAfter: .seconds(1)))
        await #expect(throws: full) { try await gateway.push(Array("a 2\n".utf8), to: key, replacing: true) }
        await #expect(throws: full) { try await gateway.delete(key) }
        await #expect(throws: full) {
            try await gateway.push(Array("c 2\n".utf8), to: GroupingKey(labels: ["job": "k"]), replacing: true)
        }
        #expect(try await series("a") == ["1 @0"])
        let shown = try await gateway.exposition()
        #expect(shown.contains("a{instance=\"\",job=\"j\"} 1\n") && shown.contains("b{") && !shown.contains("c{"))
        #expect(shown.contains("push_time_seconds{instance=\"\",job=\"j\"} \(seconds(0))\n"))
        #expect(samples.metric("tocsin_push_groups") == "1")
        samples.isFull = false
        try await gateway.push(Array("a 3\n".utf8), to: key, replacing: true)
        #expect(try await series("a") == ["1 @0", "3 @1000"])
        #expect(try await series("b") == ["1 @0", "stale @1000"])
    }

    @Test func `who stands in line for as long as a push may wait is refused, not made to wait again`() async throws {
        let clock = WatchedClock(samples.clock)
        let ingest = HeldIngest(samples.ingest)
        let gateway = PushGateway(
            PushSettings(patience: .seconds(5)), ingest: ingest, clock: clock, telemetry: samples.telemetry)
        let key = key
        let first = Task { try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true) }
        await ingest.held()
        clock.forget()
        let second = Task { try await gateway.push(Array("a 2\n".utf8), to: key, replacing: true) }
        // The second one has looked at the clock: from here on it waits.
        await clock.asked()
        samples.clock.advance(by: .seconds(5))
        ingest.letGo()
        try await first.value
        await #expect(throws: PushGateway.Refusal.ingest(.saturated(retryAfter: .seconds(1)))) {
            try await second.value
        }
        #expect(try await series("a") == ["1 @0"])
    }

    // MARK: time

    /// Runs the gateway for as long as the body takes.
    private func running(_ gateway: PushGateway, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await gateway.run() }
            await samples.clock.waitForSleepers(count: 1)
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func advance(_ duration: Duration) async {
        samples.clock.advance(by: duration)
        await samples.clock.waitForSleepers(count: 1)
    }

    @Test func `values are told again on each interval`() async throws {
        let gateway = gateway(PushSettings(refreshInterval: .seconds(15)))
        try await running(gateway) {
            try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
            await advance(.seconds(14))
            await advance(.seconds(1))
            await advance(.seconds(15))
            #expect(try await series("a") == ["1 @0", "1 @15000", "1 @30000"])
            #expect(try await series("push_time_seconds").last == "\(seconds(0)) @30000")
            samples.isFull = true
            await advance(.seconds(15))
            samples.isFull = false
            await advance(.seconds(15))
            #expect(try await series("a").last == "1 @60000")
        }
    }

    @Test func `a group that is not pushed for its time to live goes stale on time`() async throws {
        let gateway = gateway(PushSettings(timeToLive: .seconds(5), refreshInterval: .seconds(60)))
        let other = GroupingKey(labels: ["job": "k"])
        try await running(gateway) {
            samples.clock.advance(by: .seconds(4))
            try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
            try await gateway.push(Array("b 1\n".utf8), to: other, replacing: true)
            await advance(.seconds(1))
            await advance(.seconds(2))
            try await gateway.push(Array("b 2\n".utf8), to: other, replacing: true)
            await advance(.seconds(2))
            #expect(try await series("a") == ["1 @4000", "stale @9000"])
            #expect(try await series("b") == ["1 @4000", "2 @7000"])
            #expect(samples.metric("tocsin_push_groups_expired_total") == "1")
            await advance(.seconds(3))
            #expect(try await series("b") == ["1 @4000", "2 @7000", "stale @12000"])
            #expect(samples.metric("tocsin_push_groups") == "0")
        }
    }

    @Test func `a group that could not be ended is ended when there is room`() async throws {
        let gateway = gateway(PushSettings(timeToLive: .seconds(5), refreshInterval: .seconds(60)))
        try await running(gateway) {
            try await gateway.push(Array("a 1\n".utf8), to: key, replacing: true)
            samples.isFull = true
            await advance(.seconds(5))
            #expect(try await series("a") == ["1 @0"])
            samples.isFull = false
            await advance(.seconds(1))
            #expect(try await series("a") == ["1 @0", "stale @6000"])
        }
    }
}
