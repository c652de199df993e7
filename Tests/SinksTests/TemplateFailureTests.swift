import Sinks
import Streams
import Templates
import TestKit
import Testing
import Transport

/// A slip in a template: told where the file is read when it can be seen there, and never the loss of an alert.
@Suite struct TemplateFailureTests {
    private static let bad = "{{ .CommonLabels.Remove 1 }}"
    private static let undefined = #"invalid template: function "nope" not defined"#
    private static let note = "a template of this message can't be filled in: template: :1:"

    // MARK: syntax, where the file is read

    static let slack = [
        "channel", "username", "color", "title", "title_link", "pretext", "text", "fallback", "callback_id",
        "icon_emoji", "icon_url", "image_url", "thumb_url", "footer", "message_text",
    ]
    static let pagerDuty = [
        "client", "client_url", "description", "severity", "source", "class", "component", "group",
    ]

    @Test("the syntax of every text of Slack is checked where it stands", arguments: slack)
    func slackSyntax(_ key: String) throws {
        let (_, errors) = try SinkBench.settings(SlackSink.self, "api_url: http://s\n\(key): 'a {{ nope }}'")
        #expect(errors == ["f.yaml:2:\(key.utf8.count + 9): \(Self.undefined)"])
    }

    @Test("the syntax of every text of PagerDuty is checked where it stands", arguments: pagerDuty)
    func pagerDutySyntax(_ key: String) throws {
        let (_, errors) = try SinkBench.settings(PagerDutySink.self, "routing_key: k\n\(key): 'a {{ nope }}'")
        #expect(errors == ["f.yaml:2:\(key.utf8.count + 9): \(Self.undefined)"])
    }

    @Test func `the syntax of texts inside of lists is checked too`() throws {
        let (_, slack) = try SinkBench.settings(
            SlackSink.self,
            """
            api_url: http://s
            fields:
            - {title: '{{', value: '{{ end }}'}
            actions:
            - {type: button, text: '{{ nope }}', url: '{{ .a | }}', confirm: {text: '{{ if }}'}}
            """)
        #expect(
            slack == [
                "f.yaml:3:14: invalid template: unclosed action",
                "f.yaml:3:34: invalid template: unexpected {{end}}",
                #"f.yaml:5:28: invalid template: function "nope" not defined"#,
                "f.yaml:5:52: invalid template: missing command after |",
                "f.yaml:5:82: invalid template: missing value for if",
            ])
        let (_, pager) = try SinkBench.settings(
            PagerDutySink.self,
            """
            routing_key: '{{ nope }}'
            details: {a: '{{ nope }}'}
            links: [{href: '{{ nope }}'}]
            images: [{src: '{{ nope }}'}]
            """)
        #expect(
            pager.map { $0.replacing(Self.undefined, with: "!") } == [
                "f.yaml:1:14: the routing key's template is malformed", "f.yaml:2:18: !", "f.yaml:3:20: !",
                "f.yaml:4:20: !",
            ])
    }

    @Test func `the syntax of a URL that is a template is checked, and nothing of it shown`() throws {
        let (_, errors) = try SinkBench.settings(WebhookSink.self, "url: 'http://h/T0PSECRET/{{ T0PSECRET }}'")
        #expect(errors == ["f.yaml:1:6: the URL's template is malformed"])
    }

    @Test func `the place is that of the slip, in a text of many lines too`() throws {
        let (_, errors) = try SinkBench.settings(
            SlackSink.self, "api_url: http://s\ntext: |\n  one\n  two {{ nope }}\ntitle: \"\\u00e4 {{ nope }}\"\n")
        #expect(errors == ["f.yaml:4:10: \(Self.undefined)", "f.yaml:5:19: \(Self.undefined)"])
    }

    // MARK: what only shows when it is filled in

    @Test func `a mail whose page can't be filled in is sent in plain words`() async throws {
        let server = try ScriptedMailServer { _, _ in nil }
        let sink = try emailSink(port: server.port) { settings in
            settings.html = "<p>\(Self.bad)</p>"
            settings.text = Self.bad
            settings.headers = [
                .init(name: "Subject", template: Self.bad), .init(name: "X-A", template: Self.bad),
                .init(name: "Cc", template: Self.bad),
            ]
        }
        try await sink.deliver(notification())
        let text = server.lines.joined(separator: "\n").replacing("=\n", with: "")
        #expect(text.contains("Subject: [FIRING:1] Failed\n"))
        #expect(text.contains("* Failed"))
        #expect(text.contains(Self.note))
        #expect(!text.contains("text/html") && !text.contains("X-A") && !text.contains("Cc:"))
    }

    @Test func `a mail whose recipients can't be filled in is refused`() async throws {
        let server = try ScriptedMailServer { _, _ in nil }
        let sink = try emailSink(port: server.port) { $0.to = Self.bad }
        let error = await #expect(throws: DeliveryError.self) { try await sink.deliver(notification()) }
        if case .refused = error {} else { Issue.record("\(String(describing: error))") }
    }

    @Test func `a Slack message whose texts can't be filled in says what it is about`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        let keys = Self.slack.map { "\($0): '\(Self.bad)'" }.joined(separator: "\n")
        try await SinkBench.run { bench in
            try await bench.sink(
                SlackSink.self,
                """
                api_url: \(server.url)/x
                \(keys)
                fields: [{title: T, value: '\(Self.bad)'}]
                actions: [{type: button, text: Good, url: http://u}, {type: button, text: '\(Self.bad)', url: http://u}]
                """
            ).deliver(SinkBench.group())
        }
        let message = try JSONValue(parsing: try #require(server.requests.first).body)
        let attachment = try #require(message["attachments"]?.items?.first)
        #expect(message["channel"] == nil)
        #expect(attachment["title"]?.string == "[FIRING:1] Down")
        let text = try #require(attachment["text"]?.string)
        #expect(text.contains("* Down") && text.contains(Self.note))
        #expect(attachment["fields"] == [["title": "T", "value": "", "short": .bool(false)]])
        #expect(attachment["actions"]?.items?.count == 1)
    }

    @Test func `an incident whose texts can't be filled in is triggered all the same`() async throws {
        let server = try TestHTTPServer { _ in .text(202, "{}") }
        let keys = Self.pagerDuty.map { "\($0): '\(Self.bad)'" }.joined(separator: "\n")
        try await SinkBench.run { bench in
            try await bench.sink(
                PagerDutySink.self,
                """
                url: \(server.url)/x
                routing_key: k
                \(keys)
                details: {own: '\(Self.bad)'}
                links: [{href: '\(Self.bad)'}]
                """
            ).deliver(SinkBench.group())
        }
        let event = try JSONValue(parsing: try #require(server.requests.first).body)
        #expect(event["event_action"]?.string == "trigger")
        #expect(event["payload"]?["summary"]?.string == "[FIRING:1] Down")
        #expect(event["payload"]?["severity"]?.string == "error")
        #expect(event["payload"]?["source"]?.string == "team")
        let details = event["payload"]?["custom_details"]
        #expect(details?["template_error"]?.string?.hasPrefix(Self.note) == true)
        #expect(details?["num_firing"] == 1)
        #expect(event["links"] == nil)
    }

    @Test func `each failure of a template is told to whoever counts them`() async throws {
        let (stream, told) = AsyncStream<String>.makeStream()
        let renderer = TemplateRenderer(try NotificationTemplates(clock: ManualClock())) { told.yield($0) }
        #expect(throws: RenderingError.self) { try renderer.text(Self.bad, for: notification()) }
        #expect(throws: RenderingError.self) { try renderer.html(Self.bad, for: notification()) }
        told.finish()
        var reasons: [String] = []
        for await reason in stream { reasons.append(reason) }
        #expect(reasons.count == 2 && reasons[0].hasPrefix("template: :1:"))
    }
}
