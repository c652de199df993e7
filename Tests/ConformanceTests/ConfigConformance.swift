import Foundation
import Pipelines
import Streams
import TestKit
import Testing
import YAML

/// Whole configuration files of the peers, included in a pipeline: what they refuse is refused; what they take is taken, or
/// refused for what is not supported yet or a file that is missing, which counts as skipped.
@Suite struct ConfigConformance {
    @Test(
        "Configuration files are taken and refused as by their own programs", arguments: ["prometheus", "alertmanager"])
    func includes(peer: String) throws {
        guard let url = try Conformance.url("config/\(peer)/cases.yaml") else { return }
        var report = Conformance.Report("config/\(peer)")
        let cases = try #require(try Node.parse(String(contentsOf: url, encoding: .utf8)).items)
        for example in cases {
            let id = example["id"]?.text ?? "?"
            if example["mode"]?.text == "agent" {
                report.skip(id, "there is no agent mode")
                continue
            }
            let errors = try Self.load(example, peer, url.deletingLastPathComponent())
            let isGood = example["verdict"]?.text == "good"
            if isGood == errors.isEmpty {
                report.pass()
            } else if let reason = Self.differences[id] {
                report.skip(id, reason)
            } else if !isGood {
                report.fail(id, "taken; want \(example["error"]?.text ?? "an error")")
            } else if errors.allSatisfy(Self.isSkipped) {
                report.skip(id, "\(errors[0].problem)")
            } else {
                report.fail(id, "refused: \(errors)")
            }
        }
        report.finish()
        #expect(report.failed == 0)
    }

    /// Where it is known why the verdict is another one.
    private static let differences = [
        "a008": "an expression that is null is taken as empty",
        "a009": "an expression that is null is taken as empty",
        "p017": "an empty item of static_configs is no target", "p051": "replacement beside lowercase is ignored",
        "p118": "replacement beside uppercase is ignored",
        "p083": "its rule file is missing",
        "p091": "a file of scrape configs that is named twice is read once", "p148": "an empty target is refused",
        "p152": "a scheme that cannot be scraped is refused",
    ]

    /// The corpus leaves open whether files that a configuration names are there; here they have to be.
    private static func isSkipped(_ error: ConfigError) -> Bool {
        switch error.problem {
        case .notSupportedYet, .unreadable: true
        default: false
        }
    }

    private static func load(_ example: Node, _ peer: String, _ files: URL) throws -> [ConfigError] {
        let folder = try TemporaryFolder()
        let path =
            try example["file"]?.text.map { files.appending(path: $0).path }
            ?? folder.write("included.yml", example["text"]?.scalar?.text ?? "").path
        try folder.write("pipeline.yml", "name: default\ninclude: {\(peer): '\(path)'}\n")
        do throws(ConfigErrors) {
            _ = try PipelineLoader(environment: Environment([:])).load([folder.path("pipeline.yml")])
            return []
        } catch {
            return error.errors
        }
    }
}
