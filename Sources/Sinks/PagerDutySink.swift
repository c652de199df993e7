package import Streams
import Transport

/// Triggers and resolves incidents by PagerDuty's Events API v2 (developer.pagerduty.com, "Send an alert event"), or v1 for
/// those who have a service key of it.
package struct PagerDutySink: ServiceSink {
    package static let key = "pagerduty_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let key = try context.secret(settings.key, settings.api.keyName, notification)
        let answer = try await context.send(
            ServiceRequest(.post, settings.url, .json(event(notification, key: key)), secrets: [key]),
            settings.service)
        // Version 1 says 403 when it is told too much at a time.
        try context.judge(answer, of: "PagerDuty", passing: settings.api == .v1 ? [403] : [])
    }

    // MARK: the event

    /// Documented bounds: of the summary in characters, of the whole event in bytes.
    private static let summaryMax = 1024
    private static let eventBytesMax = 512_000
    private static let severities = ["critical", "error", "warning", "info"]

    func event(_ notification: Notification, key: Secret) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        var details = filled.members(settings.details)
        let build: (inout FilledTexts, (FilledTexts) -> JSONValue) -> JSONValue = { filled, details in
            switch settings.api {
            case .v1: eventV1(notification, key, &filled, details: details)
            case .v2: eventV2(notification, key, &filled, details: details)
            }
        }
        let event = build(&filled) { filled in
            if let note = filled.note { details.append(.init("template_error", .string(note))) }
            return .object(details)
        }
        guard event.bytes.count > Self.eventBytesMax else { return event }
        // An incident without its details is better than none.
        let note: JSONValue = ["error": "custom details have been removed: the event was larger than 512 KB"]
        return build(&filled) { _ in note }
    }

    /// An event without a summary or a source is refused by the API; an incident with a plain one is better.
    private func summary(_ notification: Notification, _ filled: inout FilledTexts) -> String {
        let summary = filled.text(settings.texts.description, or: NotificationSummary.title(notification))
        return (summary.isEmpty ? notification.groupKey : summary).truncated(toScalars: Self.summaryMax)
    }

    private func eventV2(
        _ notification: Notification, _ key: Secret, _ filled: inout FilledTexts, details: (FilledTexts) -> JSONValue
    ) -> JSONValue {
        let texts = settings.texts
        let source = filled.text(texts.source)
        var payload: [JSONValue.Member] = [
            .init("summary", .string(summary(notification, &filled))),
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
        payload.append(.init("custom_details", details(filled)))
        event.append(.init("payload", .object(payload)))
        event.add("links", links.map { .object($0) })
        event.add("images", images.map { .object($0) })
        return .object(event)
    }

    /// developer.pagerduty.com, "Send a v1 event".
    private func eventV1(
        _ notification: Notification, _ key: Secret, _ filled: inout FilledTexts, details: (FilledTexts) -> JSONValue
    ) -> JSONValue {
        let isTrigger = notification.status == .firing
        var event: [JSONValue.Member] = [
            .init("service_key", .string(key.reveal())),
            .init("event_type", isTrigger ? "trigger" : "resolve"),
            .init("incident_key", .string(notification.groupHash)),
            .init("description", .string(summary(notification, &filled))),
        ]
        if isTrigger {
            event.add("client", filled.text(settings.texts.client))
            event.add("client_url", filled.text(settings.texts.clientURL))
            let links = attachments(settings.links, address: "href", &filled).map { ("link", $0) }
            let images = attachments(settings.images, address: "src", &filled).map { ("image", $0) }
            event.add("contexts", (links + images).map { .object([.init("type", .string($0.0))] + $0.1) })
        }
        event.append(.init("details", details(filled)))
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
    ) -> [[JSONValue.Member]] {
        var result: [[JSONValue.Member]] = []
        for attachment in attachments {
            var members: [JSONValue.Member] = []
            for member in attachment.members { members.add(member.name, filled.text(member.value)) }
            if members.contains(where: { $0.name == address }) { result.append(members) }
        }
        return result
    }
}
