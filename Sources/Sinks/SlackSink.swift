package import Streams
import Transport
package import YAML

/// Posts each notification to a Slack channel, by an incoming webhook or by an app's token (`chat.postMessage`), as a
/// message with one attachment (api.slack.com/reference/messaging/attachments).
package struct SlackSink: ConfigurableSink {
    package static let key = "slack_configs"

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
        let document = try message(notification)
        var http = settings.http
        let url: URLString
        switch settings.access {
        case .webhook(let secret): url = try secret.read(context, notification)
        case .app(let token, let method):
            url = method
            http.authentication = .credentials(scheme: "Bearer", token)
        }
        let answer = try await context.post(document, to: url, settings: http, timeout: settings.timeout)
        try context.judge(answer, of: "Slack")
        try judge(answer)
    }

    /// Errors of the Web API that pass.
    private static let passing: Set<String> = [
        "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    ]

    /// The Web API answers 200 to everything it has understood, and says in the body whether it did it; a webhook says `ok`.
    /// The API's method may be given as `api_url` too, with its token in `http_config`, so the body decides which it is.
    private func judge(_ answer: ServiceAnswer) throws(DeliveryError) {
        let result: JSONValue
        do throws(JSONValue.SyntaxError) {
            result = try JSONValue(parsing: answer.text.utf8)
        } catch {
            if case .webhook = settings.access { return }
            // An answer longer than what is kept of it; a refusal is a short one.
            if answer.text.hasPrefix("{\"ok\":true") { return }
            throw .unavailable(reason: "Slack's answer is not JSON", retryAfter: nil)
        }
        switch (result["ok"]?.bool, settings.access) {
        case (true, _), (nil, .webhook): return
        default: break
        }
        let error = result["error"]?.string ?? "unknown error"
        let reason = "Slack says" + context.excerpt(error)
        if Self.passing.contains(error) { throw .unavailable(reason: reason, retryAfter: answer.retryAfter) }
        throw .refused(reason: reason)
    }

    // MARK: the message

    /// What Slack shows of a title (documented for attachments).
    private static let titleMax = 1024

    func message(_ notification: Notification) throws(DeliveryError) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        let texts = settings.texts
        var message: [JSONValue.Member] = []
        // A webhook has a channel of its own; what is posted by the API needs to be told.
        if case .app = settings.access {
            message.add("channel", try context.text(texts.channel, notification))
        } else {
            message.add("channel", filled.text(texts.channel))
        }
        message.add("username", filled.text(texts.username))
        message.add("icon_emoji", filled.text(texts.iconEmoji))
        message.add("icon_url", filled.text(texts.iconURL))
        message.add("text", filled.text(texts.messageText))
        if settings.linksNames { message.append(.init("link_names", .bool(true))) }
        message.append(.init("attachments", .array([attachment(notification, &filled)])))
        return .object(message)
    }

    private func attachment(_ notification: Notification, _ filled: inout FilledTexts) -> JSONValue {
        let texts = settings.texts
        var attachment: [JSONValue.Member] = []
        let title = filled.text(texts.title, or: NotificationSummary.title(notification))
        attachment.add("title", title.truncated(toScalars: Self.titleMax))
        attachment.add("title_link", filled.text(texts.titleLink))
        attachment.add("pretext", filled.text(texts.pretext))
        var text = filled.optional(texts.text)
        let place = attachment.count
        attachment.add("fallback", filled.text(texts.fallback, or: title))
        attachment.add("callback_id", filled.text(texts.callbackID))
        attachment.add("image_url", filled.text(texts.imageURL))
        attachment.add("thumb_url", filled.text(texts.thumbURL))
        attachment.add("footer", filled.text(texts.footer))
        attachment.add("color", filled.text(texts.color))
        attachment.append(.init("mrkdwn_in", .array(settings.markdownIn.map { .string($0) })))
        attachment.add("fields", filled.fields(settings.fields))
        let actions = settings.actions.compactMap { action($0, &filled) }
        if !actions.isEmpty { attachment.append(.init("actions", .array(actions))) }
        if let note = filled.note { text = "\(text ?? NotificationSummary.text(notification))\n\(note)" }
        if let text, !text.isEmpty { attachment.insert(.init("text", .string(text)), at: place) }
        return .object(attachment)
    }

    /// Nil when a template of it fails: half a button is refused by Slack with all the rest.
    private func action(_ action: Settings.Action, _ filled: inout FilledTexts) -> JSONValue? {
        var members: [JSONValue.Member] = []
        for (name, template) in action.members {
            guard let value = filled.optional(template) else { return nil }
            members.add(name, value)
        }
        var confirm: [JSONValue.Member] = []
        for (name, template) in action.confirm {
            guard let value = filled.optional(template) else { return nil }
            confirm.add(name, value)
        }
        if !confirm.isEmpty { members.append(.init("confirm", .object(confirm))) }
        return .object(members)
    }
}
