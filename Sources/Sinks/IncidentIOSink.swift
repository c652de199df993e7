package import Streams
import Transport
package import YAML

/// Sends alerts to an HTTP alert source of incident.io (docs.incident.io/alerts): Alertmanager's document for programs.
package struct IncidentIOSink: ServiceSink {
    package static let key = "incidentio_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    /// Of a document, in bytes.
    private static let bytesMax = 512 << 10

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let url = try settings.url.read(context, notification)
        var service = settings.service
        if let token = settings.token { service.http.authentication = .credentials(scheme: "Bearer", token) }
        let answer = try await context.send(
            ServiceRequest(
                .post, url, .json(Self.document(notification, alertsMax: settings.alertsMax)),
                headers: [HTTPField("Idempotency-Key", notification.id)]),
            service)
        try context.judge(answer, of: "incident.io")
    }

    /// One alert stands for its group where all of them are too many.
    static func document(_ notification: Notification, alertsMax: Int) -> JSONValue {
        let document = AlertmanagerDocument.json(notification, alertsMax: alertsMax, version: "1")
        guard document.bytes.count > bytesMax else { return document }
        return AlertmanagerDocument.json(notification, alertsMax: 1, version: "1")
    }
}

extension IncidentIOSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "an incidentio config"
        package var service: ServiceSettings
        var url: SecretURL
        /// Nil: `http_config` says who we are.
        var token: SecretText?
        /// 0: all.
        var alertsMax: Int

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            alertsMax = reader.value("max_alerts", .integer(in: 0 ... .max), default: 0)
            token = reader.secret("alert_source_token", orFile: "alert_source_token_file")
            let hasOwn = reader.isPresent("http_config")
            if hasOwn, case .credentials? = service.http.authentication {
                if token != nil {
                    reader.report(
                        .conflict(
                            "an alert source's token and http_config.authorization exclude each other; leave one"),
                        at: "http_config")
                }
            } else if hasOwn, token == nil {
                reader.report(.missingKey("alert_source_token", in: Self.title), at: "alert_source_token")
            }
            guard let url = reader.requiredSecretURL("url", "url_file") else { return nil }
            self.url = url
        }
    }
}
