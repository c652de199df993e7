import Streams
import Transport
package import YAML

extension EmailSink {
    package static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        let reader = MappingReader(node, "an email config", diagnostics)
        defer { reader.finish() }
        let global = globals.email
        var settings = Settings()
        settings.sendsResolved = reader.bool("send_resolved", default: false)
        settings.to = reader.required("to", .address, or: "")
        settings.from = inherited(reader, "from", .address, global.from, "smtp_from") ?? ""
        settings.server =
            inherited(reader, "smarthost", .smarthost, global.smarthost, "smtp_smarthost") ?? settings.server
        settings.hello = reader.helloName("hello") ?? global.hello
        authentication(reader, global, &settings)
        settings.headers = reader.value("headers", .mailHeaders, default: [])
        settings.html = reader.value("html", .template, default: settings.html)
        settings.text = reader.optional("text", .template)
        settings.requiresTLS = reader.bool("require_tls", default: global.requiresTLS)
        settings.tls = reader.optional("tls_config", .nested(TLSSettings.init)) ?? global.tls
        settings.implicitTLS =
            reader.optional("force_implicit_tls", .bool) ?? global.implicitTLS ?? (settings.server.port == 465)
        settings.threading = reader.optional("threading", .nested(threading)) ?? nil
        return settings
    }

    private static func inherited<Value>(
        _ reader: MappingReader, _ key: String, _ format: Format<Value>, _ global: Value?, _ globalKey: String
    ) -> Value? {
        if let node = reader.filled(key) { return format.decode(node, reader.diagnostics) }
        if global == nil {
            reader.report(
                .invalid("an email config needs \"\(key)\", or \"\(globalKey)\" in the global section"), at: key)
        }
        return global
    }

    private static func authentication(_ reader: MappingReader, _ global: EmailGlobals, _ settings: inout Settings) {
        settings.user = reader.text("auth_username").flatMap { $0.isEmpty ? nil : $0 } ?? global.user
        settings.password = SecretText(reader, "auth_password", "auth_password_file") ?? global.password
        settings.identity = reader.text("auth_identity").flatMap { $0.isEmpty ? nil : $0 } ?? global.identity
        settings.sharedSecret = SecretText(reader, "auth_secret", "auth_secret_file") ?? global.sharedSecret
        for (key, text) in [("auth_username", settings.user), ("auth_identity", settings.identity)]
        where text.utf8.contains(0) {
            reader.report(.invalid("\"\(key)\" holds a zero byte"), at: key)
        }
    }

    private static func threading(_ node: Node, _ diagnostics: Diagnostics) -> Threading? {
        let reader = MappingReader(node, "a threading", diagnostics)
        defer { reader.finish() }
        let isEnabled = reader.bool("enabled", default: false)
        let by = reader.value("thread_by_date", .text(oneOf: ["daily", "none"]), default: "daily")
        return isEnabled ? Threading(isDaily: by == "daily") : nil
    }
}

extension MappingReader {
    /// Nil where nothing is said.
    func helloName(_ key: String) -> String? { filled(key).flatMap { Format.helloName.decode($0, diagnostics) } }
}

extension Format where Value == String {
    /// A template of one address or several.
    fileprivate static var address: Format { Format.template.checked { $0.isEmpty ? "must not be empty" : nil } }

    /// What a client calls itself: one word.
    static var helloName: Format {
        Format.nonEmptyText.checked { name in
            name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f } && name.utf8.count <= 255
                ? nil : "the name after EHLO is one word"
        }
    }
}

extension Format where Value == [EmailSink.Header] {
    /// Names to templates; a name once, in whatever case.
    static var mailHeaders: Format {
        Format { node, diagnostics in
            guard let entries = Format<[(key: Node, value: String)]>.mapping(of: .template).decode(node, diagnostics)
            else { return nil }
            var seen: Set<String> = []
            return entries.compactMap { entry in
                let name = entry.key.scalar?.text ?? ""
                if !MailHeader.isName(name) {
                    diagnostics.report(.invalid("\(entry.key.summary) can't be the name of a header"), at: entry.key)
                } else if fixed.contains(name.lowercased()) {
                    diagnostics.report(.invalid("the header \(name) is Tocsin's own"), at: entry.key)
                } else if !seen.insert(name.lowercased()).inserted {
                    diagnostics.report(.invalid("the header \(name) stands here twice"), at: entry.key)
                }
                return EmailSink.Header(name: name, template: entry.value)
            }
        }
    }

    private static var fixed: Set<String> { ["mime-version", "content-type", "content-transfer-encoding"] }
}
