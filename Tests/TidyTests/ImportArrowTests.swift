import Foundation
import Testing

/// Who may import whom: the arrows of the house, ground floor first. The manifest says the same to the compiler; this says
/// it to a reader, and keeps the manifest from drifting.
@Suite struct ImportArrowTests {
    private static let ground = ["Streams", "PromQL", "Storage", "Templates", "Transport", "YAML"]

    /// Rooms, each with what of ours it may import. `Transport` reads its own keys (`http_config`), so it may import `YAML`.
    static let allowed: [String: [String]] = [
        "Streams": ["CRE2"],
        "PromQL": ["Streams"],
        "Storage": ["Streams", "CSQLite"],
        "Templates": ["Streams"],
        "YAML": ["Streams", "CLibYAML"],
        "Transport": ["Streams", "YAML", "CLibCurl", "CLinux", "COpenSSL"],
        "Sources": ground + ["CScan", "CSnappy", "COpenSSL"],
        "Sinks": ground,
        "Actors": ground,
        "Pipelines": ground + ["Sources", "Sinks", "Actors"],
        "Server": ground + ["Sources", "Sinks", "Actors", "Pipelines", "CLinux", "CZlib"],
        "tocsin": ground + ["Sources", "Sinks", "Actors", "Pipelines", "Server"],
    ]

    /// The module of an import line: `@preconcurrency package import struct Streams.Label` gives `Streams`.
    static func module(ofImport line: Substring) -> Substring? {
        let pattern =
            #/^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:class|enum|func|let|protocol|struct|typealias|var)\s+)?(\w+)/#
        return line.firstMatch(of: pattern)?.1
    }

    @Test(
        "Import lines are understood",
        arguments: [
            ("import Streams", "Streams"), ("package import Transport", "Transport"), ("@testable import YAML", "YAML"),
            ("@preconcurrency internal import func Glibc.pow", "Glibc"),
        ])
    func reads(line: String, module: String) {
        #expect(Self.module(ofImport: line[...]).map { String($0) } == module)
    }

    @Test func `modules import only what lies below them`() throws {
        var findings = Findings()
        let files = try Repository.files("Sources", ".swift")
        let rooms = Set(try Repository.files("Sources", "").map { $0.path.split(separator: "/")[1] }.map { String($0) })
        for room in rooms where Self.allowed[room] == nil && !room.hasPrefix("C") {
            findings.add("Sources/\(room): a module that has no place in the house; add it to the table of this test")
        }
        for file in files {
            let room = String(file.path.split(separator: "/")[1])
            for (number, line) in file.lines(with: "import ") {
                guard let module = Self.module(ofImport: line).map({ String($0) }), rooms.contains(module) else {
                    continue
                }
                if !(Self.allowed[room] ?? []).contains(module) {
                    findings.add(file, number, "\(room) may not import \(module)")
                }
            }
        }
        #expect(files.count > 100)
        #expect(findings.all == [])
    }

    @Test func `the program imports no Foundation, which costs more memory than all of Tocsin`() throws {
        var findings = Findings()
        for file in try Repository.files("Sources", ".swift") {
            for (number, line) in file.lines(with: "import Foundation")
            where Self.module(ofImport: line)?.hasPrefix("Foundation") == true {
                findings.add(file, number, "Foundation is imported")
            }
        }
        #expect(findings.all == [])
    }
}
