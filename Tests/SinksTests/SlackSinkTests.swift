import Sinks
import Streams
import TestKit
import Testing

@Suite struct SlackSinkTests {
    @Test func `Slack by a webhook is a sink as every other`() async throws {
        try await SinkContract(
            SlackSink.self, accepted: .text(200, "ok"), secrets: ["T0000SECRET0000", "B0000/X0000SECRETSECRET"]
        ) { url in
            """
            api_url: \(url)/services/T0000SECRET0000/B0000/X0000SECRETSECRET
            channel: '#ml'
            """
        }.check()
    }

    @Test func `Slack by an app's token is a sink as every other`() async throws {
        try await SinkContract(
            SlackSink.self, accepted: .text(200, #"{"ok":true,"ts":"1"}"#), secrets: ["xoxb-secret-token"]
        ) { url in
            """
            app_url: \(url)/api/chat.postMessage
            app_token: xoxb-secret-token
            channel: '#ml'
            """
        }.check()
    }

    private func delivered(
        _ settings: String, _ notification: Notification = SinkBench.group()
    ) async throws -> (request: TestHTTPServer.Request, message: JSONValue) {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        try await SinkBench.run { bench in
            try await bench.sink(SlackSink.self, "api_url: '\(server.url)/services/x'\n" + settings)
                .deliver(notification)
        }
        let request = try #require(server.requests.first)
        return (request, try JSONValue(parsing: request.body))
    }

    @Test func `a message of which nothing is said is Alertmanager's`() async throws {
        let (request, message) = try await delivered("channel: '#ml'")
        #expect(request.method == "POST" && request.path == "/services/x")
        #expect(request.headers["content-type"] == "application/json")
        let link = "http://tocsin:9090/#/alerts?receiver=team"
        let expected: JSONValue = [
            "channel": "#ml",
            "username": "Alertmanager",
            "attachments": [
                [
                    "title": "[FIRING:1] Down (critical)",
                    "title_link": .string(link),
                    "fallback": .string("[FIRING:1] Down (critical) | \(link)"),
                    "color": "danger",
                    "mrkdwn_in": ["fallback", "pretext", "text"],
                ]
            ],
        ]
        #expect(message == expected, "\(message.text)")
    }

    @Test func `every key reaches Slack under its name, filled in`() async throws {
        let (_, message) = try await delivered(
            """
            channel: '#{{ .CommonLabels.severity }}'
            username: '{{ .Receiver }}'
            icon_emoji: ':fire:'
            icon_url: http://i/{{ .Status }}
            link_names: true
            message_text: 'now: {{ .GroupLabels.alertname }}'
            color: '#ff0000'
            title: 'T {{ len .Alerts }}'
            title_link: http://t
            pretext: P
            text: "{{ range .Alerts }}{{ .Annotations.summary }};{{ end }}"
            fallback: F
            callback_id: C
            image_url: http://image
            thumb_url: http://thumb
            footer: Foot
            mrkdwn_in: [text]
            short_fields: true
            fields:
            - {title: Sev, value: '{{ .CommonLabels.severity }}'}
            - {title: Long, value: v, short: false}
            actions:
            - {type: button, text: Look, url: 'http://look/{{ .GroupLabels.alertname }}', style: primary, name: n, value: v}
            - type: button
              text: Mute
              name: mute
              value: '{{ .Status }}'
              style: danger
              confirm: {title: Sure?, text: 'Mute {{ .Receiver }}?', ok_text: 'Yes', dismiss_text: 'No'}
            """)
        let expected: JSONValue = [
            "channel": "#critical",
            "username": "team",
            "icon_emoji": ":fire:",
            "icon_url": "http://i/firing",
            "text": "now: Down",
            "link_names": .bool(true),
            "attachments": [
                [
                    "title": "T 2", "title_link": "http://t", "pretext": "P", "text": "a is \"down\"\n;b is down;",
                    "fallback": "F", "callback_id": "C", "image_url": "http://image", "thumb_url": "http://thumb",
                    "footer": "Foot", "color": "#ff0000", "mrkdwn_in": ["text"],
                    "fields": [
                        ["title": "Sev", "value": "critical", "short": .bool(true)],
                        ["title": "Long", "value": "v", "short": .bool(false)],
                    ],
                    "actions": [
                        // A link has no value.
                        ["type": "button", "text": "Look", "url": "http://look/Down", "style": "primary"],
                        [
                            "type": "button", "text": "Mute", "style": "danger", "name": "mute",
                            "value": "firing",
                            "confirm": [
                                "title": "Sure?", "text": "Mute team?", "ok_text": "Yes", "dismiss_text": "No",
                            ],
                        ],
                    ],
                ]
            ],
        ]
        #expect(message == expected, "\(message.text)")
    }

    @Test func `a resolved group is good`() async throws {
        let (_, message) = try await delivered("", SinkBench.group { $0.alerts.removeFirst() })
        #expect(message["attachments"]?.items?.first?["color"]?.string == "good")
        #expect(message["attachments"]?.items?.first?["title"]?.string?.hasPrefix("[RESOLVED] Down") == true)
        #expect(message["channel"] == nil)
    }

    @Test func `a title longer than Slack shows is cut where a character ends`() async throws {
        let long = String(repeating: "ä", count: 1100)
        let (_, message) = try await delivered("title: '\(long)'")
        let title = try #require(message["attachments"]?.items?.first?["title"]?.string)
        #expect(title.unicodeScalars.count == 1024 && title == String(repeating: "ä", count: 1023) + "…")
        let (_, exact) = try await delivered("title: '\(String(repeating: "ä", count: 1024))'")
        #expect(exact["attachments"]?.items?.first?["title"]?.string?.hasSuffix("ä") == true)
    }

    // MARK: what Slack answers

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: TestHTTPServer.Answer
        var byToken: DeliveryError?
        var byWebhook: DeliveryError?
        init(
            _ name: String, _ answer: TestHTTPServer.Answer, byToken: DeliveryError?, byWebhook: DeliveryError?
        ) {
            (testDescription, self.answer, self.byToken, self.byWebhook) = (name, answer, byToken, byWebhook)
        }
        init(_ name: String, _ answer: TestHTTPServer.Answer, _ error: DeliveryError?) {
            self.init(name, answer, byToken: error, byWebhook: error)
        }
    }

    static let answers: [Case] = [
        Case("taken", .text(200, #"{"ok":true,"channel":"C1","ts":"1.2"}"#), nil),
        Case(
            "taken, with all of a long message in the answer",
            .text(200, #"{"ok":true,"message":""# + String(repeating: "x", count: 100_000) + #""}"#), nil),
        Case(
            "ok, as a webhook says it", .text(200, "ok"),
            byToken: .unavailable(reason: "Slack's answer is not JSON", retryAfter: nil), byWebhook: nil),
        Case(
            "not taken", .text(200, #"{"ok":false,"error":"channel_not_found"}"#),
            .refused(reason: "Slack says: channel_not_found")),
        Case(
            "not taken, at length",
            .text(
                200,
                #"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":[""#
                    + String(repeating: "x", count: 2000) + #""]}}"#),
            .refused(reason: "Slack says: invalid_blocks")),
        Case(
            "not now", .text(200, #"{"ok":false,"error":"ratelimited"}"#, headers: ["Retry-After": "30"]),
            .unavailable(reason: "Slack says: ratelimited", retryAfter: .seconds(30))),
        Case(
            "an inner error", .text(200, #"{"ok":false,"error":"internal_error"}"#),
            .unavailable(reason: "Slack says: internal_error", retryAfter: nil)),
        Case(
            "not taken without a word", .text(200, #"{"ok":false}"#), .refused(reason: "Slack says: unknown error")),
        Case(
            "a webhook's refusal", .text(404, "no_service"),
            .refused(reason: "Slack answered HTTP 404: no_service")),
        Case(
            "too many", .text(429, "rate_limited", headers: ["Retry-After": "5"]),
            .unavailable(reason: "Slack answered HTTP 429: rate_limited", retryAfter: .seconds(5))),
    ]

    @Test("Slack's answer decides, whichever way it is spoken to", arguments: answers)
    func judges(_ example: Case) async throws {
        let answer = example.answer
        let server = try TestHTTPServer { _ in answer }
        try await SinkBench.run { bench in
            let byToken = try bench.sink(
                SlackSink.self, "{app_url: '\(server.url)/api', app_token: tok, channel: c}")
            // The Web API's method as the webhook, with its token in http_config: how Alertmanager's users do it.
            let byWebhook = try bench.sink(
                SlackSink.self,
                "{api_url: '\(server.url)/api', http_config: {authorization: {credentials: tok}}, channel: c}")
            #expect(await error(byToken) == example.byToken)
            #expect(await error(byWebhook) == example.byWebhook)
        }
        #expect(server.requests.map { $0.headers["authorization"] } == ["Bearer tok", "Bearer tok"])
    }

    private func error(_ sink: SlackSink) async -> DeliveryError? {
        do throws(DeliveryError) {
            try await sink.deliver(SinkBench.group())
            return nil
        } catch {
            return error
        }
    }

    // MARK: settings

    @Test func `what is not said is global`() async throws {
        let server = try TestHTTPServer { _ in .text(200, #"{"ok":true}"#) }
        try await SinkBench.run { bench in
            try await bench.sink(SlackSink.self, "{}", globals: "slack_api_url: \(server.url)/hook")
                .deliver(SinkBench.group())
            try await bench.sink(
                SlackSink.self, "channel: c", globals: "{slack_app_token: tok, slack_app_url: '\(server.url)/app'}"
            ).deliver(SinkBench.group())
        }
        #expect(server.requests.map(\.path) == ["/hook", "/app"])
        #expect(server.requests.map { $0.headers["authorization"] } == [nil, "Bearer tok"])
    }

    @Test func `resolved groups are told only where that is asked for`() async throws {
        try await SinkBench.run { bench async throws in
            #expect(try !bench.sink(SlackSink.self, "api_url: http://h/").sendsResolved)
            #expect(try bench.sink(SlackSink.self, "{api_url: 'http://h/', send_resolved: true}").sendsResolved)
        }
    }

    static let bad: [(String, [String])] = [
        (
            "channel: c",
            ["f.yaml:1:1: no Slack access: set \"api_url\" or \"app_token\" here, or \"slack_api_url\" in global"]
        ),
        ("{api_url: 'http://h/', app_token: t}", ["f.yaml:1:24: "]),
        ("{app_token: t}", ["f.yaml:1:1: key \"channel\" is missing in a slack config with a token"]),
        ("{api_url: 'http://h/', fields: [{title: t}]}", ["f.yaml:1:33: key \"value\" is missing in a slack field"]),
        ("{api_url: 'http://h/', fields: {title: t}}", ["f.yaml:1:32: "]),
        (
            "{api_url: 'http://h/', actions: [{type: button, text: t}]}",
            ["f.yaml:1:34: a slack action needs \"url\" or \"name\""]
        ),
        (
            "{api_url: 'http://h/', actions: [{url: 'http://u'}]}",
            [
                "f.yaml:1:34: key \"text\" is missing in a slack action",
                "f.yaml:1:34: key \"type\" is missing in a slack action",
            ]
        ),
        (
            "{api_url: 'http://h/', actions: [{type: b, text: t, name: n, confirm: {title: x}}]}",
            ["f.yaml:1:71: key \"text\" is missing in a slack confirmation"]
        ),
    ]

    @Test("What is wrong is told with its place", arguments: bad)
    func reports(_ text: String, _ expected: [String]) throws {
        let errors = try SinkBench.settings(SlackSink.self, text).errors
        #expect(errors.count == expected.count, "\(errors)")
        for (error, prefix) in zip(errors, expected) { #expect(error.hasPrefix(prefix), "\(error)") }
    }
}
