import Sinks
import Streams
import TestKit
import Testing

@Suite struct TelegramSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, #"{"ok":true,"result":{"message_id":1}}"#)
    private static let token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

    @Test func `Telegram is a sink as every other`() async throws {
        try await SinkContract(TelegramSink.self, accepted: Self.accepted, secrets: [Self.token]) { url in
            "api_url: \(url)\nbot_token: \(Self.token)\nchat_id: -100123"
        }.check()
        try await SinkContract(TelegramSink.self, accepted: Self.accepted, secrets: ["7:short"]) { url in
            "api_url: \(url)/\nbot_token: 7:short\nchat_id: 5"
        }.check()
    }

    private func exchange(
        _ settings: String = "", _ notification: Notification = SinkBench.group()
    ) async throws -> SinkExchange {
        try await SinkExchange.run(
            TelegramSink.self, "api_url: URL\nbot_token: '\(Self.token)'\nchat_id: -1001234567890\n" + settings,
            notification
        ) { _ in Self.accepted }
    }

    @Test func `a message of which nothing is said is Alertmanager's`() async throws {
        let exchange = try await exchange()
        #expect(exchange.error == nil)
        #expect(exchange.requests.map { "\($0.method) \($0.path)" } == ["POST /bot\(Self.token)/sendMessage"])
        let message = try exchange.document
        #expect(message["chat_id"] == -1_001_234_567_890)
        #expect(message["parse_mode"]?.string == "HTML")
        #expect(message["disable_web_page_preview"]?.bool == true)
        #expect(message["disable_notification"] == nil && message["message_thread_id"] == nil)
        // Filled in as a page: what comes from alerts is no markup.
        #expect(message["text"]?.string?.contains("a is &#34;down&#34;") == true)
        #expect(message["text"]?.string?.contains(" - instance = b\n") == true)
    }

    @Test func `every key reaches Telegram under its name`() async throws {
        let message = try await exchange(
            "message: '*{{ .Status }}* <&>'\nparse_mode: MarkdownV2\ndisable_notifications: true\nmessage_thread_id: 7"
        ).document
        #expect(message.texts("text", "parse_mode") == ["*firing* <&>", "MarkdownV2"])
        #expect(message["disable_notification"]?.bool == true && message["message_thread_id"] == 7)
        let plain = try await exchange("message: x\nparse_mode: ''").document
        #expect(plain["parse_mode"] == nil)
    }

    @Test func `a long text is cut, long markup makes way for plain words`() async throws {
        let cut = try await exchange("message: \(long(5000))\nparse_mode: Markdown").document
        #expect(cut["text"]?.string == long(4095) + "…" && cut["parse_mode"]?.string == "Markdown")
        let fits = try await exchange("message: \(long(4096, "😀"))").document
        #expect(fits["text"]?.string == long(4096, "😀"))
        let plain = try await exchange(
            "message: <b>\(long(4090))</b>", SinkBench.group { $0.alerts[0].annotations["dump"] = long(9000) }
        ).document
        #expect(plain["parse_mode"] == nil)
        #expect(plain["text"]?.string?.hasPrefix("The message was too long for Telegram") == true)
        #expect(plain["text"]?.string?.contains("FIRING: 1") == true)
        #expect(plain["text"]?.string?.unicodeScalars.count == 4096)
    }

    @Test func `a template that fails is told in plain words`() async throws {
        let message = try await exchange("message: '{{ .CommonLabels.Remove 1 }}'").document
        #expect(message["parse_mode"] == nil)
        #expect(message["text"]?.string?.hasPrefix("a template of this message can't be filled in") == true)
        #expect(message["text"]?.string?.contains("FIRING: 1") == true)
    }

    @Test func `markup that Telegram does not understand is sent again as it is`() async throws {
        let exchange = try await SinkExchange.run(
            TelegramSink.self, "api_url: URL\nbot_token: t\nchat_id: 5\nmessage: <b>x"
        ) { request in
            request.text.contains("parse_mode")
                ? .text(
                    400, #"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: no end tag"}"#
                )
                : Self.accepted
        }
        #expect(exchange.error == nil && exchange.requests.count == 2)
        #expect(try exchange.document(1)["text"]?.string == "<b>x")
    }

    @Test func `the time to wait is in the body`() async throws {
        let exchange = try await SinkExchange.run(
            TelegramSink.self, "api_url: URL\nbot_token: t\nchat_id: 5"
        ) { _ in
            .text(
                429,
                #"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":31}}"#)
        }
        guard case .unavailable(_, let wait)? = exchange.error else {
            Issue.record("\(String(describing: exchange.error))")
            return
        }
        #expect(wait == .seconds(31))
    }

    @Test func `token, chat and address may stand elsewhere`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("token", "9:file\n")
        try folder.write("chat", " -42\n")
        let exchange = try await SinkExchange.run(
            TelegramSink.self, "chat_id_file: \(folder.path("chat"))",
            globals: "{telegram_bot_token_file: \(folder.path("token")), telegram_api_url: 'URL/t/'}"
        ) { _ in Self.accepted }
        #expect(exchange.requests.first?.path == "/t/bot9:file/sendMessage")
        #expect(try exchange.document["chat_id"] == -42)
        try folder.write("chat", "@team")
        let wrong = try await SinkExchange.run(
            TelegramSink.self, "api_url: URL\nbot_token: t\nchat_id_file: \(folder.path("chat"))"
        ) { _ in Self.accepted }
        #expect(wrong.error == .refused(reason: "\(folder.path("chat")) holds no chat's id"))
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(
            TelegramSink.self, "{}", ["1:1: key \"chat_id\" is missing", "1:1: no Telegram bot"])
        try expectErrors(TelegramSink.self, "{bot_token: t, chat_id: 0}", ["1:25: key \"chat_id\" is missing"])
        try expectErrors(
            TelegramSink.self, "{bot_token: t, chat_id: '@a'}", ["1:25: expected a whole number"])
        try expectErrors(TelegramSink.self, "{bot_token: t, chat_id: 5, chat_id_file: f}", ["1:28: "])
        try expectErrors(TelegramSink.self, "{bot_token: t, bot_token_file: f, chat_id: 5}", ["1:16: "])
        try expectErrors(TelegramSink.self, "{bot_token: t, chat_id: 5, parse_mode: x}", ["1:40: "])
    }
}
