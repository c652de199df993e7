import Sinks
import Streams
import TestKit
import Testing

@Suite struct DiscordSinkTests {
    private static let accepted = TestHTTPServer.Answer.respond(204)

    @Test func `Discord is a sink as every other`() async throws {
        try await SinkContract(DiscordSink.self, accepted: Self.accepted, secrets: ["SECRET-0123456789-abcdef"]) {
            url in
            "webhook_url: \(url)/api/webhooks/123456789/SECRET-0123456789-abcdef"
        }.check()
    }

    private func document(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> JSONValue {
        try await SinkExchange.run(DiscordSink.self, "webhook_url: URL/w\n" + settings, notification) { _ in
            Self.accepted
        }.document
    }

    @Test func `a message of which nothing is said is Alertmanager's`() async throws {
        let message = try await document()
        #expect(message["content"]?.string == "" && message["username"] == nil && message["avatar_url"] == nil)
        let embed = try #require(message["embeds"]?.items?.first)
        #expect(embed["title"]?.string == "[FIRING:1] Down (critical)")
        #expect(embed["description"]?.string?.contains(" - instance = a\n") == true)
        #expect(embed["color"] == 0x99_2D22)
        let over = try await document("", SinkBench.group { $0.alerts.removeFirst() })
        #expect(over["embeds"]?.items?.first?["color"] == 0x2E_CC71)
    }

    @Test func `every key reaches Discord under its name, filled in and cut`() async throws {
        let message = try await document(
            "content: c {{ .Status }}\nusername: u\navatar_url: http://a\ntitle: t {{ .Status }}\nmessage: m")
        #expect(message.texts("content", "username", "avatar_url") == ["c firing", "u", "http://a"])
        #expect(message["embeds"]?.items?.first?.texts("title", "description") == ["t firing", "m"])
        let cut = try await document(
            "content: \(long(2001))\ntitle: \(long(257))\nmessage: \(long(4097))\nusername: \(long(81))")
        #expect(cut.texts("content", "username") == [long(1999) + "…", long(79) + "…"])
        #expect(cut["embeds"]?.items?.first?.texts("title", "description") == [long(255) + "…", long(4095) + "…"])
    }

    @Test func `a template that fails is told in the message`() async throws {
        let message = try await document("title: '{{ .CommonLabels.Remove 1 }}'\nmessage: \(long(5000))")
        let embed = try #require(message["embeds"]?.items?.first)
        #expect(embed["title"]?.string == "[FIRING:1] Down")
        #expect(embed["description"]?.string?.contains("…\na template of this message can't be filled in") == true)
        #expect(embed["description"]?.string?.unicodeScalars.count == 4096)
    }

    @Test(
        "The time to wait is in the body",
        arguments: [
            (
                #"{"message":"You are being rate limited.","retry_after":0.529,"global":false}"#,
                Duration.milliseconds(529)
            ),
            (#"{"retry_after":65}"#, .seconds(65)), (#"{"retry_after":1e300}"#, .seconds(86_400)),
            (#"{"retry_after":-1}"#, .seconds(9)), ("no JSON", .seconds(9)),
        ])
    func waits(_ body: String, _ wait: Duration) async throws {
        let exchange = try await SinkExchange.run(DiscordSink.self, "webhook_url: URL/w") { _ in
            .text(429, body, headers: ["Retry-After": "9"])
        }
        guard case .unavailable(_, wait)? = exchange.error else {
            Issue.record("\(String(describing: exchange.error))")
            return
        }
    }

    @Test func `the URL may stand in a file`() async throws {
        let folder = try TemporaryFolder()
        let server = try TestHTTPServer { _ in Self.accepted }
        try folder.write("url", "\(server.url)/from-file\n")
        try await SinkBench.run { bench in
            try await bench.sink(DiscordSink.self, "webhook_url_file: \(folder.path("url"))").deliver(SinkBench.group())
        }
        #expect(server.requests.map(\.path) == ["/from-file"])
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(DiscordSink.self, "{}", ["1:1: key \"webhook_url\" is missing in a discord config"])
        try expectErrors(DiscordSink.self, "{webhook_url: nowhere}", ["1:15: a URL begins with"])
        try expectErrors(DiscordSink.self, "{webhook_url: 'http://d', webhook_url_file: f}", ["1:27: "])
    }
}
