import Actors
import Foundation
import Streams
import TestKit
import Testing

@Suite struct AlertmanagerConformance {
    @Test func `matchers are read and printed as Alertmanager does`() throws {
        guard let url = try Conformance.url("alertmanager/matchers.jsonl") else { return }
        var report = Conformance.Report("matchers")
        let modes: [(String, MatcherSyntax)] = [("default", .fallback), ("utf8", .utf8), ("classic", .classic)]
        for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
            let example = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let id = try #require(example["id"] as? String)
            let input = try #require(example["input"] as? String)
            var differences: [String] = []
            for (key, mode) in modes {
                let wanted = try #require(example[key] as? [String: Any])
                let (want, got) = (Self.outcome(wanted), Self.outcome(mode, input))
                if want != got { differences.append("\(key): want \(want), got \(got)") }
            }
            if let labels = example["labels"] as? [String: String], let want = example["matches"] as? Bool {
                let matchers = try MatcherSyntax.fallback.parseList(input)
                let got = matchers.accept(LabelSet(labels.map { Label($0.key, $0.value) }))
                if got != want { differences.append("matches: want \(want), got \(got)") }
            }
            differences.isEmpty ? report.pass() : report.fail(id, differences.joined(separator: "; "))
        }
        report.finish()
        #expect(report.failed == 0)
    }

    private static func outcome(_ wanted: [String: Any]) -> String {
        if let error = wanted["error"] as? String { return "error " + withoutEngineWords(error) }
        return ((wanted["matchers"] as? [[String: String]]) ?? []).map {
            "\($0["name"] ?? "")|\($0["op"] ?? "")|\($0["value"] ?? "")|\($0["string"] ?? "")"
        }.joined(separator: " ")
    }

    private static func outcome(_ mode: MatcherSyntax, _ input: String) -> String {
        do {
            return try mode.parseList(input).map { "\($0.name)|\($0.op.rawValue)|\($0.value)|\($0.alertmanagerText)" }
                .joined(separator: " ")
        } catch {
            return "error " + withoutEngineWords("\(error)")
        }
    }

    /// Go's and RE2's own words for a bad expression differ; that there is one is what counts.
    private static func withoutEngineWords(_ text: String) -> String {
        guard let range = text.range(of: "error parsing regexp: ") else { return text }
        return String(text[..<range.upperBound])
    }
}
