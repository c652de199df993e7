import Sinks
import Streams
import TestKit
import Testing

@Suite struct PushoverSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, #"{"status":1,"request":"r"}"#)

    @Test func `Pushover is a sink as every other`() async throws {
        try await SinkContract(PushoverSink.self, accepted: Self.accepted, secrets: ["u-SECRET", "t-SECRET"]) { url in
            "api_url: \(url)/1/messages.json\nuser_key: u-SECRET\ntoken: t-SECRET"
        }.check()
    }

    private func exchange(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> SinkExchange {
        try await SinkExchange.run(
            PushoverSink.self, "api_url: URL/m\nuser_key: 'u-{{ .Receiver }}'\ntoken: t\n" + settings, notification
        ) { _ in Self.accepted }
    }

    @Test func `a message of which nothing is said is Alertmanager's, and nothing of it is in the URL`() async throws {
        let exchange = try await exchange()
        let request = try #require(exchange.requests.first)
        #expect(request.method == "POST" && request.path == "/m")
        #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
        let form = try exchange.form
        #expect(form["token"] == "t" && form["user"] == "u-team")
        #expect(form["title"] == "[FIRING:1] Down (critical)")
        #expect(form["url"] == "http://tocsin:9090/#/alerts?receiver=team" && form["url_title"] == "")
        #expect(form["priority"] == "2" && form["retry"] == "60" && form["expire"] == "3600")
        #expect(form["device"] == "" && form["sound"] == "")
        #expect(form["message"]?.hasPrefix("http://r") == true)
        #expect(form["message"]?.contains(" - instance = a\n") == true)
        for name in ["ttl", "html", "monospace"] { #expect(form[name] == nil) }
        #expect(try await self.exchange("", SinkBench.group { $0.alerts.removeFirst() }).form["priority"] == "0")
    }

    @Test func `every key reaches Pushover under its name`() async throws {
        let form = try await exchange(
            """
            title: t {{ .Status }}
            message: '  m & ü + {{ .CommonLabels.severity }} '
            url: http://u
            url_title: ut
            device: d
            sound: s
            priority: '{{ if true }}1{{ end }}'
            retry: 30s
            expire: 2h
            ttl: 1d
            monospace: true
            """
        ).form
        let expected = [
            "title": "t firing", "message": "m & ü + critical", "url": "http://u", "url_title": "ut", "device": "d",
            "sound": "s", "priority": "1", "retry": "30", "expire": "7200", "ttl": "86400", "monospace": "1",
            "token": "t", "user": "u-team",
        ]
        #expect(form == expected)
    }

    @Test func `markup is filled in as a page, and cut between tags`() async throws {
        let form = try await exchange("html: true\nmessage: '<b>{{ .Alerts.Firing | len }} &</b>'").form
        #expect(form["html"] == "1" && form["message"] == "<b>1 &</b>")
        let tag = try await exchange("html: true\nmessage: '\(long(1010))<font color=\"#ff0000\">x</font>'").form
        #expect(tag["message"] == long(1010) + "…")
        let name = try await exchange("html: true\nmessage: '\(long(1020)){{ \"<<<<\" }}'").form
        #expect(name["message"] == long(1020) + "…")
    }

    @Test func `what is too long is cut, what is empty is said`() async throws {
        let form = try await exchange(
            "title: \(long(300))\nmessage: \(long(1100))\nurl: \(long(600))\nurl_title: \(long(101))"
        ).form
        #expect(form["title"] == long(249) + "…" && form["message"] == long(1023) + "…")
        #expect(form["url"] == long(511) + "…" && form["url_title"] == long(99) + "…")
        #expect(try await exchange("message: ' '").form["message"] == "(no details)")
    }

    @Test func `the keys may stand in files`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("user", "uf\n")
        try folder.write("token", "tf\n")
        let form = try await SinkExchange.run(
            PushoverSink.self,
            "{api_url: URL, user_key_file: \(folder.path("user")), token_file: \(folder.path("token"))}"
        ) { _ in Self.accepted }.form
        #expect(form["user"] == "uf" && form["token"] == "tf")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(
            PushoverSink.self, "{}", ["1:1: key \"token\" is missing", "1:1: key \"user_key\" is missing"])
        try expectErrors(PushoverSink.self, "{user_key: u, user_key_file: f, token: t}", ["1:15: "])
        try expectErrors(PushoverSink.self, "{user_key: u, token: t, html: true, monospace: true}", ["1:37: "])
        try expectErrors(PushoverSink.self, "{user_key: u, token: t, retry: often}", ["1:32: "])
    }
}
