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
        let document = Self.payload(notification, alertsMax: settings.alertsMax)
        // The same for every try of one notification, so that a receiver can tell a repeat.
        let answer = try await context.post(
            document, to: url, headers: [HTTPField("Idempotency-Key", notification.id)], settings: settings.http,
            timeout: settings.timeout)
        try context.judge(answer, of: "the webhook")
    }

    /// The body of version 4.
    static func payload(_ notification: Notification, alertsMax: Int) -> JSONValue {
        let all = notification.alerts
        let shown = alertsMax > 0 ? Array(all.prefix(alertsMax)) : all
        return [
            "receiver": .string(notification.receiver),
            "status": .string(notification.status.rawValue),
            "alerts": .array(shown.map { alert($0, at: notification.time) }),
            "groupLabels": .labels(notification.groupLabels),
            "commonLabels": .labels(notification.commonLabels),
            "commonAnnotations": .labels(notification.commonAnnotations),
            "externalURL": .string(notification.externalURL),
            "version": "4",
            "groupKey": .string(notification.groupKey),
            "truncatedAlerts": .integer(Int64(all.count - shown.count)),
            "notificationReason": .string(notification.reason),
            "routeLabels": .labels(notification.routeLabels),
        ]
    }

    private static func alert(_ alert: Alert, at time: Timestamp) -> JSONValue {
        let isResolved = alert.isResolved(at: time)
        return [
            "status": .string(isResolved ? "resolved" : "firing"),
            "labels": .labels(alert.labels),
            "annotations": .labels(alert.annotations),
            "startsAt": .string(alert.startsAt.rfc3339),
            // Go's zero time stands for "not yet".
            "endsAt": .string(isResolved ? alert.endsAt?.rfc3339 ?? "" : "0001-01-01T00:00:00Z"),
            "generatorURL": .string(alert.generatorURL),
            "fingerprint": .string("\(alert.fingerprint)"),
        ]
    }
}
