import Foundation
import Pipelines
import Sinks
import Streams
import Testing

/// Each kind of source and sink comes with a section in the guide, an example and a test.
@Suite struct KindTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let key: String
        let document: String
        let example: String
        let testFolder: String
        /// How the names of its test files begin.
        let testPrefix: String
        var testDescription: String { key }
    }

    static let sinks = SinkRegistry.standard.map { type in
        let name = String(describing: type).replacing("Sink", with: "")
        return Kind(
            key: type.key, document: "docs/sinks.md", example: type.key.replacing("_configs", with: ""),
            testFolder: "Tests/SinksTests", testPrefix: name)
    }

    static let sources = SourceRegistry.standard.kinds.filter(\.isSupported).map { kind in
        Kind(
            key: kind.key, document: "docs/sources.md", example: kind.key, testFolder: "Tests/SourcesTests",
            testPrefix: kind.key.capitalized)
    }

    @Test("Has a section, an example and a test", arguments: sinks + sources)
    func isComplete(_ kind: Kind) throws {
        let section = try Repository.files(kind.document, ".md").contains { file in
            file.lines.contains { $0.text == "## `\(kind.key)`" }
        }
        #expect(section, "\(kind.document) has no section ## `\(kind.key)`")
        let example = try Repository.files("pipelines/examples/\(kind.example).yaml", ".yaml").first
        #expect(
            example?.text.contains("\(kind.key):") == true,
            "pipelines/examples/\(kind.example).yaml shows no \(kind.key)")
        let tests = try Repository.files(kind.testFolder, ".swift").filter {
            $0.path.hasPrefix("\(kind.testFolder)/\(kind.testPrefix)") && $0.text.contains("@Test")
        }
        #expect(!tests.isEmpty, "\(kind.testFolder) has no test file that begins with \(kind.testPrefix)")
    }
}
