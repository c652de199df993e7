import Sinks
import Streams
import TestKit
import Testing

@Suite struct MSTeamsSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, "1")

    @Test func `a connector of Microsoft Teams is a sink as every other`() async throws {
        try await SinkContract(MSTeamsSink.self, accepted: Self.accepted, secrets: ["SECRET-0123456789-abcdef"]) {
            url in
            "webhook_url: \(url)/webhookb2/SECRET-0123456789-abcdef"
        }.check()
    }

    private func card(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> JSONValue {
        try await SinkExchange.run(MSTeamsSink.self, "webhook_url: URL/w\n" + settings, notification) { _ in
            Self.accepted
        }.document
    }

    @Test func `a connector gets a message card`() async throws {
        let card = try await card()
        #expect(
            card.texts("@context", "@type", "type") == ["http://schema.org/extensions", "MessageCard", "MessageCard"])
        #expect(card.texts("title", "summary") == ["[FIRING:1] Down (critical)", "[FIRING:1] Down (critical)"])
        #expect(card["text"]?.string?.contains("# Alerts Firing:") == true)
        #expect(card["themeColor"]?.string == "8C1A1A")
        let own = try await self.card("title: t\nsummary: s\ntext: x", SinkBench.group { $0.alerts.removeFirst() })
        #expect(own.texts("title", "summary", "text", "themeColor") == ["t", "s", "x", "2DC72D"])
    }

    @Test("A message is as long as Teams takes it", arguments: ["ä", "\"", "x", "😀"] as [Character])
    func bounds(_ character: Character) async throws {
        let text = "text: '\(long(40_000, character))'"
        let document = try await card(text)
        #expect(document.bytes.count <= 28 << 10 && document.bytes.count > 12 << 10)
        #expect(document.text.contains("…"))
    }

    static let answers: [(String, Bool?)] = [
        ("1", nil),
        (
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
            true
        ),
        (
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
            false
        ),
        (
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 502 with ContextId x",
            true
        ),
    ]

    @Test("What a connector says in words with HTTP 200 is heeded", arguments: answers)
    func words(_ body: String, _ passes: Bool?) async throws {
        let error = try await SinkExchange.run(MSTeamsSink.self, "webhook_url: URL/w") { _ in .text(200, body) }.error
        switch (error, passes) {
        case (nil, nil), (.unavailable, true), (.refused, false): break
        default: Issue.record("\(String(describing: error))")
        }
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(MSTeamsSink.self, "{}", ["1:1: key \"webhook_url\" is missing in a msteams config"])
    }
}
