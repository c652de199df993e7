package import Streams
import Transport
package import YAML

/// Creates, updates and closes alerts by Opsgenie's Alert API (docs.opsgenie.com/docs/alert-api). The group's hash is the
/// alert's alias, so a repeated request changes nothing.
package struct OpsgenieSink: ServiceSink {
    package static let key = "opsgenie_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let key = try context.secret(settings.key, "the API key", notification)
        var service = settings.service
        service.http.authentication = .credentials(scheme: "GenieKey", .text(key))
        for request in try requests(notification) {
            let answer = try await context.send(request, service)
            try context.judge(answer, of: "Opsgenie")
        }
    }

    /// Documented bounds, in characters.
    private enum Limit {
        static let message = 130, description = 15_000, source = 100, entity = 512, note = 25_000, details = 8_000
        static let tags = 20, actions = 10, word = 50
    }

    private func requests(_ notification: Notification) throws(DeliveryError) -> [ServiceRequest] {
        let alias = notification.groupHash
        let url: (String, HTTPRequest.Method, JSONValue) throws(DeliveryError) -> ServiceRequest = {
            (action, method, document) throws(DeliveryError) in
            let url = try context.url(
                settings.url, ["v2", "alerts", alias, action], query: [("identifierType", "alias")])
            return ServiceRequest(method, url, .json(document))
        }
        if notification.status == .resolved {
            var filled = FilledTexts(notification, context.renderer)
            let source = filled.text(settings.texts.source).truncated(toScalars: Limit.source)
            return [try url("close", .post, ["source": .string(source)])]
        }
        let alert = self.alert(notification)
        var requests = [ServiceRequest(.post, try context.url(settings.url, ["v2", "alerts"]), .json(alert))]
        if settings.updatesAlerts {
            for name in ["message", "description"] {
                let text: JSONValue = .object(alert[name].map { [.init(name, $0)] } ?? [])
                requests.append(try url(name, .put, text))
            }
        }
        return requests
    }

    func alert(_ notification: Notification) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        let texts = settings.texts
        var details = notification.commonLabels
        for (name, template) in settings.details.map({ ($0.name, $0.value) }) { details[name] = filled.text(template) }
        let responders = settings.responders.flatMap { self.responders($0, &filled) }
        var alert: [JSONValue.Member] = [
            .init("alias", .string(notification.groupHash)),
            .init("message", .string(filled.title(texts.message, scalarsMax: Limit.message))),
            .init("details", Self.details(details)),
            .init("source", .string(filled.text(texts.source).truncated(toScalars: Limit.source))),
        ]
        if !responders.isEmpty { alert.append(.init("responders", .array(responders))) }
        alert.add("tags", words(texts.tags, atMost: Limit.tags, &filled))
        alert.add("note", filled.text(texts.note).truncated(toScalars: Limit.note))
        alert.add("priority", filled.text(texts.priority))
        alert.add("entity", filled.text(texts.entity).truncated(toScalars: Limit.entity))
        alert.add("actions", words(texts.actions, atMost: Limit.actions, &filled))
        alert.add("description", filled.mainText(texts.description, scalarsMax: Limit.description))
        return .object(alert)
    }

    /// Names and values together are bounded; the last ones are cut.
    private static func details(_ details: LabelSet) -> JSONValue {
        var left = Limit.details
        var members: [JSONValue.Member] = []
        for label in details {
            left -= label.name.unicodeScalars.count
            guard left > 0 else { break }
            let value = label.value.truncated(toScalars: left)
            left -= value.unicodeScalars.count
            members.append(.init(label.name, .string(value)))
        }
        return .object(members)
    }

    /// A text with commas as a list.
    private func words(_ template: String, atMost count: Int, _ filled: inout FilledTexts) -> [JSONValue] {
        filled.text(template).split(separator: ",").map { $0.trimmed.truncated(toScalars: Limit.word) }
            .filter { !$0.isEmpty }.prefix(count).map { .string($0) }
    }

    /// None where everything about it is empty once filled in; `teams` is a list of the names of teams.
    private func responders(_ responder: Settings.Responder, _ filled: inout FilledTexts) -> [JSONValue] {
        let type = filled.text(responder.type).lowercased()
        var members: [JSONValue.Member] = []
        for (name, template) in responder.members.map({ ($0.name, $0.value) }) {
            members.add(name, filled.text(template))
        }
        guard !members.isEmpty else { return [] }
        if type == "teams" {
            let names = members.first { $0.name == "name" }?.value.string ?? ""
            return names.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
                .map { ["name": .string($0), "type": "team"] }
        }
        return [.object(members + [.init("type", .string(type))])]
    }
}

extension OpsgenieSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "an opsgenie config"
        package var service: ServiceSettings
        var key: SecretText
        var url: URLString
        var texts: Texts
        var details: [Label]
        var responders: [Responder]
        var updatesAlerts: Bool

        /// Templates, by the names of the API. Tags and actions are lists with commas.
        struct Texts: Equatable, Sendable {
            var message: String, description: String, source: String
            var entity: String, actions: String, tags: String, note: String, priority: String
        }

        /// Whom an alert is for: `id`, `name` and `username` as far as they are there, and what that is; all templates.
        struct Responder: Equatable, Sendable {
            var members: [Label]
            var type: String
        }

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            texts = Texts(
                message: reader.template("message", calling: "opsgenie.default.message"),
                description: reader.template("description", calling: "opsgenie.default.description"),
                source: reader.template("source", calling: "opsgenie.default.source"),
                entity: reader.template("entity"), actions: reader.template("actions"), tags: reader.template("tags"),
                note: reader.template("note"), priority: reader.template("priority"))
            details = reader.value("details", .templateList, default: [])
            responders = reader.list("responders", of: .opsgenieResponder)
            updatesAlerts = reader.bool("update_alerts", default: false)
            url = reader.optional("api_url", .urlString) ?? globals.opsgenie.url
            let own = reader.secret("api_key", orFile: "api_key_file")
            reader.checkSecretTemplate(own, "api_key", "the API key's template is malformed")
            guard let key = own ?? globals.opsgenie.key else {
                reader.report(
                    .invalid("no Opsgenie API key: set \"api_key\" here, or \"opsgenie_api_key\" in global"),
                    at: "api_key")
                return nil
            }
            self.key = key
        }
    }

    /// The `opsgenie_` keys of `global`.
    package struct Globals: Sendable, Equatable {
        var url = URLString.known("https://api.opsgenie.com/")
        var key: SecretText?

        package init() {}

        init(_ reader: MappingReader) {
            key = reader.secret("opsgenie_api_key", orFile: "opsgenie_api_key_file")
            if let own = reader.optional("opsgenie_api_url", .urlString) { url = own }
        }
    }
}

extension Format where Value == OpsgenieSink.Settings.Responder {
    private static let types = ["team", "teams", "user", "escalation", "schedule"]

    fileprivate static var opsgenieResponder: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "an opsgenie responder", diagnostics)
            defer { reader.finish() }
            let members = ["id", "name", "username"].compactMap { key in
                reader.optional(key, .template).flatMap { $0.isEmpty ? nil : Label(key, $0) }
            }
            if members.isEmpty {
                reader.report(.invalid("a responder needs an \"id\", a \"name\" or a \"username\""), at: "name")
            }
            let type = reader.template("type")
            if !type.contains("{{"), !types.contains(type.lowercased()) {
                reader.report(
                    .invalid("a responder's type is team, teams, user, escalation or schedule"), at: "type")
            }
            return OpsgenieSink.Settings.Responder(members: members, type: type)
        }
    }
}
