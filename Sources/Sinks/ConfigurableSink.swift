package import Streams
package import YAML

/// A kind of sink that a receiver can have: its settings come from the file, the sink from its settings and the program.
package protocol ConfigurableSink: Sink {
    /// Equal settings make equal sinks: one whose settings a reload leaves as they were goes on running.
    associatedtype Settings: Equatable & Sendable

    /// Reads one item of the list under `key`. Problems go to the diagnostics; nil when there are no settings to speak of.
    static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings?
    init(_ settings: Settings, _ context: SinkContext)
}

/// The settings of a sink of some kind, ready to become one.
package struct SinkSettings: Sendable, Equatable {
    /// The key under which they stood: `email_configs`.
    package let key: String
    /// Its place in the list under the key, as Alertmanager counts integrations; those that are off keep their place.
    package let index: Int
    private let value: any Equatable & Sendable
    private let equals: @Sendable (any Equatable & Sendable) -> Bool
    private let make: @Sendable (SinkContext) -> any Sink

    package init<Kind: ConfigurableSink>(_ kind: Kind.Type, _ settings: Kind.Settings, index: Int = 0) {
        key = Kind.key
        self.index = index
        value = settings
        equals = { $0 as? Kind.Settings == settings }
        make = { Kind(settings, $0) }
    }

    /// `email`, as Alertmanager names the integration.
    package var integration: String { key.hasSuffix("_configs") ? String(key.dropLast("_configs".count)) : key }

    package func sink(_ context: SinkContext) -> any Sink { make(context) }

    package static func == (left: Self, right: Self) -> Bool {
        left.key == right.key && left.index == right.index && left.equals(right.value)
    }
}
