import Streams
import Transport
import YAML

extension SlackSink {
    package struct Settings: Equatable, Sendable {
        enum Access: Equatable, Sendable {
            case webhook(SecretURL)
            /// A bot token, and the API's method URL.
            case app(SecretText, URLString)
        }

        /// Templates, by Slack's names.
        struct Texts: Equatable, Sendable {
            var channel = "", username = "", color = "", title = "", titleLink = "", pretext = "", text = ""
            var fallback = "", callbackID = "", iconEmoji = "", iconURL = "", imageURL = "", thumbURL = "", footer = ""
            var messageText = ""
        }

        struct Action: Equatable, Sendable {
            /// Slack's member names with their templates.
            var members: [(name: String, template: String)]
            var confirm: [(name: String, template: String)]

            static func == (left: Self, right: Self) -> Bool {
                left.members.elementsEqual(right.members, by: ==) && left.confirm.elementsEqual(right.confirm, by: ==)
            }
        }

        var access: Access
        var texts: Texts
        var fields: [MessageField]
        var actions: [Action]
        var markdownIn: [String]
        var linksNames: Bool
        var http: HTTPSettings
        var sendsResolved: Bool
        var timeout: Duration
    }
}

extension SlackSink.Settings {
    init?(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a slack config", diagnostics)
        defer { reader.finish() }
        reader.exclusive("api_url", "api_url_file", "app_token", "app_token_file")
        reader.notSupportedYet("update_message")
        let shortFields = reader.bool("short_fields", default: false)
        fields = reader.list("fields", of: .messageField("a slack field", isShort: shortFields))
        actions = reader.list("actions", of: .slackAction).compactMap(\.self)
        markdownIn = reader.value("mrkdwn_in", .list(of: .text), default: ["fallback", "pretext", "text"])
        linksNames = reader.bool("link_names", default: false)
        http = reader.value("http_config", .nested(HTTPSettings.init), default: globals.http)
        sendsResolved = reader.bool("send_resolved", default: false)
        timeout = reader.deliveryTimeout()
        texts = Texts(reader)
        guard let access = Self.access(reader, globals) else { return nil }
        self.access = access
    }

    private static func access(_ reader: MappingReader, _ globals: SinkGlobals) -> Access? {
        let url = SecretURL(reader, "api_url", "api_url_file")
        let token = SecretText(reader, "app_token", "app_token_file")
        let appURL = reader.optional("app_url", .urlString) ?? globals.slack.appURL
        if let url { return .webhook(url) }
        if let token = token ?? (globals.slack.url == nil ? globals.slack.appToken : nil) {
            if !reader.isPresent("channel") {
                reader.report(.missingKey("channel", in: "a slack config with a token"), at: "channel")
            }
            return .app(token, appURL)
        }
        if let url = globals.slack.url { return .webhook(url) }
        reader.report(
            .invalid("no Slack access: set \"api_url\" or \"app_token\" here, or \"slack_api_url\" in global"),
            at: "api_url")
        return nil
    }
}

extension SlackSink.Settings.Texts {
    fileprivate init(_ reader: MappingReader) {
        channel = reader.template("channel")
        username = reader.template("username", #"{{ template "slack.default.username" . }}"#)
        color = reader.template("color", #"{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}"#)
        title = reader.template("title", #"{{ template "slack.default.title" . }}"#)
        titleLink = reader.template("title_link", #"{{ template "slack.default.titlelink" . }}"#)
        pretext = reader.template("pretext", #"{{ template "slack.default.pretext" . }}"#)
        text = reader.template("text", #"{{ template "slack.default.text" . }}"#)
        fallback = reader.template("fallback", #"{{ template "slack.default.fallback" . }}"#)
        callbackID = reader.template("callback_id", #"{{ template "slack.default.callbackid" . }}"#)
        iconEmoji = reader.template("icon_emoji", #"{{ template "slack.default.iconemoji" . }}"#)
        iconURL = reader.template("icon_url", #"{{ template "slack.default.iconurl" . }}"#)
        imageURL = reader.template("image_url")
        thumbURL = reader.template("thumb_url")
        footer = reader.template("footer", #"{{ template "slack.default.footer" . }}"#)
        messageText = reader.template("message_text")
    }
}

extension Format where Value == SlackSink.Settings.Action? {
    fileprivate static var slackAction: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "a slack action", diagnostics)
            defer { reader.finish() }
            var members: [(name: String, template: String)] = []
            for key in ["type", "text", "url", "style", "name", "value"] {
                if let template = reader.optional(key, .template), !template.isEmpty { members.append((key, template)) }
            }
            let names = members.map(\.name)
            for key in ["type", "text"] where !names.contains(key) {
                reader.report(.missingKey(key, in: "a slack action"), at: key)
            }
            if !names.contains("url"), !names.contains("name") {
                reader.report(.invalid("a slack action needs \"url\" or \"name\""), at: "url")
            }
            let confirm = reader.optional("confirm", .slackConfirmation) ?? []
            // A link is no message action: what belongs to those is left out, as Alertmanager does.
            if names.contains("url") {
                members.removeAll { $0.name == "name" || $0.name == "value" }
                return SlackSink.Settings.Action(members: members, confirm: [])
            }
            return SlackSink.Settings.Action(members: members, confirm: confirm)
        }
    }
}

extension Format where Value == [(name: String, template: String)] {
    fileprivate static var slackConfirmation: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "a slack confirmation", diagnostics)
            defer { reader.finish() }
            if !reader.isPresent("text") { reader.report(.missingKey("text", in: "a slack confirmation"), at: "text") }
            return ["title", "text", "ok_text", "dismiss_text"].compactMap { key in
                reader.optional(key, .template).map { (key, $0) }
            }
        }
    }
}

extension Format where Value == URLString {
    /// An HTTP URL, taken apart.
    static var urlString: Format {
        Format { node, diagnostics in
            guard let text = node.text else {
                diagnostics.report(.expected("a URL", found: node.summary), at: node)
                return nil
            }
            do throws(TransportError) {
                return try URLString(text)
            } catch {
                diagnostics.report(.invalid(error.description), at: node)
                return nil
            }
        }
    }
}

/// The `slack_` keys of `global`.
package struct SlackGlobals: Sendable, Equatable {
    var url: SecretURL?
    var appToken: SecretText?
    /// The method of the Web API that posts a message.
    var appURL = URLString.known("https://slack.com/api/chat.postMessage")

    package init() {}

    init(_ reader: MappingReader) {
        self.init()
        reader.exclusive("slack_api_url", "slack_api_url_file")
        url = SecretURL(reader, "slack_api_url", "slack_api_url_file")
        appToken = SecretText(reader, "slack_app_token", "slack_app_token_file")
        if let own = reader.optional("slack_app_url", .urlString) { appURL = own }
        // The API's method as the URL of all, with tokens in each http_config, is how it was done before there were tokens.
        if url != nil, appToken != nil, reader.text("slack_api_url") != appURL.text {
            reader.report(
                .conflict("\"slack_app_token\" and \"slack_api_url\" exclude each other in global; leave one"),
                at: "slack_app_token")
        }
    }
}
