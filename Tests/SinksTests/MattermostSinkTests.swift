import Sinks
import Streams
import TestKit
import Testing

@Suite struct MattermostSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, "ok")

    @Test func `Mattermost is a sink as every other`() async throws {
        try await SinkContract(
            MattermostSink.self, accepted: Self.accepted, secrets: ["SECRET-0123456789-abcdef"]
        ) { url in "webhook_url: \(url)/hooks/SECRET-0123456789-abcdef" }.check()
    }

    private func document(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> JSONValue {
        try await SinkExchange.run(MattermostSink.self, "webhook_url: URL/w\n" + settings, notification) { _ in
            Self.accepted
        }.document
    }

    @Test func `a message of which nothing is said is Alertmanager's: one attachment`() async throws {
        let message = try await document()
        #expect(message["username"]?.string == "Alertmanager")
        for name in ["text", "channel", "icon_url", "icon_emoji", "type", "props", "priority"] {
            #expect(message[name] == nil)
        }
        let attachment = try #require(message["attachments"]?.items?.first)
        #expect(attachment.texts("title", "color") == ["[FIRING:1] Down (critical)", "danger"])
        #expect(attachment["title_link"]?.string == "http://tocsin:9090/#/alerts?receiver=team")
        #expect(attachment["fallback"]?.string?.contains(" | http://tocsin:9090/#") == true)
        #expect(attachment["text"]?.string?.contains("# Alerts Firing:") == true)
        #expect(attachment["fields"] == nil)
    }

    @Test func `every key reaches Mattermost under its name, filled in`() async throws {
        let names = [
            "fallback", "color", "pretext", "author_name", "author_link", "author_icon", "title", "title_link",
            "thumb_url", "footer", "footer_icon", "image_url", "text",
        ]
        let message = try await document(
            names.map { "\($0): '\($0) {{ .Status }}'\n" }.joined() + """
                channel: c
                username: u
                icon_url: iu
                icon_emoji: ie
                type: custom_{{ .Receiver }}
                fields:
                - {title: t, value: '{{ .Receiver }}', short: true}
                - {title: t2, value: v}
                props: {card: '{{ .Receiver }} card'}
                priority: {priority: Urgent, requested_ack: true, persistent_notifications: true}
                """)
        #expect(
            message.texts("channel", "username", "icon_url", "icon_emoji", "type") == [
                "c", "u", "iu", "ie", "custom_team",
            ])
        let attachment = try #require(message["attachments"]?.items?.first)
        for name in names { #expect(attachment[name]?.string == "\(name) firing") }
        #expect(
            attachment["fields"] == [
                ["title": "t", "value": "team", "short": true], ["title": "t2", "value": "v"],
            ])
        #expect(message["props"] == ["card": "team card"])
        #expect(
            message["priority"] == ["priority": "urgent", "requested_ack": true, "persistent_notifications": true])
    }

    @Test func `attachments of one's own stand below the text`() async throws {
        let message = try await document(
            """
            text: above {{ .Status }}
            attachments:
            - {title: one, text: '{{ .Receiver }}', fields: [{title: t, value: v}]}
            - {color: '#ff0000'}
            """)
        #expect(message["text"]?.string == "above firing")
        #expect(
            message["attachments"] == [
                ["title": "one", "text": "team", "fields": [["title": "t", "value": "v"]]], ["color": "#ff0000"],
            ])
    }

    static let priorities: [(String, JSONValue)] = [
        (
            "{priority: important, requested_ack: true, persistent_notifications: true}",
            ["priority": "important", "requested_ack": true]
        ),
        ("{priority: standard, requested_ack: true}", ["priority": "standard"]),
        ("{priority: '{{ .CommonLabels.severity }}', requested_ack: true}", ["priority": "standard"]),
    ]

    @Test("A priority asks for no more than it may", arguments: priorities)
    func priority(_ text: String, _ expected: JSONValue) async throws {
        #expect(try await document("priority: \(text)")["priority"] == expected)
    }

    @Test func `a long text is cut`() async throws {
        let message = try await document("text: \(long(16_384))")
        #expect(message["attachments"]?.items?.first?["text"]?.string == long(16_382) + "…")
        let own = try await document("text: \(long(16_384))\nattachments: [{title: x}]")
        #expect(own["text"]?.string == long(16_382) + "…")
    }

    @Test func `the webhook may be global, in a file too`() async throws {
        let exchange = try await SinkExchange.run(
            MattermostSink.self, "{}", globals: "mattermost_webhook_url: URL/global"
        ) { _ in Self.accepted }
        #expect(exchange.requests.map(\.path) == ["/global"])
        let (settings, errors) = try SinkBench.settings(
            MattermostSink.self, "{}", globals: "mattermost_webhook_url_file: /f")
        #expect(settings != nil && errors.isEmpty)
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(MattermostSink.self, "{}", ["1:1: no Mattermost webhook"])
        try expectErrors(MattermostSink.self, "{webhook_url: 'http://m', webhook_url_file: f}", ["1:27: "])
        try expectErrors(
            MattermostSink.self, "{webhook_url: 'http://m', fields: [{title: t}]}",
            ["1:36: key \"value\" is missing in a mattermost field"])
        try expectErrors(
            MattermostSink.self, "{webhook_url: 'http://m', attachments: [{titel: t}]}",
            ["1:42: unknown key \"titel\" in a mattermost attachment; did you mean \"title\"?"])
    }
}
