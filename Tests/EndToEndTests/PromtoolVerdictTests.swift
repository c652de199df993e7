import Foundation
import TestKit
import Testing
import YAML

/// `tocsin check` and `tocsin test` say of rule files and their tests what promtool says: what is good is good to both.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")))
struct PromtoolVerdictTests {
    private struct Case: Sendable {
        var id: String
        var file: String
        /// Of the newest promtool, and of the old one that is installed.
        var isGood: Bool
        var isGoodToOld: Bool
        var arguments: [String] = []
        /// The old promtool doesn't know the arguments.
        var isNew: Bool { !arguments.isEmpty }
    }

    private static func isGood(_ program: String, _ arguments: [String]) async throws -> (Bool, String) {
        let outcome = try await TocsinProcess.outcome(of: program, arguments)
        return (outcome.status == 0, outcome.output + outcome.errors)
    }

    private static func compare(_ cases: [Case], promtool: [String], tocsin: String) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = cases[...]
            func next() {
                guard let example = rest.popFirst() else { return }
                group.addTask {
                    let (own, said) = try await isGood(
                        TocsinProcess.program, [tocsin] + example.arguments + [example.file])
                    #expect(own == example.isGood, "\(example.id): \(said)")
                    if example.isNew { return }
                    let (other, words) = try await isGood("promtool", promtool + [example.file])
                    #expect(other == example.isGoodToOld, "\(example.id): promtool says \(words)")
                }
            }
            for _ in 0..<4 { next() }
            while try await group.next() != nil { next() }
        }
    }

    @Test func `rule files are good to both or to none`() async throws {
        guard let url = try Conformance.url("rules/check.yaml") else { return }
        let folder = try TemporaryFolder()
        let cases = try #require(try Node.parse(String(contentsOf: url, encoding: .utf8)).items).map { node in
            let id = node["id"]?.text ?? "?"
            let file: String
            if let name = node["file"]?.text {
                file = url.deletingLastPathComponent().appending(path: name).path
            } else {
                file = try folder.write("\(id).rules.yml", node["text"]?.scalar?.text ?? "").path
            }
            let isGood = node["verdict"]?.text == "good"
            return Case(
                id: id, file: file, isGood: isGood,
                isGoodToOld: node["verdict_2_42"].map { $0.text == "good" } ?? isGood)
        }
        try await Self.compare(cases, promtool: ["check", "rules", "--lint=none"], tocsin: "check")
    }

    @Test func `unit tests of rules pass with both or with none`() async throws {
        guard let url = try Conformance.url("rules/unit.yaml") else { return }
        let cases = try #require(try Node.parse(String(contentsOf: url, encoding: .utf8)).items).map { node in
            let isGood = node["exit"]?.text == "0"
            return Case(
                id: node["id"]?.text ?? "?",
                file: url.deletingLastPathComponent().appending(path: node["file"]?.text ?? "").path, isGood: isGood,
                isGoodToOld: node["exit_2_42"].map { $0.text == "0" } ?? isGood,
                arguments: node["args"]?.texts ?? [])
        }
        try await Self.compare(cases, promtool: ["test", "rules"], tocsin: "test")
    }
}
