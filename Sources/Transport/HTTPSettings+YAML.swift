package import YAML

extension HTTPSettings {
    /// A mapping of its own: Alertmanager's `http_config`.
    package init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an HTTP config", diagnostics)
        self.init(reader)
        reader.finish()
    }

    /// The keys of an `http_config`, read from the mapping among whose own keys they stand, as in a scrape config. Whoever
    /// made the reader finishes it.
    package init(_ reader: MappingReader) {
        self.init()
        authentication = Self.authentication(reader)
        tls = reader.value("tls_config", .nested(TLSSettings.init), default: TLSSettings())
        proxyURL = reader.filled("proxy_url").flatMap { Format.proxyURL.decode($0, reader.diagnostics) }
        noProxy = reader.text("no_proxy", default: "")
        if !noProxy.isEmpty, proxyURL == nil {
            reader.report(.conflict("\"no_proxy\" is of use only beside \"proxy_url\""), at: "no_proxy")
        }
        reader.notSupportedYet("proxy_connect_header")
        if reader.bool("proxy_from_environment", default: false) {
            reader.notSupportedYet("proxy_from_environment")
        }
        followsRedirects = reader.bool("follow_redirects", default: true)
        http2 = reader.bool("enable_http2", default: true)
        headers = reader.value("http_headers", .headers, default: [])
    }

    private static func authentication(_ reader: MappingReader) -> Authentication? {
        reader.notSupportedYet("oauth2")
        reader.exclusive("basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file")
        let basic = reader.optional("basic_auth", .nested(Self.basic))
        let authorization = reader.optional("authorization", .nested(Self.authorization))
        let bearer = SecretText(reader, "bearer_token", "bearer_token_file")
        if let basic { return basic }
        if let authorization { return authorization }
        return bearer.map { .credentials(scheme: "Bearer", $0) }
    }

    private static func basic(_ node: Node, _ diagnostics: Diagnostics) -> Authentication? {
        let reader = MappingReader(node, "a basic_auth", diagnostics)
        defer { reader.finish() }
        let user = SecretText(reader, "username", "username_file") ?? SecretText("")
        return .basic(user: user, password: SecretText(reader, "password", "password_file") ?? SecretText(""))
    }

    private static func authorization(_ node: Node, _ diagnostics: Diagnostics) -> Authentication? {
        let reader = MappingReader(node, "an authorization", diagnostics)
        defer { reader.finish() }
        let scheme = reader.filled("type").flatMap { Format.text.decode($0, diagnostics) } ?? "Bearer"
        if scheme.lowercased() == "basic" {
            reader.report(.invalid("the type can't be \"basic\"; use \"basic_auth\" instead"), at: "type")
        } else if !HTTPField.isToken(scheme) {
            reader.report(.invalid("the type must be one word, such as Bearer"), at: "type")
        }
        let credentials = SecretText(reader, "credentials", "credentials_file")
        // Without credentials there is nothing to say, as for the peers.
        return credentials.map { .credentials(scheme: scheme, $0) }
    }
}

extension SecretText {
    /// From one of two keys: the secret itself, or the path of its file. Nil when neither is there.
    package init?(_ reader: MappingReader, _ key: String, _ fileKey: String) {
        reader.exclusive(key, fileKey)
        let secret = reader.optional(key, .secret)
        let file = reader.optional(fileKey, .path)
        if let secret {
            self = .text(secret)
        } else if let file {
            self = .file(file)
        } else {
            return nil
        }
    }
}

extension Format where Value == [HTTPSettings.Header] {
    /// `http_headers`: names, each with `values`, `secrets` and `files`.
    static var headers: Format {
        Format { node, diagnostics in
            guard let entries = node.entries else {
                diagnostics.report(.expected("a mapping of headers", found: node.summary), at: node)
                return nil
            }
            return entries.flatMap { entry in
                let name = entry.key.scalar?.text ?? ""
                if !HTTPField.isToken(name) {
                    diagnostics.report(.invalid("\(entry.key.summary) can't be the name of a header"), at: entry.key)
                } else if reserved.contains(name.lowercased()) {
                    diagnostics.report(.invalid("the header \(name) can't be set here"), at: entry.key)
                }
                let reader = MappingReader(entry.value, "a header", diagnostics)
                defer { reader.finish() }
                let plain = reader.list("values", of: .headerValue) + reader.list("secrets", of: .headerValue)
                let files = reader.list("files", of: .path)
                return plain.map { HTTPSettings.Header(name, SecretText($0)) }
                    + files.map { HTTPSettings.Header(name, .file($0)) }
            }
        }
    }

    /// Those that mean something to the engine itself, or have keys of their own.
    private static var reserved: Set<String> {
        [
            "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent", "connection",
            "keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate", "accept-encoding",
            "transfer-encoding", "expect", "x-prometheus-remote-write-version", "x-prometheus-remote-read-version",
            "x-prometheus-scrape-timeout-seconds",
        ]
    }
}

extension Format where Value == String {
    /// A header's value; it may be a secret and is never shown.
    static var headerValue: Format {
        Format { node, diagnostics in
            guard let text = node.text, HTTPField.isValue(text) else {
                diagnostics.report(.expected("text without line breaks", found: "something else"), at: node)
                return nil
            }
            return text
        }
    }
}

extension Format where Value == URLString {
    /// An http or https URL. It may hold a password, so errors never show it.
    package static var httpURL: Format {
        Format { node, diagnostics in
            guard let text = Format<String>.url().decode(node, diagnostics) else { return nil }
            do throws(TransportError) {
                return try URLString(text)
            } catch {
                diagnostics.report(.invalid("\(error)"), at: node)
                return nil
            }
        }
    }
}
