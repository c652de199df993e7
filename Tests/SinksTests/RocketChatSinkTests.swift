import Sinks
import Streams
import TestKit
import Testing

@Suite struct RocketChatSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, #"{"success":true}"#)

    @Test func `Rocket.Chat is a sink as every other`() async throws {
        try await SinkContract(
            RocketChatSink.self, accepted: Self.accepted, secrets: ["t-SECRET", "i-SECRET"]
        ) { url in "api_url: \(url)\ntoken: t-SECRET\ntoken_id: i-SECRET" }.check()
    }

    private func exchange(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> SinkExchange {
        try await SinkExchange.run(
            RocketChatSink.self, "api_url: URL/chat/\ntoken: t\ntoken_id: i\n" + settings, notification
        ) { _ in Self.accepted }
    }

    @Test func `a message of which nothing is said is Alertmanager's`() async throws {
        let exchange = try await exchange()
        let request = try #require(exchange.requests.first)
        #expect(request.path == "/chat/api/v1/chat.postMessage")
        #expect(request.headers["x-auth-token"] == "t" && request.headers["x-user-id"] == "i")
        #expect(
            try exchange.document == [
                "attachments": [
                    [
                        "title": "[FIRING:1] Down (critical)",
                        "title_link": "http://tocsin:9090/#/alerts?receiver=team", "color": "red",
                    ]
                ]
            ])
        let sink = try SinkBench.settings(RocketChatSink.self, "{token: t, token_id: i}").settings
        #expect(sink?.service.sendsResolved == false)
    }

    @Test func `every key reaches Rocket.Chat under its name, filled in`() async throws {
        let message = try await exchange(
            """
            channel: '#{{ .Receiver }}'
            color: c
            title: \(long(1025))
            title_link: l
            text: x {{ .Status }}
            emoji: ':e:'
            icon_url: iu
            image_url: im
            thumb_url: th
            link_names: true
            short_fields: true
            fields:
            - {title: a, value: '{{ .Receiver }}'}
            - {title: b, value: v, short: false}
            actions:
            - {type: anything, text: go, url: 'http://{{ .Receiver }}', msg: m}
            - {text: only}
            """
        ).document
        #expect(message.texts("channel", "emoji", "avatar") == ["#team", ":e:", "iu"])
        let attachment = try #require(message["attachments"]?.items?.first)
        #expect(
            attachment.texts("color", "title", "title_link", "text", "image_url", "thumb_url") == [
                "c", long(1023) + "…", "l", "x firing", "im", "th",
            ])
        #expect(
            attachment["fields"] == [
                ["title": "a", "value": "team", "short": true], ["title": "b", "value": "v", "short": false],
            ])
        #expect(
            attachment["actions"] == [
                ["type": "button", "text": "go", "url": "http://team", "msg": "m"], ["type": "button", "text": "only"],
            ])
    }

    static let answers: [(String, DeliveryError?)] = [
        (#"{"success":true,"ts":1}"#, nil),
        (
            #"{"success":false,"error":"error-room-not-found"}"#,
            .refused(reason: "Rocket.Chat says: error-room-not-found")
        ),
        (#"{}"#, .refused(reason: "Rocket.Chat says: unknown error")),
        ("<html>", .unavailable(reason: "Rocket.Chat's answer is not JSON", retryAfter: nil)),
    ]

    @Test("What is said with HTTP 200 is heeded", arguments: answers)
    func results(_ body: String, _ expected: DeliveryError?) async throws {
        let exchange = try await SinkExchange.run(
            RocketChatSink.self, "api_url: URL\ntoken: t\ntoken_id: i"
        ) { _ in .text(200, body) }
        #expect(exchange.error == expected)
    }

    @Test func `token and address may be global, and in files`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("token", "tf\n")
        try folder.write("id", "if\n")
        let exchange = try await SinkExchange.run(
            RocketChatSink.self, "{}",
            globals: """
                {rocketchat_api_url: URL, rocketchat_token_file: \(folder.path("token")), rocketchat_token_id_file:
                 \(folder.path("id"))}
                """
        ) { _ in Self.accepted }
        let headers = try #require(exchange.requests.first?.headers)
        #expect(headers["x-auth-token"] == "tf" && headers["x-user-id"] == "if")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(RocketChatSink.self, "{}", ["1:1: no Rocket.Chat token: set \"token\" here"])
        try expectErrors(RocketChatSink.self, "{token: t}", ["1:1: no Rocket.Chat token id: set \"token_id\" here"])
        try expectErrors(RocketChatSink.self, "{token: t, token_file: f, token_id: i}", ["1:12: "])
        try expectErrors(
            RocketChatSink.self, "{token: t, token_id_file: f, token_id: i}", ["1:12: "])
    }
}
