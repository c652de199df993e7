package import Transport
package import YAML

/// What `global` says for all sinks that say nothing themselves: Alertmanager's keys.
package struct SinkGlobals: Sendable, Equatable {
    package var http = HTTPSettings()
    package var email = EmailGlobals()
    package var slack = SlackGlobals()
    /// Where PagerDuty takes events.
    package var pagerDutyURL = URLString.known("https://events.pagerduty.com/v2/enqueue")
    package var opsgenie = OpsgenieSink.Globals()
    package var victorOps = VictorOpsSink.Globals()
    package var telegram = TelegramSink.Globals()
    /// Where Webex takes messages.
    package var webexURL = URLString.known("https://webexapis.com/v1/messages")
    /// Jira's API; there is none by itself.
    package var jiraURL: URLString?
    package var weChat = WeChatSink.Globals()
    package var mattermost = MattermostSink.Globals()
    package var rocketChat = RocketChatSink.Globals()

    package init() {}

    /// Reads its keys; whoever made the reader reads the rest of `global` and finishes it.
    package init(_ reader: MappingReader) {
        http = reader.value("http_config", .nested(HTTPSettings.init), default: HTTPSettings())
        email = EmailGlobals(reader)
        slack = SlackGlobals(reader)
        if let url = reader.optional("pagerduty_url", .urlString) { pagerDutyURL = url }
        opsgenie = OpsgenieSink.Globals(reader)
        victorOps = VictorOpsSink.Globals(reader)
        telegram = TelegramSink.Globals(reader)
        if let url = reader.optional("webex_api_url", .urlString) { webexURL = url }
        jiraURL = reader.optional("jira_api_url", .urlString)
        weChat = WeChatSink.Globals(reader)
        mattermost = MattermostSink.Globals(reader)
        rocketChat = RocketChatSink.Globals(reader)
    }
}
