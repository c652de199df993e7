package import Streams
import Transport
package import YAML

/// Sends messages to a room of Webex (developer.webex.com/docs/api/v1/messages/create-a-message).
package struct WebexSink: ServiceSink {
    package static let key = "webex_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    /// Documented bound of a message, in bytes.
    private static let messageBytesMax = 7439

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let room = try context.text(settings.room, notification)
        var filled = FilledTexts(notification, context.renderer)
        let text = filled.mainText(settings.message).truncated(toBytes: Self.messageBytesMax)
        let message: JSONValue = ["markdown": .string(text), "roomId": .string(room)]
        let answer = try await context.send(ServiceRequest(.post, settings.url, .json(message)), settings.service)
        try context.judge(answer, of: "Webex")
    }
}

extension WebexSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a webex config"
        package var service: ServiceSettings
        var url: URLString
        /// These are templates.
        var message: String, room: String

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            message = reader.template("message", calling: "webex.default.message")
            url = reader.optional("api_url", .urlString) ?? globals.webexURL
            let room = reader.requiredTemplate("room_id")
            if case .credentials? = service.http.authentication, reader.isPresent("http_config") {
            } else if room != nil {
                reader.report(
                    .invalid("a webex config needs a bot's token in http_config.authorization"), at: "http_config")
                return nil
            }
            guard let room else { return nil }
            self.room = room
        }
    }
}
