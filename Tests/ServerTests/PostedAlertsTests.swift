import Actors
import Foundation
import Pipelines
import Server
import ServerKit
import Streams
import TestKit
import Testing

/// Alerts that clients of Alertmanager's API post.
@Suite struct PostedAlertsTests {
    private static let hookless = """
        name: default
        global: {resolve_timeout: 2m}
        sources: [{push: {}}]
        rules: [{alert: Failed, expr: job_failed == 1}]
        routing: {route: {receiver: nobody}}
        sinks: [{name: nobody}]
        """

    private static func post(
        _ body: String, to server: TestServer, query: String = "", type: String? = "application/json"
    ) async throws -> LoopbackAnswer {
        let headers = type.map { ["Content-Type": $0] } ?? [:]
        return try await server.client.send("POST", "/api/v2/alerts" + query, headers: headers, text: body)
    }

    /// The events of the stream so far, in order, as `type alertname value`.
    private static func events(_ server: TestServer, _ count: Int) async throws -> [String] {
        // One who knows another run is given all that is kept, after word that something was missed.
        let subscription = try #require(server.graph.alerts.subscribe(after: "another-1"))
        var events: [String] = []
        while events.count < count, let item = await subscription.next() {
            if item.type == "missed" { continue }
            let data = try JSONValue(parsing: item.json.utf8)
            events.append(
                "\(item.type) \(data["labels"]?["alertname"]?.string ?? "") \((data["value"] ?? .string("missing")).text)"
            )
        }
        return events
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var body: String
        var status: Int
        var answer: String

        init(_ name: String, _ body: String, _ status: Int, _ answer: String = "") {
            testDescription = name
            self.body = body
            self.status = status
            self.answer = answer
        }
    }

    static let cases = [
        Case("an alert", #"[{"labels":{"alertname":"A"}}]"#, 200),
        Case("no alerts", "[]", 200),
        Case("Go's no alerts", "null", 200),
        Case(
            "everything an alert has",
            #"[{"labels":{"a b":"c","none":""},"annotations":{"x":"y"},"startsAt":"2026-01-01T00:00:00.123Z","#
                + #""endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p:9090/graph?g0.expr=up","more":[1]}]"#, 200),
        Case(
            "a path as link, null for what is not said", #"[{"labels":{"a":"b"},"generatorURL":"/x","endsAt":null}]"#,
            200),
        Case("a time without a zone", #"[{"labels":{"a":"b"},"startsAt":"2026-01-01T00:00:00"}]"#, 200),
        Case("no labels", #"[{"labels":{}}]"#, 400, "alerts[0]: at least one label pair required"),
        Case("only empty labels", #"[{"labels":{"a":""}}]"#, 400, "alerts[0]: at least one label pair required"),
        Case(
            "a label without a name", #"[{"labels":{"":"x"}}]"#, 400,
            #"alerts[0]: invalid label set: invalid name \"\""#),
        Case(
            "an end before the start, beside a good one",
            #"[{"labels":{"a":"b"}},{"labels":{"a":"b"},"startsAt":"2026-01-01T00:00:01Z","endsAt":"2026-01-01T00:00:00Z"}]"#,
            400, "alerts[1]: start time must be before end time"),
        Case(
            "labels missing", #"[{"annotations":{"a":"b"}}]"#, 422,
            #"{"code":602,"message":"0.labels in body is required"}"#),
        Case(
            "no link", #"[{"labels":{"a":"b"},"generatorURL":"not a url"}]"#, 422,
            #"{"code":601,"message":"0.generatorURL in body must be of type uri: \"not a url\""}"#),
        Case("an empty body", "", 422, "alerts in body is required"),
        Case("no time", #"[{"labels":{"a":"b"},"startsAt":"yesterday"}]"#, 400, "alerts[0].startsAt is no time"),
        Case("an empty time", #"[{"labels":{"a":"b"},"endsAt":""}]"#, 400, "alerts[0].endsAt is no time"),
        Case("a day that is none", #"[{"labels":{"a":"b"},"startsAt":"2026-02-30T00:00:00Z"}]"#, 400, "is no time"),
        Case("a number as time", #"[{"labels":{"a":"b"},"startsAt":1}]"#, 400, "alerts[0].startsAt is no text"),
        Case("a number as label", #"[{"labels":{"a":1}}]"#, 400, #"alerts[0].labels.\"a\" is no text"#),
        Case("labels as a list", #"[{"labels":[]}]"#, 400, "alerts[0].labels is no object"),
        Case("one alert without a list", #"{"labels":{"a":"b"}}"#, 400, "the body is no list of alerts"),
        Case("a list of nothing", "[null]", 400, "alerts[0] is no object"),
        Case("not JSON", "[{]", 400, "the body is no JSON: see byte 2"),
        Case("too deep", String(repeating: "[", count: 5000), 400, "the body is no JSON"),
    ]

    @Test func `requests are answered as Alertmanager answers them`() async throws {
        try await TestServer.with(Self.hookless) { server async throws in
            for example in Self.cases {
                let answer = try await Self.post(example.body, to: server)
                #expect(answer.status == example.status, "\(example.testDescription): \(answer.text)")
                #expect(answer.headers["cache-control"] == "no-store")
                if example.answer.isEmpty {
                    #expect(answer.body.isEmpty, "\(example.testDescription)")
                } else {
                    #expect(answer.text.contains(example.answer), "\(example.testDescription): \(answer.text)")
                    #expect(answer.headers["content-type"] == "application/json")
                }
            }
            #expect(try await Self.post("[]", to: server, type: "text/plain").status == 415)
            #expect(try await Self.post("[]", to: server, type: nil).status == 415)
            #expect(try await Self.post("[]", to: server, type: "Application/JSON; charset=utf-8").status == 200)
            let wrong = try await server.client.send("PUT", "/api/v2/alerts")
            #expect(wrong.status == 405)
        }
    }

    @Test func `what is valid of a request is taken, and all of it is counted`() async throws {
        try await TestServer.with(Self.hookless) { server async throws in
            let bodies = (0..<30).map { $0 % 2 == 0 ? #"{"labels":{"alertname":"A\#($0)"}}"# : #"{"labels":{}}"# }
            let answer = try await Self.post("[\(bodies.joined(separator: ","))]", to: server)
            #expect(answer.status == 400)
            let message = try #require(JSONValue(parsing: answer.body).string)
            #expect(message.hasPrefix("alerts[1]: at least one label pair required; alerts[3]: at"))
            #expect(message.hasSuffix("; and 5 more"))
            #expect(try await Self.events(server, 15) == (0..<15).map { "firing A\($0 * 2) null" })
            let ended =
                #"[{"labels":{"alertname":"A2"},"endsAt":"\#(Date(timeIntervalSinceNow: -1).ISO8601Format())"}]"#
            #expect(try await Self.post(ended, to: server).status == 200)
            #expect(try await Self.events(server, 16).last == "resolved A2 null")
            let label = #"{pipeline="default""#
            #expect(server.metric("tocsin_alerts_posted_total" + label + #", status="firing"}"#) == 15)
            #expect(server.metric("tocsin_alerts_posted_total" + label + #", status="resolved"}"#) == 1)
            #expect(server.metric("tocsin_alerts_posted_invalid_total" + label + "}") == 15)
            #expect(server.metric("tocsin_alerts_posted_refused_total" + label + "}") == 0)
        }
    }

    @Test func `an alert without an end is over after the resolve timeout, unless it is posted again`() async throws {
        let clock = ManualClock()
        let hook = try TestHTTPServer { _ in .text(200, "") }
        var options = TestServer.Options()
        options.clock = clock
        let pipeline = """
            name: default
            global: {resolve_timeout: 2m}
            routing: {route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1m}}
            sinks: [{name: hook, webhook_configs: [{url: '\(hook.url)/'}]}]
            """
        try await TestServer.with(pipeline, options) { server async throws in
            let body = #"[{"labels":{"alertname":"A"},"generatorURL":"http://p/1"},{"labels":{"alertname":"B"}}]"#
            #expect(try await Self.post(body, to: server).status == 200)
            await hook.received(2)
            #expect(hook.requests.allSatisfy { $0.text.contains(#""status":"firing""#) })
            // Time does not go on before both are known to be accepted, lest they be sent again.
            let accepted = #"tocsin_notification_latency_seconds_count{integration="webhook[0]", pipeline="default""#
            #expect(await eventually { server.metric(accepted + #", receiver="hook"}"#) == 2 })
            let start = clock.now()
            clock.advance(to: start + .seconds(60))
            #expect(try await Self.post(#"[{"labels":{"alertname":"A"}}]"#, to: server).status == 200)
            #expect(await eventually { server.metric(#"tocsin_alerts_received_total{pipeline="default"}"#) == 3 })
            clock.advance(to: start + .seconds(120))
            await hook.received(3)
            let resolved = hook.requests[2].text
            #expect(resolved.contains(#""status":"resolved""#) && resolved.contains(#""alertname":"B""#))
            #expect(resolved.contains(#""endsAt":"2026-01-01T00:02:00Z""#))
            #expect(try await Self.events(server, 3) == ["firing A null", "firing B null", "resolved B null"])
        }
        hook.stop()
    }

    @Test func `alerts enter the pipeline that is named, and those without a routing hand them on`() async throws {
        let pipeline = Self.hookless.replacing("name: default", with: "name: ml")
        try await TestServer.with(pipeline) { server async throws in
            let body = #"[{"labels":{"alertname":"A"}}]"#
            let missing = try await Self.post(body, to: server, query: "?pipeline=default")
            #expect(missing.status == 404)
            #expect(
                missing.text.contains(#"the pipeline \"default\" takes no alerts: write ?pipeline=NAME with one of ml"#)
            )
            #expect(try await Self.post(body, to: server, query: "?pipeline=ml").status == 200)
            #expect(try await Self.post(body, to: server, query: "?pipeline=").status == 404)
            try server.folder.write(
                "pipelines/main.yaml",
                Self.hookless.replacing("routing: {route: {receiver: nobody}}\n", with: "")
                    .replacing("sinks: [{name: nobody}]", with: "").replacing("name: default", with: "name: ml"))
            #expect(try await server.client.send("POST", "/-/reload").status == 500)
            #expect(try await Self.post(body, to: server, query: "?pipeline=ml").status == 200)
        }
        try await TestServer.with("name: default\nsources: [{push: {}}]\n") { server async throws in
            let answer = try await Self.post("[]", to: server)
            #expect(answer.status == 404)
            #expect(answer.text.contains("no pipeline has a routing"))
        }
    }

    @Test func `alerts that name no pipeline enter the only one that has a routing`() async throws {
        let body = #"[{"labels":{"alertname":"A"}}]"#
        let routed = Self.hookless.replacing("name: default", with: "name: ml")
        var options = TestServer.Options()
        options.isFolder = true
        try await TestServer.with(routed, options) { server async throws in
            try server.folder.write("pipelines/bare.yaml", "name: bare\nrules: [{alert: B, expr: b == 1}]\n")
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            #expect(try await Self.post(body, to: server).status == 200)
            #expect(try await Self.post(body, to: server, query: "?pipeline=bare").status == 200)
            #expect(await eventually { server.metric(#"tocsin_alerts_received_total{pipeline="ml"}"#) == 2 })
            // A second one: nobody can know which of them is meant.
            try server.folder.write("pipelines/bare.yaml", "name: bare\n")
            try server.folder.write(
                "pipelines/other.yaml", "name: other\nrouting: {route: {receiver: r}}\nsinks: [{name: r}]\n")
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            let unclear = try await Self.post(body, to: server)
            #expect(unclear.status == 404)
            #expect(
                unclear.text.contains(
                    "no pipeline is named, and there is no default one: write ?pipeline=NAME with one of ml, other"))
            try server.folder.write(
                "pipelines/bare.yaml", "name: default\nrouting: {route: {receiver: r}}\nsinks: [{name: r}]\n")
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            #expect(try await Self.post(body, to: server).status == 200)
        }
    }

    @Test func `a reload loses no alert that was taken`() async throws {
        try await TestServer.with(Self.hookless) { server async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { () async throws in
                    for place in 0..<10 {
                        try server.folder.write(
                            "pipelines/main.yaml",
                            Self.hookless.replacing(
                                "receiver: nobody", with: "receiver: nobody, group_wait: \(place + 1)s"))
                        #expect(try await server.client.send("POST", "/-/reload").status == 200)
                    }
                }
                group.addTask { () async throws in
                    for place in 0..<100 {
                        let body = #"[{"labels":{"alertname":"A\#(place)"}}]"#
                        #expect(try await Self.post(body, to: server).status == 200)
                    }
                }
                try await group.waitForAll()
            }
            let events = Set(try await Self.events(server, 100))
            #expect(events == Set((0..<100).map { "firing A\($0) null" }))
            #expect(await eventually { server.metric(#"tocsin_alerts{pipeline="default"}"#) == 100 })
        }
    }

    @Test func `when too many alerts wait, more are sent back whole`() async throws {
        let hold = Latch()
        var options = TestServer.Options()
        options.alertBatchesMax = 2
        options.beforeAlerts = { await hold.wait() }
        try await TestServer.with(Self.hookless, options) { server async throws in
            func post(_ name: String) async throws -> LoopbackAnswer {
                try await Self.post(#"[{"labels":{"alertname":"\#(name)"}},{"labels":{}}]"#, to: server)
            }
            #expect(try await post("A").status == 400)
            // The first batch is being looked at, the next two wait.
            let edge = #"{from="rules", pipeline="default", to="notify"}"#
            #expect(await eventually { server.metric("tocsin_edge_delivered_total" + edge) == 1 })
            #expect(try await post("B").status == 400)
            #expect(try await post("C").status == 400)
            let refused = try await post("D")
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] == "1")
            #expect(server.metric(#"tocsin_alerts_posted_refused_total{pipeline="default"}"#) == 2)
            hold.open()
            #expect(try await Self.events(server, 3) == ["firing A null", "firing B null", "firing C null"])
            #expect(await eventually { (try? await post("D").status) == 400 })
            #expect(try await Self.events(server, 4).last == "firing D null")
        }
    }

    @Test func `a body that is too large is refused, one that is compressed is read`() async throws {
        try await TestServer.with(Self.hookless) { server async throws in
            func compressed(_ name: String) async throws -> LoopbackAnswer {
                try await server.client.send(
                    "POST", "/api/v2/alerts",
                    headers: ["Content-Type": "application/json", "Content-Encoding": "gzip"],
                    body: gzip(Array(#"[{"labels":{"alertname":"\#(name)"}}]"#.utf8)))
            }
            #expect(try await compressed(String(repeating: "x", count: 9 << 20)).status == 413)
            #expect(try await compressed("Z").status == 200)
            #expect(try await Self.events(server, 1) == ["firing Z null"])
            #expect(server.bodies.bytes == 0)
        }
    }
}
