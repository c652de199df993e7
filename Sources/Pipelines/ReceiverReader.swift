internal import Sinks
internal import Streams
internal import YAML

/// Reads receivers: a name, and lists of integrations by kind.
struct ReceiverReader {
    let kinds: [any ConfigurableSink.Type]
    let globals: SinkGlobals

    func read(_ node: Node, _ diagnostics: Diagnostics) -> ReceiverPlan {
        let reader = MappingReader(node, "a receiver", diagnostics)
        let name = reader.required("name", .nonEmptyText, or: "")
        let sinks = SinkRegistry.sinks(reader, globals, kinds: kinds)
        reader.notSupportedYet("labels")
        reader.finish()
        return ReceiverPlan(name: name, sinks: sinks, origin: Origin((node["name"] ?? node).location))
    }
}

extension Format where Value == Node {
    /// The node as it is, for someone else to read.
    static var node: Format<Node> { Format { node, _ in node } }
}
