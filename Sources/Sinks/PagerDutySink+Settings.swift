import Streams
import Transport
package import YAML

extension PagerDutySink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a pagerduty config"

        /// Which of PagerDuty's Events APIs.
        enum API: Equatable, Sendable {
            case v1, v2

            var keyName: String { self == .v1 ? "the service key" : "the routing key" }
        }

        /// Templates, by the names of the API.
        struct Texts: Equatable, Sendable {
            var client = "", clientURL = "", description = "", severity = "", source = ""
            var eventClass = "", component = "", group = ""
        }

        /// A link or an image: member names with their templates.
        struct Attachment: Equatable, Sendable {
            var members: [Label]
        }

        package var service: ServiceSettings
        var api: API
        var key: SecretText
        var url: URLString
        var texts: Texts
        /// In order of their names.
        var details: [TemplateTree.Member]
        var links: [Attachment]
        var images: [Attachment]

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            texts = Texts(reader)
            details = Self.details(reader)
            links = reader.list("links", of: .attachment("a pagerduty link", ["href", "text"]))
            images = reader.list("images", of: .attachment("a pagerduty image", ["src", "href", "alt"]))
            let serviceKey = Self.key(reader, "service_key", "service_key_file")
            let routingKey = Self.key(reader, "routing_key", "routing_key_file")
            api = serviceKey == nil ? .v2 : .v1
            url = Self.url(reader, globals, api)
            guard let key = serviceKey ?? routingKey else {
                if reader.filled("routing_key") == nil {
                    reader.report(.missingKey("routing_key", in: Self.title), at: "routing_key")
                }
                return nil
            }
            self.key = key
        }

        private static func key(_ reader: MappingReader, _ key: String, _ fileKey: String) -> SecretText? {
            let name = key.replacing("_", with: " ")
            let secret = reader.secret(key, orFile: fileKey)
            reader.checkSecretTemplate(secret, key, "the \(name)'s template is malformed")
            if case .text(let text) = secret, text.reveal().allSatisfy(\.isWhitespace) {
                reader.report(.invalid("the \(name) is empty"), at: key)
            }
            return secret
        }

        /// Version 1 has an address of its own, whatever is said of that of version 2.
        private static func url(_ reader: MappingReader, _ globals: SinkGlobals, _ api: API) -> URLString {
            let own = reader.optional("url", .urlString)
            guard api == .v1 else { return own ?? globals.pagerDutyURL }
            if let own, !own.pathAndQuery.hasPrefix("/v2/") { return own }
            return .known("https://events.pagerduty.com/generic/2010-04-15/create_event.json")
        }

        private static let defaultDetails = [
            "firing": "{{ .Alerts.Firing | toJson }}", "resolved": "{{ .Alerts.Resolved | toJson }}",
            "num_firing": "{{ .Alerts.Firing | len }}", "num_resolved": "{{ .Alerts.Resolved | len }}",
        ]

        private static func details(_ reader: MappingReader) -> [TemplateTree.Member] {
            var details = defaultDetails.mapValues { TemplateTree.text($0) }
            for member in reader.value("details", .templateMembers, default: []) { details[member.name] = member.tree }
            return details.sorted { $0.key < $1.key }.map { TemplateTree.Member($0.key, $0.value) }
        }
    }
}

extension PagerDutySink.Settings.Texts {
    fileprivate init(_ reader: MappingReader) {
        client = reader.template("client", calling: "pagerduty.default.client")
        clientURL = reader.template("client_url", calling: "pagerduty.default.clientURL")
        description = reader.template("description", calling: "pagerduty.default.description")
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
