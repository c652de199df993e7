package import Streams
import Transport
package import YAML

/// Triggers and resolves incidents by PagerDuty's Events API v2 (developer.pagerduty.com, "Send an alert event").
package struct PagerDutySink: ConfigurableSink {
    package static let key = "pagerduty_configs"

    package struct Settings: Equatable, Sendable {
        var routingKey: SecretText
        var url: URLString
        var texts: Texts
        /// In order of their names.
        var details: [Label]
        var links: [Attachment]
        var images: [Attachment]
        var http: HTTPSettings
        var sendsResolved: Bool
        var timeout: Duration

        /// Templates, by the names of the API.
        struct Texts: Equatable, Sendable {
            var client = "", clientURL = "", description = "", severity = "", source = ""
            var eventClass = "", component = "", group = ""
        }

        /// A link or an image: member names with their templates.
        struct Attachment: Equatable, Sendable {
            var members: [Label]
        }
    }

    private let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package var sendsResolved: Bool { settings.sendsResolved }

    package static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        Settings(node, globals, diagnostics)
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let key = try context.secret(settings.routingKey, "the routing key", notification)
        let answer = try await context.post(
            event(notification, key: key), to: settings.url, settings: settings.http, timeout: settings.timeout,
            secrets: [key])
        try context.judge(answer, of: "PagerDuty")
    }

    // MARK: the event

    /// Documented bounds: of the summary in characters, of the whole event in bytes.
    private static let summaryMax = 1024
    private static let eventBytesMax = 512_000
    private static let severities = ["critical", "error", "warning", "info"]

    func event(_ notification: Notification, key: Secret) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        var details = settings.details.map { JSONValue.Member($0.name, .string(filled.text($0.value))) }
        let event = self.event(notification, key, &filled) { filled in
            if let note = filled.note { details.append(.init("template_error", .string(note))) }
            return details
        }
        guard event.bytes.count > Self.eventBytesMax else { return event }
        // An incident without its details is better than none.
        let note = "custom details have been removed: the event was larger than 512 KB"
        return self.event(notification, key, &filled) { _ in [.init("error", .string(note))] }
    }

    private func event(
        _ notification: Notification, _ key: Secret, _ filled: inout FilledTexts,
        details: (FilledTexts) -> [JSONValue.Member]
    ) -> JSONValue {
        let texts = settings.texts
        // An event without a summary or a source is refused by the API; an incident with a plain one is better.
        let summary = filled.text(texts.description, or: NotificationSummary.title(notification))
        let source = filled.text(texts.source)
        var payload: [JSONValue.Member] = [
            .init(
                "summary",
                .string((summary.isEmpty ? notification.groupKey : summary).truncated(toScalars: Self.summaryMax))),
            .init("source", .string(source.isEmpty ? notification.receiver : source)),
            .init("severity", .string(Self.severity(filled.text(texts.severity)))),
        ]
        payload.add("class", filled.text(texts.eventClass))
        payload.add("component", filled.text(texts.component))
        payload.add("group", filled.text(texts.group))
        if let first = notification.alerts.map(\.startsAt).min() {
            payload.append(.init("timestamp", .string(first.rfc3339)))
        }
        var event: [JSONValue.Member] = [
            .init("routing_key", .string(key.reveal())),
            .init("event_action", notification.status == .firing ? "trigger" : "resolve"),
            .init("dedup_key", .string(notification.groupHash)),
        ]
        event.add("client", filled.text(texts.client))
        event.add("client_url", filled.text(texts.clientURL))
        let links = attachments(settings.links, address: "href", &filled)
        let images = attachments(settings.images, address: "src", &filled)
        payload.append(.init("custom_details", .object(details(filled))))
        event.append(.init("payload", .object(payload)))
        if !links.isEmpty { event.append(.init("links", .array(links))) }
        if !images.isEmpty { event.append(.init("images", .array(images))) }
        return .object(event)
    }

    /// PagerDuty refuses an event with any other word; what is meant as "look at it" is not lost by that.
    private static func severity(_ text: String) -> String {
        let word = text.lowercased()
        return severities.contains(word) ? word : "error"
    }

    /// Those that have an address once filled in.
    private func attachments(
        _ attachments: [Settings.Attachment], address: String, _ filled: inout FilledTexts
    ) -> [JSONValue] {
        var result: [JSONValue] = []
        for attachment in attachments {
            var members: [JSONValue.Member] = []
            for member in attachment.members { members.add(member.name, filled.text(member.value)) }
            if members.contains(where: { $0.name == address }) { result.append(.object(members)) }
        }
        return result
    }
}

extension PagerDutySink.Settings {
    init?(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a pagerduty config", diagnostics)
        defer { reader.finish() }
        reader.notSupportedYet("service_key", "service_key_file")
        reader.exclusive("routing_key", "routing_key_file")
        let key = SecretText(reader, "routing_key", "routing_key_file")
        reader.checkSecretTemplate(key, "routing_key", "the routing key's template is malformed")
        let url = reader.optional("url", .urlString) ?? globals.pagerDutyURL
        texts = Texts(reader)
        var details = Self.defaultDetails
        for label in reader.value("details", .templateList, default: []) { details[label.name] = label.value }
        self.details = details.map { Label($0.key, $0.value) }.sorted()
        links = reader.list("links", of: .attachment("a pagerduty link", ["href", "text"]))
        images = reader.list("images", of: .attachment("a pagerduty image", ["src", "href", "alt"]))
        http = reader.value("http_config", .nested(HTTPSettings.init), default: globals.http)
        sendsResolved = reader.bool("send_resolved", default: true)
        timeout = reader.deliveryTimeout()
        if case .text(let secret) = key, secret.reveal().allSatisfy(\.isWhitespace) {
            reader.report(.invalid("the routing key is empty"), at: "routing_key")
        }
        if key == nil {
            reader.report(.missingKey("routing_key", in: "a pagerduty config"), at: "routing_key")
        }
        guard let key else { return nil }
        routingKey = key
        self.url = url
    }

    private static let defaultDetails = [
        "firing": #"{{ template "pagerduty.default.instances" .Alerts.Firing }}"#,
        "resolved": #"{{ template "pagerduty.default.instances" .Alerts.Resolved }}"#,
        "num_firing": "{{ .Alerts.Firing | len }}",
        "num_resolved": "{{ .Alerts.Resolved | len }}",
    ]
}

extension PagerDutySink.Settings.Texts {
    fileprivate init(_ reader: MappingReader) {
        client = reader.template("client", #"{{ template "pagerduty.default.client" . }}"#)
        clientURL = reader.template("client_url", #"{{ template "pagerduty.default.clientURL" . }}"#)
        description = reader.template("description", #"{{ template "pagerduty.default.description" .}}"#)
        severity = reader.template("severity", "error")
        source = reader.template("source", client)
        eventClass = reader.template("class")
        component = reader.template("component")
        group = reader.template("group")
    }
}

extension Format where Value == PagerDutySink.Settings.Attachment {
    fileprivate static func attachment(_ what: String, _ keys: [String]) -> Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, what, diagnostics)
            defer { reader.finish() }
            return PagerDutySink.Settings.Attachment(
                members: keys.compactMap { key in reader.optional(key, .template).map { Label(key, $0) } })
        }
    }
}
