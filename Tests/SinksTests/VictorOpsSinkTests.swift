import Sinks
import Streams
import TestKit
import Testing

@Suite struct VictorOpsSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, #"{"result":"success","entity_id":"e"}"#)

    @Test func `VictorOps is a sink as every other`() async throws {
        try await SinkContract(VictorOpsSink.self, accepted: Self.accepted, secrets: ["v0-SECRET"]) { url in
            "api_url: \(url)/alert\napi_key: v0-SECRET\nrouting_key: ml"
        }.check()
    }

    private func exchange(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> SinkExchange {
        try await SinkExchange.run(
            VictorOpsSink.self, "api_url: URL/alert/\napi_key: k/1\nrouting_key: 'r {{ .Receiver }}'\n" + settings,
            notification
        ) { _ in Self.accepted }
    }

    @Test func `an event of which nothing is said is Alertmanager's`() async throws {
        let exchange = try await exchange()
        #expect(exchange.requests.map { "\($0.method) \($0.path)" } == ["POST /alert/k%2F1/r%20team"])
        let event = try exchange.document
        #expect(event["message_type"]?.string == "CRITICAL")
        #expect(event["entity_id"]?.string == "af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e")
        #expect(event["entity_display_name"]?.string == "[FIRING:1] Down (critical)")
        #expect(event["monitoring_tool"]?.string == "Alertmanager")
        #expect(event["state_message"]?.string?.contains(" - instance = a\n") == true)
    }

    static let types = [
        ("WARNING", "WARNING"), ("INFO", "INFO"), ("{{ toUpper .CommonLabels.severity }}", "CRITICAL"),
        ("warning", "CRITICAL"), ("RECOVERY", "CRITICAL"), ("", "CRITICAL"),
    ]

    @Test("A type that VictorOps does not know is critical", arguments: types)
    func messageTypes(_ text: String, _ expected: String) async throws {
        let event = try await exchange("message_type: '\(text)'").document
        #expect(event["message_type"]?.string == expected)
    }

    @Test func `a group that is over recovers the incident that it triggered`() async throws {
        let trigger = try await exchange().document
        let recovery = try await exchange("message_type: INFO", SinkBench.group { $0.alerts.removeFirst() }).document
        #expect(recovery["message_type"]?.string == "RECOVERY")
        #expect(recovery["entity_id"] == trigger["entity_id"])
    }

    @Test func `every key reaches VictorOps under its name, and the message is cut`() async throws {
        let event = try await exchange(
            """
            state_message: \(long(20_481))
            entity_display_name: 'n {{ .Status }}'
            monitoring_tool: t
            custom_fields: {cluster: '{{ .Receiver }}-a', empty: ''}
            """
        ).document
        #expect(event["state_message"]?.string == long(20_479) + "…")
        #expect(event.texts("entity_display_name", "monitoring_tool") == ["n firing", "t"])
        #expect(event.texts("cluster", "empty") == ["team-a", ""])
    }

    @Test func `the key and the address may be global`() async throws {
        let exchange = try await SinkExchange.run(
            VictorOpsSink.self, "routing_key: r", globals: "{victorops_api_key: k, victorops_api_url: 'URL/g'}"
        ) { _ in Self.accepted }
        #expect(exchange.requests.first?.path == "/g/k/r")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(
            VictorOpsSink.self, "{}",
            ["1:1: key \"routing_key\" is missing in a victorops config", "1:1: no VictorOps"])
        try expectErrors(VictorOpsSink.self, "{api_key: k, routing_key: ''}", ["1:27: must not be empty"])
        try expectErrors(
            VictorOpsSink.self, "{api_key: k, routing_key: r, custom_fields: {entity_id: x}}",
            ["1:46: the field \"entity_id\" is VictorOps's own"])
    }
}
