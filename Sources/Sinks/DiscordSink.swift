package import Streams
import Transport
package import YAML

/// Posts each notification to a Discord channel by a webhook, as one embed
/// (discord.com/developers/docs/resources/webhook#execute-webhook).
package struct DiscordSink: ServiceSink {
    package static let key = "discord_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let url = try settings.url.read(context, notification)
        var answer = try await context.send(
            ServiceRequest(.post, url, .json(message(notification))), settings.service)
        // More exact than the header, which is in whole seconds.
        answer.retryAfter = answer.json?["retry_after"]?.seconds ?? answer.retryAfter
        try context.judge(answer, of: "Discord")
    }

    /// Documented bounds, in characters.
    private enum Limit {
        static let title = 256, description = 4096, content = 2000, username = 80
    }

    private enum Color {
        static let red = 0x99_2D22, green = 0x2E_CC71
    }

    func message(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        let title = filled.title(settings.title, scalarsMax: Limit.title)
        let content = filled.text(settings.content).truncated(toScalars: Limit.content)
        let username = filled.text(settings.username).truncated(toScalars: Limit.username)
        let avatar = filled.text(settings.avatarURL)
        let color = notification.status == .firing ? Color.red : Color.green
        let embed: JSONValue = [
            "title": .string(title),
            "description": .string(filled.mainText(settings.message, scalarsMax: Limit.description)),
            "color": .integer(Int64(color)),
        ]
        var message: [JSONValue.Member] = [
            .init("content", .string(content)), .init("embeds", .array([embed])),
        ]
        message.add("username", username)
        message.add("avatar_url", avatar)
        return .object(message)
    }
}

extension DiscordSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a discord config"
        package var service: ServiceSettings
        var url: SecretURL
        /// These are templates.
        var title: String, message: String, content: String, username: String, avatarURL: String

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            title = reader.template("title", calling: "discord.default.title")
            message = reader.template("message", calling: "discord.default.message")
            content = reader.template("content")
            username = reader.template("username")
            avatarURL = reader.template("avatar_url")
            guard let url = reader.requiredSecretURL("webhook_url", "webhook_url_file") else { return nil }
            self.url = url
        }
    }
}
