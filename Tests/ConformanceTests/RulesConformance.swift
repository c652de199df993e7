import Actors
import Foundation
import Pipelines
import Streams
import TestKit
import Testing
import YAML

@Suite struct RulesConformance {
    @Test func `rule files are taken and refused as by Prometheus`() throws {
        guard let url = try Conformance.url("rules/check.yaml") else { return }
        var report = Conformance.Report("rules/check")
        let cases = try #require(try Node.parse(String(contentsOf: url, encoding: .utf8)).items)
        for example in cases {
            let id = example["id"]?.text ?? "?"
            let difference = try Self.difference(of: example, in: url.deletingLastPathComponent())
            if let difference { report.fail(id, difference) } else { report.pass() }
        }
        report.finish()
        #expect(report.failed == 0)
    }

    @Test func `unit tests of rules have the verdicts that promtool has`() async throws {
        guard let url = try Conformance.url("rules/unit.yaml") else { return }
        var report = Conformance.Report("rules/unit")
        for example in try #require(try Node.parse(String(contentsOf: url, encoding: .utf8)).items) {
            let id = example["id"]?.text ?? "?"
            var settings = RuleTestPlayer.Settings()
            for argument in example["args"]?.texts ?? [] {
                if argument == "--ignore-unknown-fields" {
                    settings.ignoresUnknownKeys = true
                } else {
                    settings.only.append(try RegularExpression(String(argument.trimmingPrefix("--run="))))
                }
            }
            let file = url.deletingLastPathComponent().appending(path: example["file"]?.text ?? "")
            let result = await RuleTestPlayer(settings: settings).play(file.path)
            if result.hasPassed == (example["exit"]?.text == "0") {
                report.pass()
            } else {
                let found =
                    result.errors.map(\.description) + result.results.flatMap(\.failures).map(\.description)
                report.fail(id, "\(file.lastPathComponent): \(found)")
            }
        }
        report.finish()
        #expect(report.failed == 0)
    }

    private static func difference(of example: Node, in folder: URL) throws -> String? {
        let diagnostics = Diagnostics()
        var groups: [RuleGroupSettings] = []
        do throws(ConfigError) {
            let source =
                if let file = example["file"]?.text {
                    try SourceText(contentsOf: folder.appending(path: file).path)
                } else {
                    try SourceText(example["text"]?.scalar?.text ?? "", file: "rules.yaml")
                }
            if let root = DocumentParser.parse(source, documents: .first, diagnostics: diagnostics) {
                groups = RuleGroupSettings.decodeFile(root, diagnostics: diagnostics)
            }
        } catch {
            diagnostics.report(error)
        }
        guard example["verdict"]?.text == "good" else {
            return diagnostics.isEmpty ? "taken; want \(example["errors"]?.texts ?? [])" : nil
        }
        if let error = diagnostics.errors.first { return "refused: \(error)" }
        let counts = "\(groups.count) groups, \(groups.reduce(0) { $0 + $1.rules.count }) rules"
        let wanted = "\(example["groups"]?.text ?? "0") groups, \(example["rules"]?.text ?? "0") rules"
        return counts == wanted ? nil : "want \(wanted), got \(counts)"
    }
}
