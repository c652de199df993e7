import Foundation
import TestKit
import Testing

/// docs/command-line.md has a section for each command, with each of its options.
@Suite struct CommandLineTests {
    private func help(_ arguments: [String]) throws -> String {
        String(decoding: try TestProcess.output(BuiltProgram.path, arguments), as: UTF8.self)
    }

    private static let always: Set<String> = ["--version", "--help"]

    @Test func `every command and every option is documented, and no other`() throws {
        let document = try #require(try Repository.files("docs/command-line.md", ".md").first)
        let listed = try help(["--help"]).split(separator: "SUBCOMMANDS:").last ?? ""
        let commands = listed.split(separator: "\n").compactMap {
            $0.firstMatch(of: #/^  ([a-z]+)\s/#).map { String($0.1) }
        }
        #expect(commands.contains("run"))
        let sections = document.text.split(separator: "\n## `tocsin ").dropFirst()
        #expect(sections.map { String($0.prefix { $0 != "`" }) }.sorted() == commands.sorted())
        for section in sections {
            let command = String(section.prefix { $0 != "`" })
            let known = Set(
                try help(["help", command]).split(separator: "\n").compactMap {
                    $0.firstMatch(of: #/^  (?:-\w, )?(--[a-z-]+)/#).map { String($0.1) }
                }
            ).subtracting(Self.always)
            let documented = Set(section.matches(of: #/`(--[a-z-]+)/#).map { String($0.1) })
            #expect(known.subtracting(documented) == [], "options of tocsin \(command) that have no words")
            #expect(documented.subtracting(known) == [], "options that tocsin \(command) does not have")
        }
    }
}
