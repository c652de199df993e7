package import Streams
package import Transport
package import YAML

/// Posts each notification as JSON, in Alertmanager's format of version 4
/// (prometheus.io/docs/alerting/latest/configuration/#webhook_config).
package struct WebhookSink: ConfigurableSink {
    package static let key = "webhook_configs"

    package struct Settings: Equatable, Sendable {
        package var url: SecretURL
        package var http: HTTPSettings
        package var sendsResolved: Bool
        /// 0: all.
        package var alertsMax: Int
        package var timeout: Duration
    }

    private let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        let reader = MappingReader(node, "a webhook config", diagnostics)
        defer { reader.finish() }
        reader.notSupportedYet("payload")
        reader.exclusive("url", "url_file")
        let url = SecretURL(reader, "url", "url_file")
        let settings = Settings(
            url: url ?? SecretURL(.text(Secret(""))),
            http: reader.value("http_config", .nested(HTTPSettings.init), default: globals.http),
            sendsResolved: reader.bool("send_resolved", default: true),
            alertsMax: reader.value("max_alerts", .integer(in: 0...1_000_000), default: 0),
            timeout: reader.deliveryTimeout())
        if url == nil {
            reader.report(.missingKey("url", in: "a webhook config"), at: "url")
            return nil
        }
        return settings
    }

    package var sendsResolved: Bool { settings.sendsResolved }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let url = try settings.url.read(context, notification)
        let document = AlertmanagerDocument.json(notification, alertsMax: settings.alertsMax)
        // The same for every try of one notification, so that a receiver can tell a repeat.
        let answer = try await context.post(
            document, to: url, headers: [HTTPField("Idempotency-Key", notification.id)], settings: settings.http,
            timeout: settings.timeout)
        try context.judge(answer, of: "the webhook")
    }
}
