import Foundation
import Sources
import Streams
import TestKit
import Testing
import YAML

@Suite struct RelabelConformance {
    @Test func `labels are relabelled as Prometheus does`() throws {
        guard let url = try Conformance.url("relabel/cases.yaml") else { return }
        var report = Conformance.Report("relabel")
        let source = try SourceText(String(contentsOf: url, encoding: .utf8), file: "cases.yaml")
        let cases = try #require(DocumentParser.parse(source, diagnostics: Diagnostics())?.items)
        for example in cases {
            let id = example["id"]?.text ?? "?"
            if let difference = Self.difference(of: example) { report.fail(id, difference) } else { report.pass() }
        }
        report.finish()
        #expect(report.failed == 0)
    }

    private static func difference(of example: Node) -> String? {
        let diagnostics = Diagnostics()
        let legacy = example["legacy"]?.text == "true"
        let rules = (example["configs"]?.items ?? []).compactMap {
            Format<RelabelRule>.relabelRule(legacyNames: legacy).decode($0, diagnostics)
        }
        if example["error"] != nil { return diagnostics.isEmpty ? "the configuration was not refused" : nil }
        if let error = diagnostics.errors.first { return "refused: \(error)" }
        let result = rules.relabel(labels(example["labels"]))
        if example["drop"] != nil { return result.map { "not dropped: \($0)" } }
        let wanted = labels(example["output"])
        return result == wanted ? nil : "want \(wanted), got \(result.map { "\($0)" } ?? "dropped")"
    }

    private static func labels(_ node: Node?) -> LabelSet {
        LabelSet((node?.entries ?? []).map { Label($0.key.scalar?.text ?? "", $0.value.scalar?.text ?? "") })
    }
}
