package import Streams
import Transport
package import YAML

/// Triggers and recovers incidents by the REST endpoint of Splunk On-Call, once VictorOps
/// (help.victorops.com/knowledge-base/rest-endpoint-integration-guide). The group's hash is the `entity_id`.
package struct VictorOpsSink: ServiceSink {
    package static let key = "victorops_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let key = try context.secret(settings.key, "the API key", notification)
        let route = try context.text(settings.routingKey, notification)
        guard !route.isEmpty else { throw .refused(reason: "the routing key is empty") }
        let url = try context.url(settings.url, [key.reveal(), route])
        let answer = try await context.send(
            ServiceRequest(.post, url, .json(event(notification)), secrets: [key]), settings.service)
        try context.judge(answer, of: "VictorOps")
    }

    /// Of the state message, in characters (help.victorops.com/knowledge-base/incident-fields-glossary).
    private static let stateMessageMax = 20_480
    private static let messageTypes: Set<String> = ["INFO", "WARNING", "CRITICAL"]

    func event(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        var type = filled.text(settings.messageType)
        if !Self.messageTypes.contains(type) { type = "CRITICAL" }
        if notification.status == .resolved { type = "RECOVERY" }
        let name = filled.title(settings.displayName)
        let tool = filled.text(settings.monitoringTool)
        let fields = settings.customFields.map { JSONValue.Member($0.name, .string(filled.text($0.value))) }
        let message = filled.mainText(settings.stateMessage, scalarsMax: Self.stateMessageMax)
        return .object(
            [
                .init("message_type", .string(type)), .init("entity_id", .string(notification.groupHash)),
                .init("entity_display_name", .string(name)), .init("state_message", .string(message)),
                .init("monitoring_tool", .string(tool)),
            ] + fields)
    }
}

extension VictorOpsSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a victorops config"
        package var service: ServiceSettings
        var key: SecretText
        var url: URLString
        /// These are templates.
        var routingKey: String, messageType: String, stateMessage: String, displayName: String, monitoringTool: String
        var customFields: [Label]

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            messageType = reader.template("message_type", "CRITICAL")
            stateMessage = reader.template("state_message", calling: "victorops.default.state_message")
            displayName = reader.template("entity_display_name", calling: "victorops.default.entity_display_name")
            monitoringTool = reader.template("monitoring_tool", calling: "victorops.default.monitoring_tool")
            customFields = reader.value("custom_fields", .victorOpsFields, default: [])
            url = reader.optional("api_url", .urlString) ?? globals.victorOps.url
            let route = reader.requiredTemplate("routing_key")
            let own = reader.secret("api_key", orFile: "api_key_file")
            let key = own ?? globals.victorOps.key
            if key == nil {
                reader.report(
                    .invalid("no VictorOps API key: set \"api_key\" here, or \"victorops_api_key\" in global"),
                    at: "api_key")
            }
            guard let key, let route else { return nil }
            self.key = key
            routingKey = route
        }
    }

    /// The `victorops_` keys of `global`.
    package struct Globals: Sendable, Equatable {
        var url = URLString.known("https://alert.victorops.com/integrations/generic/20131114/alert/")
        var key: SecretText?

        package init() {}

        init(_ reader: MappingReader) {
            key = reader.secret("victorops_api_key", orFile: "victorops_api_key_file")
            if let own = reader.optional("victorops_api_url", .urlString) { url = own }
        }
    }
}

extension Format where Value == [Label] {
    /// Names of the event's own can't be given another meaning.
    private static let victorOpsReserved: Set<String> = [
        "routing_key", "message_type", "state_message", "entity_display_name", "monitoring_tool", "entity_id",
        "entity_state",
    ]

    fileprivate static var victorOpsFields: Format {
        Format { node, diagnostics in
            for entry in node.entries ?? [] where victorOpsReserved.contains(entry.key.scalar?.text ?? "") {
                diagnostics.report(
                    .invalid("the field \(entry.key.summary) is VictorOps's own and can't be a custom one"),
                    at: entry.key)
            }
            return Format.templateList.decode(node, diagnostics)
        }
    }
}
