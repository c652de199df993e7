import Foundation
import Pipelines
import TestKit
import Testing
import YAML

/// What users copy works: the pipelines that ship, and those that the guide shows.
@Suite struct PipelineExampleTests {
    static func shipped() throws -> [String] {
        let folder = Repository.root.appending(path: "pipelines")
        // Prometheus's own files lie beside the pipelines that include them.
        return try Repository.files("pipelines", ".yml", ".yaml").map(\.path).filter { path in
            let names = path.split(separator: "/")
            return names.count == 2 || names.dropFirst().first == "examples" && names.count == 3
        }.map { folder.deletingLastPathComponent().appending(path: $0).path }
    }

    static func documented() throws -> [FencedBlock] {
        try Repository.documents().flatMap(FencedBlock.all).filter {
            $0.language == "yaml" && $0.marks.contains("pipeline")
        }
    }

    private func problems(of path: String) -> String {
        do throws(ConfigErrors) {
            let plan = try PipelineLoader(environment: Environment(["TOCSIN_LISTEN": "127.0.0.1:9190"])).load([path])
            // The guide's patterns mean files that the reader has.
            return plan.notices.filter { !$0.text.hasPrefix("no file matches") }.map { "\($0)" }.joined(separator: "\n")
        } catch {
            return error.description
        }
    }

    @Test("A pipeline in pipelines/ loads by itself", arguments: try shipped())
    func loads(path: String) { #expect(problems(of: path) == "") }

    @Test func `whole pipelines in the guide load`() throws {
        let blocks = try Self.documented()
        for block in blocks {
            let folder = try TemporaryFolder()
            try folder.write("pipeline.yml", block.text)
            let problems = problems(of: folder.path("pipeline.yml")).replacing(folder.path(""), with: "")
            #expect(problems == "", "\(block.file):\(block.line)")
        }
        #expect(blocks.count > 2)
    }
}
