import Sinks
import Streams
import TestKit
import Testing

@Suite struct WeChatSinkTests {
    /// Takes both requests: the token's and the message's.
    private static let accepted = TestHTTPServer.Answer.text(
        200, #"{"errcode":0,"errmsg":"ok","access_token":"T-0123456789","expires_in":7200}"#)

    @Test func `WeChat tells refusals from outages, without showing its secrets`() async throws {
        for (status, isOutage) in [(401, false), (404, false), (429, true), (500, true), (503, true)] {
            for failing in ["/gettoken", "/message/send"] {
                let exchange = try await SinkExchange.run(
                    WeChatSink.self, "api_url: URL\napi_secret: w-SECRET\ncorp_id: c"
                ) { request in
                    request.path.hasPrefix(failing)
                        ? .text(status, "no: \(request.path) \(request.text)", headers: ["Retry-After": "5"])
                        : Self.accepted
                }
                let reason = exchange.error?.description ?? ""
                #expect(!reason.contains("w-SECRET") && !reason.contains("T-0123456789"), "\(reason)")
                switch exchange.error {
                case .unavailable(_, let wait): #expect(isOutage && wait == .seconds(5))
                case .refused: #expect(!isOutage)
                default: Issue.record("\(status) at \(failing): \(String(describing: exchange.error))")
                }
            }
        }
        let (settings, _) = try SinkBench.settings(WeChatSink.self, "{api_secret: w-SECRET, corp_id: c}")
        #expect(!String(reflecting: settings).contains("w-SECRET"))
        #expect(settings?.service.sendsResolved == false)
    }

    private func exchange(_ settings: String = "") async throws -> SinkExchange {
        let exchange = try await SinkExchange.run(
            WeChatSink.self, "api_url: URL/cgi-bin/\napi_secret: s & t\ncorp_id: c\n" + settings
        ) { _ in Self.accepted }
        #expect(exchange.error == nil)
        return exchange
    }

    @Test func `a token is asked for, then the message is sent with it`() async throws {
        let exchange = try await exchange("agent_id: '1000002'\nto_user: '@all'")
        #expect(
            exchange.requests.map { "\($0.method) \($0.path)" } == [
                "GET /cgi-bin/gettoken?corpsecret=s%20%26%20t&corpid=c",
                "POST /cgi-bin/message/send?access_token=T-0123456789",
            ])
        let message = try exchange.document(1)
        #expect(message.texts("touser", "agentid", "msgtype", "safe") == ["@all", "1000002", "text", "0"])
        #expect(message["toparty"] == nil && message["totag"] == nil && message["markdown"] == nil)
        #expect(message["text"]?["content"]?.string?.hasPrefix("[FIRING:1] Down (critical)") == true)
    }

    @Test func `every key reaches WeChat under its name, filled in and cut in bytes`() async throws {
        let message = try await exchange(
            "message_type: markdown\nmessage: '\(long(1500))'\nto_party: '{{ .Receiver }}'\nto_tag: t"
        ).document(1)
        #expect(message.texts("toparty", "totag", "msgtype") == ["team", "t", "markdown"])
        #expect(message["markdown"]?["content"]?.string == long(1022) + "…")
    }

    @Test func `a token is kept for as long as it lasts, and asked for anew when it ends before its time`() async throws
    {
        let server = try TestHTTPServer { request in
            if request.path.hasPrefix("/gettoken") { return Self.accepted }
            let isFirst = request.text.contains("first")
            return isFirst ? Self.accepted : .text(200, #"{"errcode":0,"errmsg":"ok"}"#)
        }
        try await SinkBench.run { bench in
            let sink = try bench.sink(
                WeChatSink.self,
                "api_url: \(server.url)\napi_secret: s\ncorp_id: c\nmessage: '{{ .NotificationReason }}'")
            try await sink.deliver(SinkBench.group())
            try await sink.deliver(SinkBench.group { $0.reason = "x" })
            #expect(server.requests.count == 3)
            bench.clock.advance(by: .seconds(7201))
            try await sink.deliver(SinkBench.group { $0.reason = "x" })
            #expect(server.requests.count == 5)
        }
    }

    static let results: [(String, Bool?)] = [
        (#"{"errcode":42001,"errmsg":"access_token expired"}"#, true),
        (#"{"errcode":-1,"errmsg":"system busy"}"#, true),
        (#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, true),
        (#"{"errcode":81013,"errmsg":"user & party & tag all invalid"}"#, false), ("no JSON", true), ("{}", true),
    ]

    @Test("What is said with HTTP 200 is heeded", arguments: results)
    func heeds(_ body: String, _ passes: Bool?) async throws {
        let exchange = try await SinkExchange.run(WeChatSink.self, "api_url: URL\napi_secret: s\ncorp_id: c") {
            request in
            request.path.hasPrefix("/gettoken") ? Self.accepted : .text(200, body)
        }
        switch (exchange.error, passes) {
        case (.unavailable, true), (.refused, false): break
        default: Issue.record("\(String(describing: exchange.error))")
        }
        let token = try await SinkExchange.run(WeChatSink.self, "api_url: URL\napi_secret: s\ncorp_id: c") { _ in
            .text(200, #"{"errcode":40013,"errmsg":"invalid corpid"}"#)
        }
        #expect(token.error == .refused(reason: "WeChat says: 40013 invalid corpid"))
    }

    @Test func `secret, company and address may be global`() async throws {
        let exchange = try await SinkExchange.run(
            WeChatSink.self, "{}", globals: "{wechat_api_secret: g, wechat_api_corp_id: gc, wechat_api_url: URL/g}"
        ) { _ in Self.accepted }
        #expect(exchange.requests.first?.path == "/g/gettoken?corpsecret=g&corpid=gc")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(WeChatSink.self, "{}", ["1:1: no WeChat company", "1:1: no WeChat secret"])
        try expectErrors(
            WeChatSink.self, "{corp_id: c, api_secret: s, message_type: x}", ["1:43: expected \"text\" or \"markdown\""]
        )
        try expectErrors(WeChatSink.self, "{corp_id: c, api_secret: s, api_secret_file: f}", ["1:29: "])
    }
}
