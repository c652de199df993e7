package import Streams
import Transport
package import YAML

/// Pushes each notification to phones by Pushover (pushover.net/api). What is sent goes in the body, never in the URL,
/// which proxies keep.
package struct PushoverSink: ServiceSink {
    package static let key = "pushover_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let token = try context.secret(settings.token, "the application's token", notification)
        let user = try context.secret(settings.user, "the user's key", notification)
        let fields = [("token", token.reveal()), ("user", user.reveal())] + message(notification)
        let answer = try await context.send(
            ServiceRequest(.post, settings.url, .form(fields), secrets: [token, user]), settings.service)
        try context.judge(answer, of: "Pushover")
    }

    /// Documented bounds, in characters.
    private enum Limit {
        static let title = 250, message = 1024, url = 512, urlTitle = 100
    }

    func message(_ notification: Notification) -> [(name: String, value: String)] {
        var filled = FilledTexts(notification, context.renderer)
        let texts = settings.texts
        var fields = [
            ("title", filled.title(texts.title, scalarsMax: Limit.title)),
            ("url", filled.text(texts.url).truncated(toScalars: Limit.url)),
            ("url_title", filled.text(texts.urlTitle).truncated(toScalars: Limit.urlTitle)),
            ("priority", filled.text(texts.priority, or: "0").trimmed),
            ("retry", String(settings.retry.components.seconds)),
            ("expire", String(settings.expire.components.seconds)),
            ("device", filled.text(texts.device)), ("sound", filled.text(texts.sound)),
        ]
        if settings.timeToLive >= .seconds(1) { fields.append(("ttl", String(settings.timeToLive.components.seconds))) }
        var text: String
        if settings.style == .html, let page = filled.html(texts.message) {
            fields.append(("html", "1"))
            text = Self.cutHTML(page)
        } else if settings.style == .html {
            text = filled.mainText("", scalarsMax: Limit.message)
        } else {
            text = filled.mainText(texts.message, scalarsMax: Limit.message)
        }
        if settings.style == .monospace { fields.append(("monospace", "1")) }
        text = text.trimmed
        // One without a text is refused.
        fields.append(("message", text.isEmpty ? "(no details)" : text))
        return fields
    }

    /// As much of the page as is taken, without the half of a tag or of a character's name at its end.
    private static func cutHTML(_ page: String) -> String {
        guard page.unicodeScalars.count > Limit.message else { return page }
        var text = page.truncated(toScalars: Limit.message)
        for (open, close) in [("<", ">"), ("&", ";")] as [(Character, Character)] {
            guard let start = text.lastIndex(of: open), !text[start...].contains(close) else { continue }
            text = text[..<start] + "…"
        }
        return text
    }
}

extension PushoverSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a pushover config"

        /// How a phone shows the message.
        enum Style: Equatable, Sendable { case plain, html, monospace }

        /// Templates, by the names of the API.
        struct Texts: Equatable, Sendable {
            var title: String, message: String, url: String, urlTitle: String
            var device: String, sound: String, priority: String
        }

        package var service: ServiceSettings
        var user: SecretText
        var token: SecretText
        var url: URLString
        var texts: Texts
        /// Of priority 2: how often, and how long, a phone asks for an acknowledgement.
        var retry: Duration, expire: Duration
        /// Zero: it stays.
        var timeToLive: Duration
        var style: Style

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            texts = Texts(
                title: reader.template("title", calling: "pushover.default.title"),
                message: reader.template("message", calling: "pushover.default.message"),
                url: reader.template("url", calling: "pushover.default.url"), urlTitle: reader.template("url_title"),
                device: reader.template("device"), sound: reader.template("sound"),
                priority: reader.template("priority", #"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#))
            retry = reader.value("retry", .duration(), default: .seconds(60))
            expire = reader.value("expire", .duration(), default: .seconds(3600))
            timeToLive = reader.value("ttl", .duration(), default: .zero)
            url = reader.value("api_url", .urlString, default: .known("https://api.pushover.net/1/messages.json"))
            let isHTML = reader.bool("html", default: false)
            let isMonospace = reader.bool("monospace", default: false)
            if isHTML, isMonospace { reader.exclusive("html", "monospace") }
            style = isHTML ? .html : isMonospace ? .monospace : .plain
            let user = Self.key(reader, "user_key", "user_key_file")
            let token = Self.key(reader, "token", "token_file")
            guard let user, let token else { return nil }
            self.user = user
            self.token = token
        }

        private static func key(_ reader: MappingReader, _ key: String, _ fileKey: String) -> SecretText? {
            let secret = reader.secret(key, orFile: fileKey)
            if secret == nil { reader.report(.missingKey(key, in: title), at: key) }
            reader.checkSecretTemplate(secret, key, "the template of \"\(key)\" is malformed")
            return secret
        }
    }
}
