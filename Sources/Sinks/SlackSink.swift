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
        func text(_ template: String) throws(DeliveryError) -> String { try context.text(template, notification) }
        var attachment: [JSONValue.Member] = []
        func add(_ name: String, _ value: String) {
            if !value.isEmpty { attachment.append(.init(name, .string(value))) }
        }
        let texts = settings.texts
        add("title", try text(texts.title).truncated(toScalars: Self.titleMax))
        add("title_link", try text(texts.titleLink))
        add("pretext", try text(texts.pretext))
        add("text", try text(texts.text))
        add("fallback", try text(texts.fallback))
        add("callback_id", try text(texts.callbackID))
        add("image_url", try text(texts.imageURL))
        add("thumb_url", try text(texts.thumbURL))
        add("footer", try text(texts.footer))
        add("color", try text(texts.color))
        attachment.append(.init("mrkdwn_in", .array(settings.markdownIn.map { .string($0) })))
        var fields: [JSONValue] = []
        for field in settings.fields {
            fields.append([
                "title": .string(try text(field.title)), "value": .string(try text(field.value)),
                "short": .bool(field.isShort),
            ])
        }
        if !fields.isEmpty { attachment.append(.init("fields", .array(fields))) }
        var actions: [JSONValue] = []
        for action in settings.actions { actions.append(try self.action(action, notification)) }
        if !actions.isEmpty { attachment.append(.init("actions", .array(actions))) }

        var message: [JSONValue.Member] = []
        func put(_ name: String, _ value: String) {
            if !value.isEmpty { message.append(.init(name, .string(value))) }
        }
        put("channel", try text(texts.channel))
        put("username", try text(texts.username))
        put("icon_emoji", try text(texts.iconEmoji))
        put("icon_url", try text(texts.iconURL))
        put("text", try text(texts.messageText))
        if settings.linksNames { message.append(.init("link_names", .bool(true))) }
        message.append(.init("attachments", .array([.object(attachment)])))
        return .object(message)
    }

    private func action(_ action: Settings.Action, _ notification: Notification) throws(DeliveryError) -> JSONValue {
        var members: [JSONValue.Member] = []
        for (name, template) in action.members {
            let value = try context.text(template, notification)
            if !value.isEmpty { members.append(.init(name, .string(value))) }
        }
        var confirm: [JSONValue.Member] = []
        for (name, template) in action.confirm {
            let value = try context.text(template, notification)
            if !value.isEmpty { confirm.append(.init(name, .string(value))) }
        }
        if !confirm.isEmpty { members.append(.init("confirm", .object(confirm))) }
        return .object(members)
    }
}
