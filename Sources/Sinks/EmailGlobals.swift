package import Transport
import YAML

/// The `smtp_` keys of `global`, and the defaults of Alertmanager.
package struct EmailGlobals: Sendable, Equatable {
    package var from: String?
    package var smarthost: Smarthost?
    package var hello = "localhost"
    package var user = ""
    package var password: SecretText?
    package var identity = ""
    package var sharedSecret: SecretText?
    package var requiresTLS = true
    package var implicitTLS: Bool?
    package var tls = TLSSettings()

    package init() {}

    init(_ reader: MappingReader) {
        from = reader.text("smtp_from").flatMap { $0.isEmpty ? nil : $0 }
        smarthost = reader.filled("smtp_smarthost").flatMap { Format.smarthost.decode($0, reader.diagnostics) }
        hello = reader.helloName("smtp_hello") ?? "localhost"
        user = reader.text("smtp_auth_username", default: "")
        password = SecretText(reader, "smtp_auth_password", "smtp_auth_password_file")
        identity = reader.text("smtp_auth_identity", default: "")
        sharedSecret = SecretText(reader, "smtp_auth_secret", "smtp_auth_secret_file")
        requiresTLS = reader.bool("smtp_require_tls", default: true)
        implicitTLS = reader.optional("smtp_force_implicit_tls", .bool)
        tls = reader.value("smtp_tls_config", .nested(TLSSettings.init), default: TLSSettings())
    }
}

/// A mail server's host and port, as `host:port` or `[address]:port`.
package struct Smarthost: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension Format where Value == Smarthost {
    /// The port stands always; nothing before it is this machine.
    static var smarthost: Format {
        .scalar("a mail server as host:port") { scalar in
            guard let colon = scalar.text.lastIndex(of: ":") else { return nil }
            var host = scalar.text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = host.dropFirst().dropLast()
            } else if host.contains(":") || host.contains("[") || host.contains("]") {
                return nil
            }
            guard let port = Int(scalar.text[scalar.text.index(after: colon)...]), (1...65535).contains(port),
                host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
            else { return nil }
            return Smarthost(host: host.isEmpty ? "localhost" : String(host), port: port)
        }
    }
}
