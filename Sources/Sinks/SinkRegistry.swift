import Streams
package import YAML

/// Which kinds of sinks there are. A new one is one line here.
package enum SinkRegistry {
    package static let standard: [any ConfigurableSink.Type] = [
        EmailSink.self, SlackSink.self, PagerDutySink.self, WebhookSink.self, OpsgenieSink.self,
        VictorOpsSink.self, TelegramSink.self, DiscordSink.self, MSTeamsSink.self, MSTeamsV2Sink.self,
        PushoverSink.self, WebexSink.self, MattermostSink.self, RocketChatSink.self, IncidentIOSink.self, JiraSink.self,
        WeChatSink.self, SNSSink.self, FileSink.self, CommandSink.self,
    ]

    /// The sinks of one receiver, from the lists among its keys, in the order of the registry. Whoever made the reader reads
    /// the receiver's name and finishes it.
    ///
    /// `enabled: false`, Tocsin's own key of every kind, switches one integration off; it is checked like the others.
    package static func sinks(
        _ reader: MappingReader, _ globals: SinkGlobals, kinds: [any ConfigurableSink.Type] = standard
    ) -> [SinkSettings] {
        return kinds.flatMap { settings($0, reader, globals) }
    }

    private static func settings<Kind: ConfigurableSink>(
        _ kind: Kind.Type, _ reader: MappingReader, _ globals: SinkGlobals
    ) -> [SinkSettings] {
        reader.list(Kind.key, of: Format { item, _ in item }).enumerated()
            .compactMap { index, item in
                let isEnabled =
                    item["enabled"].flatMap { $0.isNull ? true : Format<Bool>.bool.decode($0, reader.diagnostics) }
                    ?? true
                let settings = Kind.settings(item.removing("enabled"), globals, reader.diagnostics)
                return isEnabled ? settings.map { SinkSettings(kind, $0, index: index) } : nil
            }
    }
}
