import Sinks
import Streams
import TestKit
import Testing

@Suite struct PagerDutySinkTests {
    private static let accepted = TestHTTPServer.Answer.text(
        202, #"{"status":"success","message":"Event processed","dedup_key":"k"}"#)

    @Test func `PagerDuty is a sink as every other`() async throws {
        try await SinkContract(
            PagerDutySink.self, accepted: Self.accepted, secrets: ["R0123456789ABCDEFSECRET"]
        ) { url in
            """
            url: \(url)/v2/enqueue
            routing_key: R0123456789ABCDEFSECRET
            """
        }.check()
    }

    private func delivered(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> (request: TestHTTPServer.Request, event: JSONValue) {
        let server = try TestHTTPServer { _ in Self.accepted }
        try await SinkBench.run { bench in
            try await bench.sink(
                PagerDutySink.self, "url: '\(server.url)/v2/enqueue'\nrouting_key: key\n" + settings
            ).deliver(notification)
        }
        let request = try #require(server.requests.first)
        return (request, try JSONValue(parsing: request.body))
    }

    @Test func `an event of which nothing is said is Alertmanager's`() async throws {
        let (request, event) = try await delivered()
        #expect(request.method == "POST" && request.path == "/v2/enqueue")
        #expect(request.headers["content-type"] == "application/json")
        #expect(event["routing_key"]?.string == "key")
        #expect(event["event_action"]?.string == "trigger")
        // sha256 of the group's key, as Alertmanager has it, so that both resolve each other's incidents.
        #expect(event["dedup_key"]?.string == Self.dedupKey)
        #expect(event["client"]?.string == "Alertmanager")
        #expect(event["client_url"]?.string == "http://tocsin:9090/#/alerts?receiver=team")
        #expect(event["links"] == nil && event["images"] == nil)
        let payload = try #require(event["payload"])
        #expect(payload["summary"]?.string == "[FIRING:1] Down (critical)")
        #expect(payload["source"]?.string == "Alertmanager")
        #expect(payload["severity"]?.string == "error")
        #expect(payload["timestamp"]?.string == "2025-12-31T23:58:30Z")
        #expect(payload["class"] == nil && payload["component"] == nil && payload["group"] == nil)
        let details = try #require(payload["custom_details"])
        // Texts that are YAML of another type become it.
        #expect(details["num_firing"] == 1 && details["num_resolved"] == 1)
        #expect(details["firing"]?.items?.first?["labels"]?["instance"]?.string == "a")
        #expect(details["firing"]?.items?.first?["annotations"]?["summary"]?.string == "a is \"down\"\n")
        #expect(details["resolved"]?.items?.first?["status"]?.string == "resolved")
    }

    /// `printf '%s' '{}:{alertname="Down"}' | sha256sum`
    private static let dedupKey = "af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e"

    @Test func `a group that is over resolves the incident that it triggered`() async throws {
        let (_, trigger) = try await delivered()
        let (_, resolve) = try await delivered("", SinkBench.group { $0.alerts.removeFirst() })
        #expect(resolve["event_action"]?.string == "resolve")
        #expect(resolve["dedup_key"] == trigger["dedup_key"] && trigger["dedup_key"] != nil)
        #expect(resolve["routing_key"]?.string == "key")
    }

    @Test func `every key reaches PagerDuty under its name, filled in`() async throws {
        let (_, event) = try await delivered(
            """
            client: '{{ .Receiver }}'
            client_url: http://c/{{ .Status }}
            description: '{{ .GroupLabels.alertname }} is up'
            severity: '{{ .CommonLabels.severity }}'
            source: s
            class: cl
            component: co
            group: '{{ .CommonLabels.severity }}s'
            details: {num_firing: 'n {{ len .Alerts.Firing }}', who: '{{ .Receiver }}'}
            links:
            - {href: 'http://l/{{ .Status }}', text: 'L {{ .Receiver }}'}
            - {href: '{{ .CommonAnnotations.nothing }}', text: no address}
            images:
            - {src: 'http://i/{{ .Status }}', href: http://h, alt: A}
            - {src: '', href: http://h}
            """)
        #expect(event["client"]?.string == "team" && event["client_url"]?.string == "http://c/firing")
        let payload = try #require(event["payload"])
        for (name, value) in [
            ("summary", "Down is up"), ("severity", "critical"), ("source", "s"), ("class", "cl"), ("component", "co"),
            ("group", "criticals"),
        ] { #expect(payload[name]?.string == value) }
        #expect(payload["custom_details"]?["num_firing"]?.string == "n 1")
        #expect(payload["custom_details"]?["who"]?.string == "team")
        #expect(payload["custom_details"]?["num_resolved"] == 1)
        #expect(event["links"] == [["href": "http://l/firing", "text": "L team"]])
        #expect(event["images"] == [["src": "http://i/firing", "href": "http://h", "alt": "A"]])
    }

    @Test(
        "A severity that PagerDuty does not know is an error",
        arguments: [
            ("critical", "critical"), ("Warning", "warning"), ("INFO", "info"), ("error", "error"), ("page", "error"),
            ("", "error"), ("{{ .CommonLabels.nothing }}", "error"),
        ])
    func severities(_ text: String, _ severity: String) async throws {
        let (_, event) = try await delivered("severity: '\(text)'")
        #expect(event["payload"]?["severity"]?.string == severity)
    }

    @Test func `what PagerDuty asks for is never empty`() async throws {
        let (_, event) = try await delivered("description: ''\nsource: ''\nclient: ''\nclient_url: ''")
        #expect(event["client"] == nil && event["client_url"] == nil)
        #expect(event["payload"]?["summary"]?.string == #"{}:{alertname="Down"}"#)
        #expect(event["payload"]?["source"]?.string == "team")
    }

    @Test func `a long summary is cut, an event that is too large loses its details`() async throws {
        let (_, event) = try await delivered("description: '\(String(repeating: "ä", count: 2000))'")
        #expect(event["payload"]?["summary"]?.string == String(repeating: "ä", count: 1023) + "…")
        let large = SinkBench.group { $0.alerts[0].annotations["dump"] = String(repeating: "x", count: 520_000) }
        let (request, cut) = try await delivered("", large)
        #expect(request.body.count < 512_000)
        #expect(
            cut["payload"]?["custom_details"] == [
                "error": "custom details have been removed: the event was larger than 512 KB"
            ])
        #expect(cut["payload"]?["summary"]?.string?.hasPrefix("[FIRING:1] Down") == true)
        #expect(cut["dedup_key"]?.string != nil)
    }

    @Test func `the key may stand in a file, the URL is global or PagerDuty's own`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("key", " from-file \n")
        let server = try TestHTTPServer { _ in Self.accepted }
        try await SinkBench.run { bench in
            let sink = try bench.sink(
                PagerDutySink.self, "routing_key_file: \(folder.path("key"))",
                globals: "pagerduty_url: \(server.url)/global")
            try await sink.deliver(SinkBench.group())
            #expect(sink.sendsResolved)
        }
        let request = try #require(server.requests.first)
        #expect(request.path == "/global")
        #expect(try JSONValue(parsing: request.body)["routing_key"]?.string == "from-file")
    }

    @Test func `details may be nested, and texts in them become what they look like`() async throws {
        let (_, event) = try await delivered(
            """
            details:
              firing: none
              nested: {list: [1, '{{ len .Alerts }}', true, null, 1.5], '{{ .Receiver }}': {deep: 'x: {{ .Status }}'}}
              text: 'a {{ .Status }}'
              colon: 'Labels: [a'
              number: '0x10'
            """)
        let details = try #require(event["payload"]?["custom_details"])
        #expect(
            details["nested"] == [
                "list": [1, 2, true, .null, .number("1.5")], "team": ["deep": ["x": "firing"]],
            ])
        #expect(details.texts("firing", "text", "colon") == ["none", "a firing", "Labels: [a"])
        #expect(details["number"] == 16)
    }

    // MARK: version 1

    private func deliveredV1(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> JSONValue {
        try await SinkExchange.run(
            PagerDutySink.self, "url: URL/v1\nservice_key: 's-{{ .Receiver }}'\n" + settings, notification
        ) { _ in Self.accepted }.document
    }

    @Test func `a service key is for version 1`() async throws {
        let event = try await deliveredV1(
            "links: [{href: http://l, text: L}]\nimages: [{src: http://i, alt: A}]\ndescription: \(long(1025))")
        #expect(event.texts("service_key", "event_type", "incident_key") == ["s-team", "trigger", Self.dedupKey])
        #expect(event["description"]?.string == long(1023) + "…")
        #expect(event.texts("client", "client_url") == ["Alertmanager", "http://tocsin:9090/#/alerts?receiver=team"])
        #expect(event["details"]?["num_firing"] == 1)
        #expect(
            event["contexts"] == [
                ["type": "link", "href": "http://l", "text": "L"], ["type": "image", "src": "http://i", "alt": "A"],
            ])
        let over = try await deliveredV1("", SinkBench.group { $0.alerts.removeFirst() })
        #expect(over.texts("event_type", "incident_key") == ["resolve", Self.dedupKey])
        #expect(over["client"] == nil && over["contexts"] == nil)
        let large = SinkBench.group { $0.alerts[0].annotations["dump"] = String(repeating: "x", count: 520_000) }
        #expect(try await deliveredV1("", large)["details"]?["error"]?.string?.contains("512 KB") == true)
    }

    @Test func `version 1 says 403 when it is told too much at a time`() async throws {
        for (settings, passes) in [("service_key: k", true), ("routing_key: k", false)] {
            let exchange = try await SinkExchange.run(PagerDutySink.self, "url: URL/e\n" + settings) { _ in
                .text(403, "rate limited")
            }
            switch exchange.error {
            case .unavailable: #expect(passes)
            case .refused: #expect(!passes)
            default: Issue.record("\(String(describing: exchange.error))")
            }
        }
    }

    static let bad: [(String, [String])] = [
        ("{routing_key: k, routing_key_file: /f}", ["f.yaml:1:18: "]),
        ("{service_key: k, service_key_file: /f}", ["f.yaml:1:18: "]),
        ("{}", ["f.yaml:1:1: key \"routing_key\" is missing in a pagerduty config"]),
        ("{routing_key: ' '}", ["f.yaml:1:15: the routing key is empty"]),
        ("{routing_key: ''}", ["f.yaml:1:15: key \"routing_key\" is missing"]),
        ("{routing_key: k, links: [{url: x}]}", ["f.yaml:1:27: unknown key \"url\" in a pagerduty link"]),
        ("{routing_key: k, details: [a]}", ["f.yaml:1:27: "]),
        ("{routing_key: k, url: nowhere}", ["f.yaml:1:23: "]),
    ]

    @Test("What is wrong is told with its place", arguments: bad)
    func reports(_ text: String, _ expected: [String]) throws {
        let errors = try SinkBench.settings(PagerDutySink.self, text).errors
        #expect(errors.count == expected.count, "\(errors)")
        for (error, prefix) in zip(errors, expected) { #expect(error.hasPrefix(prefix), "\(error)") }
    }
}
