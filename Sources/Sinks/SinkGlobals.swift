package import Transport
package import YAML

/// What `global` says for all sinks that say nothing themselves: Alertmanager's keys.
package struct SinkGlobals: Sendable, Equatable {
    package var http: HTTPSettings
    package var email: EmailGlobals

    package init() {
        http = HTTPSettings()
        email = EmailGlobals()
    }

    /// Reads its keys; whoever made the reader reads the rest of `global` and finishes it.
    package init(_ reader: MappingReader) {
        http = reader.value("http_config", .nested(HTTPSettings.init), default: HTTPSettings())
        email = EmailGlobals(reader)
    }
}
