import Sinks
import Streams
import Templates
import TestKit
import Transport
import YAML

/// What a sink needs to deliver over real sockets, with the templates that ship and a clock that the test turns.
final class SinkBench: Sendable {
    let clock = ManualClock()
    let client = HTTPClient()
    let context: SinkContext

    /// - Parameter environment: what the sinks find there instead of the test's own.
    init(environment: [String: String] = [:]) throws {
        try client.start()
        context = SinkContext(
            http: client, connector: TCPConnector(),
            renderer: TemplateRenderer(try NotificationTemplates(clock: clock)),
            clock: clock, random: { 4 }, allowsCommands: true,
            environment: { environment[$0] })
    }

    /// A started client that is gone when the body returns.
    static func run<Result>(
        environment: [String: String] = [:], _ body: (SinkBench) async throws -> Result
    ) async throws -> Result {
        let bench = try SinkBench(environment: environment)
        do {
            let result = try await body(bench)
            await bench.client.shutdown()
            return result
        } catch {
            await bench.client.shutdown()
            throw error
        }
    }

    struct Wrong: Error, CustomStringConvertible {
        var description: String
    }

    /// A sink of that kind from the text of its settings.
    func sink<Kind: ConfigurableSink>(_ kind: Kind.Type, _ text: String, globals: String = "{}") throws -> Kind {
        let (settings, errors) = try Self.settings(kind, text, globals: globals)
        guard let settings, errors.isEmpty else { throw Wrong(description: "\(errors)") }
        return Kind(settings, context)
    }

    /// What the text of a sink's settings says, and what is wrong with it.
    static func settings<Kind: ConfigurableSink>(
        _ kind: Kind.Type, _ text: String, globals: String = "{}"
    ) throws -> (settings: Kind.Settings?, errors: [String]) {
        let diagnostics = Diagnostics()
        let reader = MappingReader(try Node.parse(globals), "the global settings", diagnostics)
        let globals = SinkGlobals(reader)
        reader.finish()
        let node = try Node.parse(text, file: "f.yaml")
        let settings = kind.settings(node, globals, diagnostics)
        return (settings, diagnostics.errors.map { "\($0)" })
    }

    /// Two alerts of one group, one firing and one resolved; or only those given.
    static func group(_ change: (inout Notification) -> Void = { _ in }) -> Notification {
        let time = ManualClock().now()
        let firing = Alert(
            labels: ["alertname": "Down", "instance": "a", "severity": "critical"],
            annotations: ["summary": "a is \"down\"\n", "runbook": "http://r"], startsAt: time - .seconds(60),
            generatorURL: "http://tocsin:9090/graph?g0.expr=up")
        let resolved = Alert(
            labels: ["alertname": "Down", "instance": "b", "severity": "critical"],
            annotations: ["summary": "b is down", "runbook": "http://r"], startsAt: time - .seconds(90),
            endsAt: time - .milliseconds(500))
        var notification = Notification(
            id: "n1", pipeline: "p", receiver: "team", groupKey: #"{}:{alertname="Down"}"#,
            groupLabels: ["alertname": "Down"], routeLabels: [:], alerts: [firing, resolved], time: time,
            externalURL: "http://tocsin:9090", reason: "first notification")
        change(&notification)
        return notification
    }
}
