package import Streams
import Transport
package import YAML

/// Sends messages by Telegram's Bot API (core.telegram.org/bots/api#sendmessage). The bot's token is a part of the URL.
package struct TelegramSink: ServiceSink {
    package static let key = "telegram_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let token = try context.secret(settings.token, "the bot's token", notification)
        let chat = try settings.chat.read()
        let url = try context.url(settings.url, ["bot" + token.reveal(), "sendMessage"])
        let text = self.text(notification)
        var answer = try await send(text, to: url, chat, token)
        if answer.status == 400, text.mode != nil, Self.isMarkup(answer) {
            // What it does not understand as markup it takes as it is: ugly, but told.
            answer = try await send(Text(text.value, mode: nil), to: url, chat, token)
        }
        try context.judge(answer, of: "Telegram")
        guard answer.json?["ok"]?.bool != false else {
            throw .refused(reason: "Telegram said no" + context.excerpt(answer.text))
        }
    }

    private static func isMarkup(_ answer: ServiceAnswer) -> Bool {
        answer.json?["description"]?.string?.contains("can't parse entities") == true
    }

    private func send(
        _ text: Text, to url: URLString, _ chat: Int, _ token: Secret
    ) async throws(DeliveryError) -> ServiceAnswer {
        var message: [JSONValue.Member] = [
            .init("chat_id", .integer(Int64(chat))), .init("text", .string(text.value)),
            .init("disable_web_page_preview", .bool(true)),
        ]
        message.add("parse_mode", text.mode ?? "")
        if settings.isSilent { message.append(.init("disable_notification", .bool(true))) }
        if settings.thread != 0 { message.append(.init("message_thread_id", .integer(Int64(settings.thread)))) }
        var answer = try await context.send(
            ServiceRequest(.post, url, .json(.object(message)), secrets: [token]), settings.service)
        answer.retryAfter = answer.retryAfter ?? answer.json?["parameters"]?["retry_after"]?.seconds
        return answer
    }

    // MARK: the text

    struct Text: Equatable {
        var value: String
        /// Nil: as it is.
        var mode: String?

        init(_ value: String, mode: String?) {
            self.value = value
            self.mode = mode
        }
    }

    /// Of a message, in characters.
    private static let textMax = 4096

    /// Half of a tag would be refused with all the rest: markup that is too long, or that can't be filled in, makes way for
    /// plain words.
    func text(_ notification: Notification) -> Text {
        var filled = FilledTexts(notification, context.renderer)
        let mode = settings.parseMode
        let text = mode == "HTML" ? filled.html(settings.message) : filled.optional(settings.message)
        if let text, text.unicodeScalars.count <= Self.textMax { return Text(text, mode: mode) }
        if let text, mode != "HTML" { return Text(text.truncated(toScalars: Self.textMax), mode: mode) }
        let note = filled.note ?? "The message was too long for Telegram; this is what it was about."
        let summary = NotificationSummary.text(notification)
            .truncated(toScalars: Self.textMax - note.unicodeScalars.count - 1)
        return Text("\(note)\n\(summary)", mode: nil)
    }
}

extension TelegramSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a telegram config"
        package var service: ServiceSettings
        var token: SecretText
        var chat: Chat
        var url: URLString
        /// A thread of a forum; 0 is none.
        var thread: Int
        var message: String
        var isSilent: Bool
        /// Nil: text as it is.
        var parseMode: String?

        enum Chat: Equatable, Sendable {
            case id(Int)
            case file(String)

            func read() throws(DeliveryError) -> Int {
                switch self {
                case .id(let id): return id
                case .file(let path):
                    do throws(TransportError) {
                        let text = try SecretText.file(path).read().reveal()
                        guard let id = Int(text) else { throw .invalidRequest(reason: "\(path) holds no chat's id") }
                        return id
                    } catch {
                        throw .refused(reason: error.description)
                    }
                }
            }
        }

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            message = reader.template("message", calling: "telegram.default.message")
            isSilent = reader.bool("disable_notifications", default: false)
            thread = reader.value("message_thread_id", .integer(in: 0 ... .max), default: 0)
            let mode = reader.value(
                "parse_mode", .text(oneOf: ["HTML", "Markdown", "MarkdownV2", ""]), default: "HTML")
            parseMode = mode.isEmpty ? nil : mode
            url = reader.optional("api_url", .urlString) ?? globals.telegram.url
            let chat = Chat(reader)
            let token = reader.secret("bot_token", orFile: "bot_token_file") ?? globals.telegram.token
            if token == nil {
                reader.report(
                    .invalid("no Telegram bot: set \"bot_token\" here, or \"telegram_bot_token\" in global"),
                    at: "bot_token")
            }
            guard let token, let chat else { return nil }
            self.token = token
            self.chat = chat
        }
    }

    /// The `telegram_` keys of `global`.
    package struct Globals: Sendable, Equatable {
        var url = URLString.known("https://api.telegram.org")
        var token: SecretText?

        package init() {}

        init(_ reader: MappingReader) {
            token = reader.secret("telegram_bot_token", orFile: "telegram_bot_token_file")
            if let own = reader.optional("telegram_api_url", .urlString) { url = own }
        }
    }
}

extension TelegramSink.Settings.Chat {
    /// 0 counts as nothing, as for Alertmanager.
    fileprivate init?(_ reader: MappingReader) {
        let written = reader.optional("chat_id", .integer())
        let id = written == 0 ? nil : written
        let file = reader.filled("chat_id_file").flatMap { Format.path.decode($0, reader.diagnostics) }
        if id != nil, file != nil { reader.exclusive("chat_id", "chat_id_file") }
        if let id {
            self = .id(id)
        } else if let file {
            self = .file(file)
        } else if reader.isPresent("chat_id"), written == nil {
            return nil
        } else {
            reader.report(.missingKey("chat_id", in: TelegramSink.Settings.title), at: "chat_id")
            return nil
        }
    }
}
