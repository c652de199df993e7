import Pipelines
import Sinks
import Streams
import TestKit
import YAML

/// A source as pipeline files name it in these tests.
struct ProbeSettings: Hashable, Sendable {
    let name: String

    init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a probe", diagnostics)
        name = reader.required("job_name", .nonEmptyText, or: "")
        reader.finish()
    }
}

/// A sink that takes every notification.
struct TestSink: ConfigurableSink {
    struct Settings: Equatable, Sendable {
        var url: String
    }

    static let key = "webhook_configs"
    let sendsResolved = true

    static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        let reader = MappingReader(node, "a webhook", diagnostics)
        defer { reader.finish() }
        return Settings(url: reader.required("url", .url(), or: ""))
    }

    init(_ settings: Settings, _ context: SinkContext) {}

    func deliver(_ notification: Notification) async throws(DeliveryError) {}
}

extension SourceRegistry {
    static let testing = SourceRegistry([
        SourceKind("scrape") { node, _, diagnostics in
            let settings = ProbeSettings(node, diagnostics)
            return (settings, settings.name)
        },
        SourceKind("push", isSingle: true) { node, _, _ in (node.text ?? "", "") },
        .notSupportedYet("host"),
    ])
}

/// Loads files from a folder of their own, `name: text` each; those of the top folder that end in `.yml` are pipelines.
func load(
    _ files: [String: String], environment: [String: String] = [:], paths: [String] = [""]
) throws -> (plan: Plan?, problems: String, folder: TemporaryFolder) {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(name, text) }
    let loader = PipelineLoader(environment: Environment(environment), sources: .testing, sinks: [TestSink.self])
    do throws(ConfigErrors) {
        return (try loader.load(paths.map(folder.path)), "", folder)
    } catch {
        let prefix = folder.path("") + (folder.path("").hasSuffix("/") ? "" : "/")
        return (nil, error.description.replacing(prefix, with: ""), folder)
    }
}
