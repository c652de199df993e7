import Sinks
import Streams
import TestKit
import Testing
import Transport

@Suite struct MSTeamsV2SinkTests {
    @Test func `a workflow of Microsoft Teams is a sink as every other`() async throws {
        try await SinkContract(
            MSTeamsV2Sink.self, accepted: .respond(202), secrets: ["SECRET-0123456789-abcdef"]
        ) { url in
            "webhook_url: \(url)/workflows/w?sig=SECRET-0123456789-abcdef"
        }.check()
    }

    private func message(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> JSONValue {
        try await SinkExchange.run(MSTeamsV2Sink.self, "webhook_url: URL/w\n" + settings, notification) { _ in
            .respond(202)
        }.document
    }

    @Test func `a workflow gets an adaptive card`() async throws {
        let message = try await message("text: x {{ .Status }}")
        #expect(
            message == [
                "type": "message",
                "attachments": [
                    [
                        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": .null,
                        "content": [
                            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
                            "version": "1.2",
                            "body": [
                                [
                                    "type": "TextBlock", "text": "[FIRING:1] Down (critical)", "weight": "Bolder",
                                    "size": "Medium", "wrap": true, "style": "heading", "color": "Attention",
                                ],
                                ["type": "TextBlock", "text": "x firing", "wrap": true],
                            ],
                            "msteams": ["width": "full"],
                        ],
                    ]
                ],
            ])
        let over = try await self.message("title: t", SinkBench.group { $0.alerts.removeFirst() })
        let block = over["attachments"]?.items?.first?["content"]?["body"]?.items?.first
        #expect(block?.texts("text", "color") == ["t", "Good"])
    }

    @Test("A message is as long as Teams takes it", arguments: ["ä", "\"", "x", "😀"] as [Character])
    func bounds(_ character: Character) async throws {
        let text = "text: '\(long(40_000, character))'"
        let document = try await message(text)
        #expect(document.bytes.count <= 28 << 10 && document.bytes.count > 12 << 10)
        #expect(document.text.contains("…"))
    }

    @Test func `a workflow's HTTP settings have the global proxy unless they name one`() throws {
        let globals = "http_config: {proxy_url: 'http://p:1'}"
        let settings = try SinkBench.settings(
            MSTeamsV2Sink.self, "{webhook_url: 'http://m', http_config: {follow_redirects: false}}", globals: globals)
        #expect(settings.settings?.service.http.proxyURL?.reveal() == "http://p:1")
        #expect(settings.settings?.service.http.followsRedirects == false)
        let own = try SinkBench.settings(
            MSTeamsV2Sink.self, "{webhook_url: 'http://m', http_config: {proxy_url: 'http://q:1'}}", globals: globals)
        #expect(own.settings?.service.http.proxyURL?.reveal() == "http://q:1")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(MSTeamsV2Sink.self, "{}", ["1:1: key \"webhook_url\" is missing in a msteamsv2 config"])
        try expectErrors(MSTeamsV2Sink.self, "{webhook_url: 'http://d', webhook_url_file: f}", ["1:27: "])
        try expectErrors(MSTeamsV2Sink.self, "{webhook_url: 'http://d', summary: f}", ["1:27: unknown key \"summary\""])
    }
}
