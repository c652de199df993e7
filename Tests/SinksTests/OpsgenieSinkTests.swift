import Sinks
import Streams
import TestKit
import Testing

@Suite struct OpsgenieSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(
        202, #"{"result":"Request will be processed","took":0.1,"requestId":"r"}"#)
    /// `printf '%s' '{}:{alertname="Down"}' | sha256sum`
    private static let alias = "af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e"

    @Test func `Opsgenie is a sink as every other`() async throws {
        try await SinkContract(OpsgenieSink.self, accepted: Self.accepted, secrets: ["G0123456789-SECRET"]) { url in
            "api_url: \(url)/\napi_key: G0123456789-SECRET"
        }.check()
    }

    private func exchange(
        _ settings: String = "", globals: String = "{}", _ notification: Notification = SinkBench.group()
    ) async throws -> SinkExchange {
        let exchange = try await SinkExchange.run(
            OpsgenieSink.self, "api_url: URL\napi_key: k\n" + settings, globals: globals, notification
        ) { _ in Self.accepted }
        #expect(exchange.error == nil)
        return exchange
    }

    @Test func `an alert of which nothing is said is Alertmanager's`() async throws {
        let exchange = try await exchange()
        let request = try #require(exchange.requests.first)
        #expect(exchange.requests.count == 1)
        #expect(request.method == "POST" && request.path == "/v2/alerts")
        #expect(request.headers["authorization"] == "GenieKey k")
        #expect(request.headers["content-type"] == "application/json")
        let alert = try exchange.document
        #expect(alert["alias"]?.string == Self.alias)
        #expect(alert["message"]?.string == "[FIRING:1] Down (critical)")
        #expect(alert["source"]?.string == "http://tocsin:9090/#/alerts?receiver=team")
        #expect(alert["details"] == ["alertname": "Down", "severity": "critical"])
        #expect(alert["description"]?.string?.contains(" - instance = a\n") == true)
        for name in ["responders", "tags", "note", "priority", "entity", "actions"] { #expect(alert[name] == nil) }
    }

    @Test func `every key reaches Opsgenie under its name, filled in`() async throws {
        let alert = try await exchange(
            """
            message: 'm {{ .Status }}'
            description: 'd {{ .Status }}'
            source: s
            entity: e
            tags: 'a, {{ .CommonLabels.severity }},,'
            actions: restart
            note: n
            priority: 'P{{ len .Alerts.Firing }}'
            details: {severity: own, team: '{{ .Receiver }}'}
            responders:
            - {id: i1, type: User}
            - {name: 'red, blue', type: teams}
            - {username: u, type: '{{ "schedule" }}'}
            - {name: '{{ .CommonLabels.nothing }}', type: team}
            """
        ).document
        #expect(
            alert.texts("message", "description", "source", "entity", "note", "priority") == [
                "m firing", "d firing", "s", "e", "n", "P1",
            ])
        #expect(alert["tags"] == ["a", "critical"] && alert["actions"] == ["restart"])
        #expect(alert["details"] == ["alertname": "Down", "severity": "own", "team": "team"])
        #expect(
            alert["responders"] == [
                ["id": "i1", "type": "user"], ["name": "red", "type": "team"], ["name": "blue", "type": "team"],
                ["username": "u", "type": "schedule"],
            ])
    }

    @Test func `a group that is over closes the alert by its alias`() async throws {
        let exchange = try await exchange("source: s", SinkBench.group { $0.alerts.removeFirst() })
        #expect(exchange.requests.map(\.path) == ["/v2/alerts/\(Self.alias)/close?identifierType=alias"])
        #expect(try exchange.document == ["source": "s"])
    }

    @Test func `an alert that is there already is brought up to date where that is asked for`() async throws {
        let exchange = try await exchange("update_alerts: true\nmessage: m\ndescription: d")
        let below = "/v2/alerts/\(Self.alias)"
        #expect(
            exchange.requests.map { "\($0.method) \($0.path)" } == [
                "POST /v2/alerts", "PUT \(below)/message?identifierType=alias",
                "PUT \(below)/description?identifierType=alias",
            ])
        #expect(try exchange.document(1) == ["message": "m"])
        #expect(try exchange.document(2) == ["description": "d"])
    }

    @Test func `what is too long is cut, in characters`() async throws {
        let alert = try await exchange(
            """
            message: \(long(200))
            description: \(long(15_001))
            source: \(long(101))
            entity: \(long(600))
            note: \(long(26_000))
            tags: '\((0..<30).map { "t\($0)" }.joined(separator: ",")),\(long(60))'
            details: {alertname: '\(long(9000))'}
            """
        ).document
        let lengths = ["message", "description", "source", "entity", "note"].map {
            alert[$0]?.string?.unicodeScalars.count
        }
        #expect(lengths == [130, 15_000, 100, 512, 25_000])
        #expect(alert["message"]?.string?.hasSuffix("…") == true)
        #expect(alert["tags"]?.items?.count == 20)
        #expect(alert["details"]?["alertname"]?.string?.unicodeScalars.count == 8000 - "alertname".utf8.count)
    }

    @Test func `the key and the address may be global, the key a template`() async throws {
        let exchange = try await SinkExchange.run(
            OpsgenieSink.self, "{}",
            globals: "{opsgenie_api_key: 'k-{{ .Receiver }}', opsgenie_api_url: 'URL/eu/'}"
        ) { _ in Self.accepted }
        #expect(exchange.requests.first?.headers["authorization"] == "GenieKey k-team")
        #expect(exchange.requests.first?.path == "/eu/v2/alerts")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(OpsgenieSink.self, "{}", ["1:1: no Opsgenie API key"])
        try expectErrors(OpsgenieSink.self, "{api_key: k, api_key_file: f}", ["1:14: "])
        try expectErrors(
            OpsgenieSink.self, "{api_key: k, responders: [{type: team}]}", ["1:27: a responder needs an \"id\""])
        try expectErrors(
            OpsgenieSink.self, "{api_key: k, responders: [{name: x, type: boat}]}", ["1:43: a responder's type is"])
        try expectErrors(OpsgenieSink.self, "{api_key: k, message: '{{ nope }}'}", ["1:27: invalid template"])
        try expectErrors(
            OpsgenieSink.self, "{api_key: '{{ nope }}'}", ["1:11: the API key's template is malformed"])
    }
}
