package import Streams
import Transport
package import YAML

/// Posts each notification to Microsoft Teams by a workflow's webhook, as an adaptive card
/// (learn.microsoft.com/connectors/teams, "Post to a channel when a webhook request is received").
package struct MSTeamsV2Sink: ServiceSink {
    package static let key = "msteamsv2_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let url = try settings.url.read(context, notification)
        let answer = try await context.send(
            ServiceRequest(.post, url, .json(message(notification))), settings.service)
        try context.judge(answer, of: "Microsoft Teams")
    }

    func message(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        let title = filled.title(settings.title)
        let color = notification.status == .firing ? "Attention" : "Good"
        return TeamsMessage.bounded(filled.mainText(settings.text)) { text in
            let card: JSONValue = [
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
                "version": "1.2",
                "body": [
                    [
                        "type": "TextBlock", "text": .string(title), "weight": "Bolder", "size": "Medium", "wrap": true,
                        "style": "heading", "color": .string(color),
                    ],
                    ["type": "TextBlock", "text": .string(text), "wrap": true],
                ],
                "msteams": ["width": "full"],
            ]
            return [
                "type": "message",
                "attachments": [
                    [
                        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": .null, "content": card,
                    ]
                ],
            ]
        }
    }
}

extension MSTeamsV2Sink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a msteamsv2 config"
        package var service: ServiceSettings
        var url: SecretURL
        /// These are templates.
        var title: String, text: String

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            // HTTP settings of its own do without the global proxy only by naming another.
            if service.http.proxyURL == nil { service.http.proxyURL = globals.http.proxyURL }
            title = reader.template("title", calling: "msteamsv2.default.title")
            text = reader.template("text", calling: "msteamsv2.default.text")
            guard let url = reader.requiredSecretURL("webhook_url", "webhook_url_file") else { return nil }
            self.url = url
        }
    }
}
