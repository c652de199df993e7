package import Transport
package import YAML

/// What `global` says for all sinks that say nothing themselves: Alertmanager's keys.
package struct SinkGlobals: Sendable, Equatable {
    package var http: HTTPSettings
    package var email: EmailGlobals
    package var slack: SlackGlobals
    /// Where PagerDuty takes events.
    package var pagerDutyURL: URLString?

    package init() {
        http = HTTPSettings()
        email = EmailGlobals()
        slack = SlackGlobals()
        pagerDutyURL = Self.pagerDutyStandardURL
    }

    private static var pagerDutyStandardURL: URLString {
        do throws(TransportError) {
            return try URLString("https://events.pagerduty.com/v2/enqueue")
        } catch {
            preconditionFailure("PagerDuty's own URL is malformed")
        }
    }

    /// Reads its keys; whoever made the reader reads the rest of `global` and finishes it.
    package init(_ reader: MappingReader) {
        http = reader.value("http_config", .nested(HTTPSettings.init), default: HTTPSettings())
        email = EmailGlobals(reader)
        slack = SlackGlobals(reader)
        pagerDutyURL = reader.optional("pagerduty_url", .urlString) ?? Self.pagerDutyStandardURL
    }
}
