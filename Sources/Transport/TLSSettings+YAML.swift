import Streams
package import YAML

extension TLSSettings {
    /// Prometheus's `tls_config`.
    package init(_ node: Node, _ diagnostics: Diagnostics) {
        self.init()
        let reader = MappingReader(node, "a TLS config", diagnostics)
        authorities = PEM(reader, "ca", "ca_file")
        certificate = PEM(reader, "cert", "cert_file")
        key = PEM(reader, "key", "key_file")
        if certificate != nil, key == nil {
            reader.report(.invalid("a client certificate needs its key: set \"key\" or \"key_file\""), at: "cert_file")
        }
        if key != nil, certificate == nil {
            reader.report(
                .invalid("a client's key needs its certificate: set \"cert\" or \"cert_file\""), at: "key_file")
        }
        serverName = reader.optional("server_name", .text).flatMap { $0.isEmpty ? nil : $0 }
        if let name = serverName, !name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }) {
            reader.report(.invalid("a server's name holds no spaces and no slashes"), at: "server_name")
        }
        skipsVerification = reader.bool("insecure_skip_verify", default: false)
        versionMin = reader.value("min_version", .tlsVersion, default: .tls12)
        versionMax = reader.optional("max_version", .tlsVersion)
        if let versionMax, versionMax < versionMin {
            reader.report(.invalid("max_version is below min_version (TLS12 unless set)"), at: "max_version")
        }
        reader.finish()
    }
}

extension TLSSettings.PEM {
    init?(_ reader: MappingReader, _ key: String, _ fileKey: String) {
        switch SecretText(reader, key, fileKey) {
        case .text(let text): self = .text(text)
        case .file(let path): self = .file(path)
        case nil: return nil
        }
    }
}

extension Format where Value == TLSSettings.Version {
    static var tlsVersion: Format {
        let versions: [String: TLSSettings.Version] = [
            "TLS10": .tls10, "TLS11": .tls11, "TLS12": .tls12, "TLS13": .tls13,
        ]
        return .scalar("TLS10, TLS11, TLS12 or TLS13") { versions[$0.text] }
    }
}
