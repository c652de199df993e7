import struct Foundation.Data
import class Foundation.JSONSerialization
import Sinks
import Streams
import TestKit
import Testing

@Suite struct WebhookSinkTests {
    @Test func `a webhook is a sink as every other`() async throws {
        try await SinkContract(
            WebhookSink.self, accepted: .text(204, ""),
            secrets: ["hook-9876543210-secret", "user-pass-word", "dXNlcjp1c2VyLXBhc3Mtd29yZA==", "token-in-query-123"]
        ) { url in
            """
            url: \(url)/hook-9876543210-secret/in?key=token-in-query-123
            http_config: {basic_auth: {username: user, password: user-pass-word}}
            """
        }.check()
    }

    /// Delivers to a server that takes it, and gives what came there.
    private func delivered(
        _ settings: String = "", path: String = "/hook", _ notification: Notification = SinkBench.group()
    ) async throws -> TestHTTPServer.Request {
        let server = try TestHTTPServer { _ in .text(200, "thanks") }
        try await SinkBench.run { bench in
            try await bench.sink(WebhookSink.self, "url: '\(server.url)\(path)'\n" + settings).deliver(notification)
        }
        return try #require(server.requests.first)
    }

    @Test func `the payload is Alertmanager's, field by field`() async throws {
        let request = try await delivered()
        #expect(request.method == "POST" && request.path == "/hook")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["idempotency-key"] == "n1")
        let payload = try JSONValue(parsing: request.body)
        let expected: JSONValue = [
            "receiver": "team",
            "status": "firing",
            "alerts": [
                [
                    "status": "firing",
                    "labels": ["alertname": "Down", "instance": "a", "severity": "critical"],
                    "annotations": ["runbook": "http://r", "summary": "a is \"down\"\n"],
                    "startsAt": "2025-12-31T23:59:00Z",
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "http://tocsin:9090/graph?g0.expr=up",
                    "fingerprint": .string("\(SinkBench.group().alerts[0].fingerprint)"),
                ],
                [
                    "status": "resolved",
                    "labels": ["alertname": "Down", "instance": "b", "severity": "critical"],
                    "annotations": ["runbook": "http://r", "summary": "b is down"],
                    "startsAt": "2025-12-31T23:58:30Z",
                    "endsAt": "2025-12-31T23:59:59.5Z",
                    "generatorURL": "",
                    "fingerprint": .string("\(SinkBench.group().alerts[1].fingerprint)"),
                ],
            ],
            "groupLabels": ["alertname": "Down"],
            "commonLabels": ["alertname": "Down", "severity": "critical"],
            "commonAnnotations": ["runbook": "http://r"],
            "externalURL": "http://tocsin:9090",
            "version": "4",
            "groupKey": #"{}:{alertname="Down"}"#,
            "truncatedAlerts": .integer(0),
            "notificationReason": "first notification",
            "routeLabels": .object([]),
        ]
        #expect(payload == expected)
        // What any other reader makes of it.
        let read = try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
        #expect((read?["alerts"] as? [[String: Any]])?.count == 2)
    }

    @Test func `a group whose alerts are all over is resolved`() async throws {
        let group = SinkBench.group { $0.alerts.removeFirst() }
        let payload = try JSONValue(parsing: try await delivered("", path: "/hook", group).body)
        #expect(payload["status"]?.string == "resolved")
    }

    @Test func `an alert that will end later fires, and tells no end`() async throws {
        let group = SinkBench.group {
            $0.alerts.removeLast()
            $0.alerts[0].endsAt = $0.time + .seconds(60)
        }
        let alert = try JSONValue(parsing: try await delivered("", path: "/hook", group).body)["alerts"]?.items?.first
        #expect(alert?["status"]?.string == "firing" && alert?["endsAt"]?.string == "0001-01-01T00:00:00Z")
    }

    @Test(
        "max_alerts cuts the list and tells how many are left out",
        arguments: [(0, 2, 0), (1, 1, 1), (2, 2, 0), (3, 2, 0)] as [(Int, Int, Int64)])
    func cuts(_ limit: Int, _ shown: Int, _ left: Int64) async throws {
        let payload = try JSONValue(parsing: try await delivered("max_alerts: \(limit)").body)
        #expect(payload["alerts"]?.items?.count == shown)
        #expect(payload["truncatedAlerts"] == .integer(left))
    }

    @Test func `what an answer repeats of a secret is masked whatever stands behind it, and the rest is short`()
        async throws
    {
        let answer = "hook-9876543210-secret\u{301} \u{202E}a\(String(repeating: "\u{301}", count: 5000))\u{2028}next"
        let server = try TestHTTPServer { _ in .text(400, answer) }
        try await SinkBench.run { bench in
            let sink = try bench.sink(WebhookSink.self, "url: \(server.url)/hook-9876543210-secret")
            do throws(DeliveryError) {
                try await sink.deliver(SinkBench.group())
                Issue.record("it was taken")
            } catch {
                guard case .refused(let reason) = error else { throw error }
                #expect(reason.utf8.count < 600)
                let bytes = Array(reason.utf8)
                #expect(bytes.firstRange(of: Array("9876543210-secret".utf8)) == nil, "\(reason)")
                #expect(bytes.firstRange(of: Array("<secret>".utf8)) != nil, "\(reason)")
                #expect(!reason.unicodeScalars.contains("\u{202E}"))
            }
        }
    }

    @Test func `who posts says who it is`() async throws {
        let bearer = try await delivered("http_config: {authorization: {credentials: tok}}")
        #expect(bearer.headers["authorization"] == "Bearer tok")
        let basic = try await delivered("http_config: {basic_auth: {username: me, password: pass}}")
        #expect(basic.headers["authorization"] == "Basic bWU6cGFzcw==")
    }

    @Test func `the URL may hold a template, or stand in a file that is read at each delivery`() async throws {
        let templated = try await delivered("", path: "/{{ .GroupLabels.alertname }}")
        #expect(templated.path == "/Down")
        let folder = try TemporaryFolder()
        let server = try TestHTTPServer { _ in .text(200, "") }
        try await SinkBench.run { bench in
            let sink = try bench.sink(WebhookSink.self, "url_file: \(folder.path("url"))")
            await #expect(
                throws: DeliveryError.refused(reason: "can't read \(folder.path("url")): no such file or directory")
            ) { try await sink.deliver(SinkBench.group()) }
            try folder.write("url", "\(server.url)/one\n")
            try await sink.deliver(SinkBench.group())
            try folder.write("url", "\(server.url)/two")
            try await sink.deliver(SinkBench.group())
        }
        #expect(server.requests.map(\.path) == ["/one", "/two"])
    }

    @Test func `a webhook that has moved is given the notification, not asked for its page`() async throws {
        for status in [301, 302, 303, 307, 308] {
            let server = try TestHTTPServer { request in
                request.path == "/old" ? .text(status, "", headers: ["Location": "/new"]) : .text(200, "")
            }
            try await SinkBench.run { bench in
                try await bench.sink(WebhookSink.self, "url: \(server.url)/old").deliver(SinkBench.group())
            }
            let last = try #require(server.requests.last)
            #expect(last.path == "/new" && last.method == "POST" && !last.body.isEmpty, "\(status)")
        }
    }

    @Test func `a template that fails in the URL is told without the URL`() async throws {
        try await SinkBench.run { bench in
            let sink = try bench.sink(WebhookSink.self, "url: 'http://h/secret/{{ .Nothing.here }}'")
            do throws(DeliveryError) {
                try await sink.deliver(SinkBench.group())
                Issue.record("it was delivered")
            } catch {
                guard case .refused(let reason) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(!reason.contains("secret"), "\(reason)")
            }
        }
    }

    static let bad: [(String, String)] = [
        ("url: ftp://h/x", "f.yaml:1:6: unsupported scheme \"ftp\"; a URL begins with http:// or https://"),
        ("url: http://", "f.yaml:1:6: the URL has no host"),
        ("{url: 'http://h/', url_file: /f}", "f.yaml:1:20: "),
        ("{url: 'http://h/', max_alerts: -1}", "f.yaml:1:32: "),
        ("{url: 'http://h/', http_config: {bearer: x}}", "f.yaml:1:34: unknown key \"bearer\""),
    ]

    @Test("What is wrong is told with its place", arguments: bad)
    func reports(_ text: String, _ prefix: String) throws {
        let errors = try SinkBench.settings(WebhookSink.self, text).errors
        #expect(errors.count == 1 && errors[0].hasPrefix(prefix), "\(errors)")
    }

    @Test func `what is not said is Alertmanager's default`() throws {
        let settings = try #require(try SinkBench.settings(WebhookSink.self, "url: http://h/").settings)
        #expect(settings.sendsResolved && settings.alertsMax == 0 && settings.timeout == .seconds(10))
    }
}
