package import Streams
import Transport
package import YAML

/// Posts each notification to a channel of Rocket.Chat (developer.rocket.chat/apidocs/post-message).
package struct RocketChatSink: ServiceSink {
    package static let key = "rocketchat_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let token = try context.secret(settings.token, "the token", notification)
        let user = try context.secret(settings.user, "the token's id", notification)
        let url = try context.url(settings.url, ["api", "v1", "chat.postMessage"])
        let answer = try await context.send(
            ServiceRequest(
                .post, url, .json(message(notification)),
                headers: [HTTPField("X-Auth-Token", token.reveal()), HTTPField("X-User-Id", user.reveal())],
                secrets: [token, user]),
            settings.service)
        try context.judge(answer, of: "Rocket.Chat")
        // Some errors come with HTTP 200.
        guard let result = answer.json else {
            throw .unavailable(reason: "Rocket.Chat's answer is not JSON", retryAfter: nil)
        }
        guard result["success"]?.bool == true else {
            throw .refused(reason: "Rocket.Chat says" + context.excerpt(result["error"]?.string ?? "unknown error"))
        }
    }

    /// Of a title, in characters.
    private static let titleMax = 1024

    func message(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        let texts = settings.texts
        var attachment: [JSONValue.Member] = []
        attachment.add("title", filled.title(texts.title, scalarsMax: Self.titleMax))
        attachment.add("title_link", filled.text(texts.titleLink))
        attachment.add("image_url", filled.text(texts.imageURL))
        attachment.add("thumb_url", filled.text(texts.thumbURL))
        attachment.add("color", filled.text(texts.color))
        attachment.add("fields", filled.fields(settings.fields))
        let actions = settings.actions.map { action -> JSONValue in
            var members: [JSONValue.Member] = [.init("type", "button")]
            for (name, template) in action.map({ ($0.name, $0.value) }) { members.add(name, filled.text(template)) }
            return .object(members)
        }
        attachment.add("actions", actions)
        var message: [JSONValue.Member] = []
        message.add("channel", filled.text(texts.channel))
        message.add("emoji", filled.text(texts.emoji))
        message.add("avatar", filled.text(texts.iconURL))
        attachment.add("text", filled.mainText(texts.text))
        message.append(.init("attachments", [.object(attachment)]))
        return .object(message)
    }
}

extension RocketChatSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a rocketchat config"

        /// Templates.
        struct Texts: Equatable, Sendable {
            var channel: String, color: String, title: String, titleLink: String, text: String
            var emoji: String, iconURL: String, imageURL: String, thumbURL: String
        }

        package var service: ServiceSettings
        var url: URLString
        var token: SecretText
        /// Whose token it is.
        var user: SecretText
        var texts: Texts
        var fields: [MessageField]
        /// Buttons: member names with their templates.
        var actions: [[Label]]

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals, sendsResolved: false)
            texts = Texts(
                channel: reader.template("channel"),
                color: reader.template("color", #"{{ if eq .Status "firing" }}red{{ else }}green{{ end }}"#),
                title: reader.template("title", calling: "rocketchat.default.title"),
                titleLink: reader.template("title_link", calling: "rocketchat.default.titlelink"),
                text: reader.template("text", calling: "rocketchat.default.text"),
                emoji: reader.template("emoji", calling: "rocketchat.default.emoji"),
                iconURL: reader.template("icon_url", calling: "rocketchat.default.iconurl"),
                imageURL: reader.template("image_url"), thumbURL: reader.template("thumb_url"))
            let isShort = reader.bool("short_fields", default: false)
            fields = reader.list(
                "fields", of: .messageField("a rocketchat field", isShort: isShort, isFilled: false))
            actions = reader.list("actions", of: .rocketChatAction)
            // Read and without an effect, as for Alertmanager: Rocket.Chat links names by itself.
            _ = reader.bool("link_names", default: false)
            url = reader.optional("api_url", .urlString) ?? globals.rocketChat.url
            let token = reader.secret("token", orFile: "token_file") ?? globals.rocketChat.token
            let user = reader.secret("token_id", orFile: "token_id_file") ?? globals.rocketChat.user
            guard let token, let user else {
                let (key, what) = token == nil ? ("token", "token") : ("token_id", "token id")
                reader.report(
                    .invalid("no Rocket.Chat \(what): set \"\(key)\" here, or \"rocketchat_\(key)\" in global"),
                    at: key)
                return nil
            }
            self.token = token
            self.user = user
        }
    }

    /// The `rocketchat_` keys of `global`.
    package struct Globals: Sendable, Equatable {
        var url = URLString.known("https://open.rocket.chat/")
        var token: SecretText?
        var user: SecretText?

        package init() {}

        init(_ reader: MappingReader) {
            token = reader.secret("rocketchat_token", orFile: "rocketchat_token_file")
            user = reader.secret("rocketchat_token_id", orFile: "rocketchat_token_id_file")
            if let own = reader.optional("rocketchat_api_url", .urlString) { url = own }
        }
    }
}

extension Format where Value == [Label] {
    fileprivate static var rocketChatAction: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "a rocketchat action", diagnostics)
            defer { reader.finish() }
            // There are buttons only, whatever is said.
            _ = reader.text("type")
            reader.ignore("imageurl", "iswebview", "webviewheightratio", "msginchatwindow", "msgprocessingtype")
            return ["text", "url", "msg"].map { Label($0, reader.template($0)) }
        }
    }
}
