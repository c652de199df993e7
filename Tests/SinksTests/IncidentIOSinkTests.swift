import Sinks
import Streams
import TestKit
import Testing

@Suite struct IncidentIOSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(202, #"{"status":"success"}"#)

    @Test func `incident.io is a sink as every other`() async throws {
        try await SinkContract(IncidentIOSink.self, accepted: Self.accepted, secrets: ["a-SECRET"]) { url in
            "url: \(url)/v2/alert_events/alertmanager/1\nalert_source_token: a-SECRET"
        }.check()
    }

    private func exchange(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> SinkExchange {
        try await SinkExchange.run(
            IncidentIOSink.self, "url: URL/v2\nalert_source_token: t\n" + settings, notification
        ) { _ in Self.accepted }
    }

    @Test func `the document is Alertmanager's of version 1`() async throws {
        let exchange = try await exchange()
        let request = try #require(exchange.requests.first)
        #expect(request.path == "/v2" && request.headers["authorization"] == "Bearer t")
        #expect(request.headers["idempotency-key"] == "n1")
        let document = try exchange.document
        #expect(document.texts("version", "receiver", "status") == ["1", "team", "firing"])
        #expect(document["groupKey"]?.string == #"{}:{alertname="Down"}"#)
        #expect(document["commonLabels"] == ["alertname": "Down", "severity": "critical"])
        #expect(document["truncatedAlerts"] == 0 && document["alerts"]?.items?.count == 2)
        #expect(document["alerts"]?.items?.last?["status"]?.string == "resolved")
    }

    @Test func `too many alerts are counted, and one stands for all in a document that is too large`() async throws {
        let cut = try await exchange("max_alerts: 1").document
        #expect(cut["truncatedAlerts"] == 1 && cut["alerts"]?.items?.count == 1)
        let large = SinkBench.group { $0.alerts[1].annotations["dump"] = String(repeating: "x", count: 530_000) }
        let exchange = try await exchange("", large)
        #expect(try #require(exchange.requests.first).body.count < 512 << 10)
        #expect(try exchange.document["truncatedAlerts"] == 1)
    }

    @Test func `token and URL may stand in files, and http_config may say who we are`() async throws {
        let folder = try TemporaryFolder()
        let server = try TestHTTPServer { _ in Self.accepted }
        try folder.write("token", "tf\n")
        try folder.write("url", "\(server.url)/f\n")
        try await SinkBench.run { bench in
            try await bench.sink(
                IncidentIOSink.self,
                "{url_file: \(folder.path("url")), alert_source_token_file: \(folder.path("token"))}"
            ).deliver(SinkBench.group())
            try await bench.sink(
                IncidentIOSink.self,
                "{url: '\(server.url)/h', http_config: {authorization: {type: Own, credentials: x}}}"
            ).deliver(SinkBench.group())
        }
        #expect(server.requests.map(\.path) == ["/f", "/h"])
        #expect(server.requests.map { $0.headers["authorization"] } == ["Bearer tf", "Own x"])
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(
            IncidentIOSink.self, "{alert_source_token: t}", ["1:1: key \"url\" is missing in an incidentio config"])
        try expectErrors(IncidentIOSink.self, "{url: 'http://i', url_file: f, alert_source_token: t}", ["1:19: "])
        try expectErrors(
            IncidentIOSink.self, "{url: 'http://i', alert_source_token: t, alert_source_token_file: f}", ["1:42: "])
        try expectErrors(
            IncidentIOSink.self, "{url: 'http://i', http_config: {follow_redirects: true}}",
            ["1:1: key \"alert_source_token\" is missing"])
        try expectErrors(
            IncidentIOSink.self,
            "{url: 'http://i', alert_source_token: t, http_config: {authorization: {credentials: x}}}",
            ["1:55: an alert source's token and http_config.authorization exclude"])
        // As Alertmanager has it: without any http_config of its own nothing is missed.
        try expectErrors(IncidentIOSink.self, "{url: 'http://i'}", [])
    }
}
