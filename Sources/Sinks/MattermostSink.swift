package import Streams
import Transport
package import YAML

/// Posts each notification to a Mattermost channel by an incoming webhook
/// (developers.mattermost.com/integrate/webhooks/incoming).
package struct MattermostSink: ServiceSink {
    package static let key = "mattermost_configs"

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
        try context.judge(answer, of: "Mattermost")
    }

    /// Of a text, in characters.
    private static let textMax = 16_383

    func message(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        var message: [JSONValue.Member] = []
        for (name, template) in settings.texts.map({ ($0.name, $0.value) }) {
            message.add(name, filled.text(template))
        }
        if let card = settings.card {
            message.append(.init("props", ["card": .string(filled.text(card))]))
        }
        if let priority = settings.priority { message.append(.init("priority", self.priority(priority, &filled))) }
        // The text stands in the one attachment that is made of the settings, or above those of the user's own.
        var attachments = settings.attachments.map { attachment($0, &filled) }
        let isOwn = !attachments.isEmpty
        if !isOwn { attachments = [attachment(settings.attachment, &filled)] }
        let text = filled.mainText(settings.text, scalarsMax: Self.textMax)
        if isOwn {
            message.add("text", text)
        } else {
            attachments[0].add("text", text)
        }
        message.append(.init("attachments", .array(attachments.map { .object($0) })))
        return .object(message)
    }

    private func attachment(
        _ attachment: Settings.Attachment, _ filled: inout FilledTexts
    ) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        for (name, template) in attachment.texts.map({ ($0.name, $0.value) }) {
            members.add(name, filled.text(template).truncated(toScalars: Self.textMax))
        }
        members.add("fields", filled.fields(attachment.fields))
        return members
    }

    /// Mattermost refuses a message that asks for more than its priority allows.
    private func priority(_ priority: Settings.Priority, _ filled: inout FilledTexts) -> JSONValue {
        let word = filled.text(priority.level).lowercased()
        let level = ["urgent", "important", "standard"].contains(word) ? word : "standard"
        var members: [JSONValue.Member] = [.init("priority", .string(level))]
        if priority.asksForAcknowledgement, level != "standard" {
            members.append(.init("requested_ack", .bool(true)))
        }
        if priority.isPersistent, level == "urgent" {
            members.append(.init("persistent_notifications", .bool(true)))
        }
        return .object(members)
    }
}

extension MattermostSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a mattermost config"

        /// Members by Mattermost's names, with their templates.
        struct Attachment: Equatable, Sendable {
            var texts: [Label]
            var fields: [MessageField]
        }

        struct Priority: Equatable, Sendable {
            /// A template.
            var level: String
            var asksForAcknowledgement: Bool
            var isPersistent: Bool
        }

        package var service: ServiceSettings
        var url: SecretURL
        /// A template.
        var text: String
        /// What stands beside the text, by Mattermost's names.
        var texts: [Label]
        /// Made of the settings' own keys; for where `attachments` is empty.
        var attachment: Attachment
        var attachments: [Attachment]
        /// A template.
        var card: String?
        var priority: Priority?

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            text = reader.template("text", calling: "mattermost.default.text")
            texts =
                [Label("username", reader.template("username", calling: "mattermost.default.username"))]
                + ["channel", "icon_url", "icon_emoji", "type"].map { Label($0, reader.template($0)) }
            attachment = Attachment(
                reader,
                defaults: [
                    "fallback": "mattermost.default.fallback", "color": "mattermost.default.color",
                    "title": "mattermost.default.title", "title_link": "mattermost.default.titlelink",
                ])
            attachments = reader.list("attachments", of: .mattermostAttachment)
            card = reader.optional("props", .mattermostCard).flatMap { $0.isEmpty ? nil : $0 }
            priority = reader.optional("priority", .mattermostPriority).flatMap { $0.level.isEmpty ? nil : $0 }
            guard let url = SecretURL(reader, "webhook_url", "webhook_url_file") ?? globals.mattermost.url else {
                reader.report(
                    .invalid(
                        "no Mattermost webhook: set \"webhook_url\" here, or \"mattermost_webhook_url\" in global"),
                    at: "webhook_url")
                return nil
            }
            self.url = url
        }
    }

    /// The `mattermost_` keys of `global`.
    package struct Globals: Sendable, Equatable {
        var url: SecretURL?

        package init() {}

        init(_ reader: MappingReader) {
            url = SecretURL(reader, "mattermost_webhook_url", "mattermost_webhook_url_file")
        }
    }
}

extension MattermostSink.Settings.Attachment {
    private static let names = [
        "fallback", "color", "pretext", "author_name", "author_link", "author_icon", "title", "title_link", "thumb_url",
        "footer", "footer_icon", "image_url",
    ]

    /// - Parameter defaults: of some members, the named templates to be called.
    fileprivate init(_ reader: MappingReader, defaults: [String: String]) {
        texts = Self.names.map { name in
            Label(name, defaults[name].map { reader.template(name, calling: $0) } ?? reader.template(name))
        }
        fields = reader.list("fields", of: .messageField("a mattermost field"))
    }
}

extension Format where Value == MattermostSink.Settings.Attachment {
    fileprivate static var mattermostAttachment: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "a mattermost attachment", diagnostics)
            defer { reader.finish() }
            var attachment = MattermostSink.Settings.Attachment(reader, defaults: [:])
            attachment.texts.append(Label("text", reader.template("text")))
            return attachment
        }
    }
}

extension Format where Value == String {
    fileprivate static var mattermostCard: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "the props of a mattermost config", diagnostics)
            defer { reader.finish() }
            return reader.template("card")
        }
    }
}

extension Format where Value == MattermostSink.Settings.Priority {
    fileprivate static var mattermostPriority: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "the priority of a mattermost config", diagnostics)
            defer { reader.finish() }
            return MattermostSink.Settings.Priority(
                level: reader.template("priority"),
                asksForAcknowledgement: reader.bool("requested_ack", default: false),
                isPersistent: reader.bool("persistent_notifications", default: false))
        }
    }
}
