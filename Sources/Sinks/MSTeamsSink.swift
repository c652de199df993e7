package import Streams
import Transport
package import YAML

/// Posts each notification to a channel of Microsoft Teams by a connector's webhook, as a message card
/// (learn.microsoft.com/outlook/actionable-messages/message-card-reference).
package struct MSTeamsSink: ServiceSink {
    package static let key = "msteams_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let url = try settings.url.read(context, notification)
        let answer = try await context.send(ServiceRequest(.post, url, .json(card(notification))), settings.service)
        try context.judge(answer, of: "Microsoft Teams")
        try judge(answer)
    }

    /// Connectors answer 200 and tell in words what became of it behind them, rate limits among it
    /// (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
    private func judge(_ answer: ServiceAnswer) throws(DeliveryError) {
        guard let mark = answer.text.firstRange(of: "returned HTTP error ") else { return }
        let status = Int(answer.text[mark.upperBound...].prefix { $0.isWholeNumber })
        let reason = "Microsoft Teams could not take it" + context.excerpt(answer.text)
        if let status, (400..<500).contains(status), status != 429, status != 412 { throw .refused(reason: reason) }
        throw .unavailable(reason: reason, retryAfter: answer.retryAfter)
    }

    func card(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        let title = filled.title(settings.title)
        let summary = filled.title(settings.summary)
        let color = notification.status == .firing ? "8C1A1A" : "2DC72D"
        return TeamsMessage.bounded(filled.mainText(settings.text)) { text in
            [
                // The documented name of the type, and the one that Alertmanager sends and Teams takes too.
                "@context": "http://schema.org/extensions", "@type": "MessageCard", "type": "MessageCard",
                "title": .string(title), "summary": .string(summary), "text": .string(text),
                "themeColor": .string(color),
            ]
        }
    }
}

extension MSTeamsSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a msteams config"
        package var service: ServiceSettings
        var url: SecretURL
        /// These are templates.
        var title: String, summary: String, text: String

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            title = reader.template("title", calling: "msteams.default.title")
            summary = reader.template("summary", calling: "msteams.default.summary")
            text = reader.template("text", calling: "msteams.default.text")
            guard let url = reader.requiredSecretURL("webhook_url", "webhook_url_file") else { return nil }
            self.url = url
        }
    }
}
