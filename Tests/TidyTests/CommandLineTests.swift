import Foundation
import TestKit
import Testing

/// docs/command-line.md has a section for each command, with each of its options.
@Suite struct CommandLineTests {
    private func help(_ arguments: [String]) async throws -> String {
        String(decoding: try await TestProcess.output(BuiltProgram.path, arguments), as: UTF8.self)
    }

    private static let always: Set<String> = ["--version", "--help"]

    private func subcommands(of path: [String]) async throws -> [String] {
        let parts = try await help(["help"] + path).split(separator: "SUBCOMMANDS:")
        guard parts.count > 1, let listed = parts.last else { return [] }
        return listed.split(separator: "\n").compactMap { $0.firstMatch(of: #/^  ([a-z]+)\s/#).map { String($0.1) } }
    }

    private func options(of path: [String]) async throws -> Set<String> {
        let options = try await help(["help"] + path).split(separator: "\n").compactMap {
            $0.firstMatch(of: #/^  (?:-\w, )?(--[a-z-]+)/#).map { String($0.1) }
        }
        return Set(options).subtracting(Self.always)
    }

    @Test func `every command and every option is documented, and no other`() async throws {
        let document = try #require(try Repository.files("docs/command-line.md", ".md").first)
        let commands = try await subcommands(of: [])
        #expect(commands.contains("run"))
        let sections = document.text.split(separator: "\n## `tocsin ").dropFirst()
        #expect(sections.map { String($0.prefix { $0 != "`" }) }.sorted() == commands.sorted())
        for section in sections {
            let command = String(section.prefix { $0 != "`" })
            var known = try await options(of: [command])
            for inner in try await subcommands(of: [command]) {
                known.formUnion(try await options(of: [command, inner]))
            }
            let documented = Set(section.matches(of: #/`(--[a-z-]+)/#).map { String($0.1) })
            #expect(known.subtracting(documented) == [], "options of tocsin \(command) that have no words")
            #expect(documented.subtracting(known) == [], "options that tocsin \(command) does not have")
        }
    }
}
