import Streams
package import Transport
package import YAML

/// What every sink over HTTP is told, whatever its service: the keys that all of them have.
package struct ServiceSettings: Equatable, Sendable {
    package var http: HTTPSettings
    package var sendsResolved: Bool
    /// Of one request.
    package var timeout: Duration

    init(_ reader: MappingReader, _ globals: SinkGlobals, sendsResolved: Bool = true) {
        http = reader.value("http_config", .nested(HTTPSettings.init), default: globals.http)
        self.sendsResolved = reader.bool("send_resolved", default: sendsResolved)
        timeout = reader.deliveryTimeout()
    }
}

/// The settings of a sink over HTTP, read from its mapping.
package protocol ServiceSinkSettings: Equatable, Sendable {
    /// With an article, as errors name it: "a discord config".
    static var title: String { get }
    var service: ServiceSettings { get }
    /// Asks the reader for every key there is. Problems go to its diagnostics; nil when nothing can be sent with what is
    /// there, which is reported too.
    init?(_ reader: MappingReader, _ globals: SinkGlobals)
}

/// A sink that tells a service over HTTP.
package protocol ServiceSink: ConfigurableSink where Settings: ServiceSinkSettings {
    var settings: Settings { get }
}

extension ServiceSink {
    package var sendsResolved: Bool { settings.service.sendsResolved }

    package static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        let reader = MappingReader(node, Settings.title, diagnostics)
        defer { reader.finish() }
        return Settings(reader, globals)
    }
}

extension MappingReader {
    /// A secret, or the path of its file. The empty text says nothing, as for Alertmanager.
    func secret(_ key: String, orFile fileKey: String) -> SecretText? {
        let (text, file) = (filled(key), filled(fileKey))
        if text != nil, file != nil { exclusive(key, fileKey) }
        if let text { return Format.secret.decode(text, diagnostics).map { .text($0) } }
        return file.flatMap { Format.path.decode($0, diagnostics) }.map { .file($0) }
    }

    /// A template that must not be empty. Nil when it is missing, which is reported.
    func requiredTemplate(_ key: String) -> String? {
        guard filled(key) != nil else {
            _ = required(key, .nonEmptyText)
            return nil
        }
        return optional(key, .template)
    }

    /// A template; where the key is absent, a call of the named one.
    func template(_ key: String, calling name: String) -> String {
        template(key, #"{{ template ""# + name + #"" . }}"#)
    }

    /// A URL that is known to be a secret, under one of two keys that have to be there.
    func requiredSecretURL(_ key: String, _ fileKey: String) -> SecretURL? {
        let url = SecretURL(self, key, fileKey)
        if url == nil, filled(key) == nil { _ = required(key, .nonEmptyText) }
        return url
    }
}

extension URLString {
    /// A service's own address, of which it is known that it is one.
    static func known(_ text: String) -> URLString {
        do throws(TransportError) {
            return try URLString(text)
        } catch {
            preconditionFailure("\(text) is malformed")
        }
    }
}
