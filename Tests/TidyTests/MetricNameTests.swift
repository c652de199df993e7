import Foundation
import Testing

/// docs/metrics.md has a row for every metric of the program, and no other.
@Suite struct MetricNameTests {
    /// The metrics that the sources name in string literals, with where. In a name that ends in an interpolation, the first
    /// arguments of the file's `reading("...")` calls take its place.
    private static func inSources() throws -> [String: String] {
        var names: [String: String] = [:]
        for file in try Repository.files("Sources", ".swift") {
            for (number, line) in file.lines(with: "\"tocsin_", "\"prometheus_", "\"process_", "\"alertmanager_") {
                for match in line.matches(of: #/"((?:tocsin|prometheus|process|alertmanager)_[a-z0-9_]+)("|\\\()/#) {
                    let name = String(match.1)
                    if match.2 == "\"" {
                        names[name] = "\(file.path):\(number)"
                        continue
                    }
                    for ending in file.text.matches(of: #/\breading\(\s*"([a-z0-9_]+)"/#) {
                        names[name + ending.1] = "\(file.path):\(number)"
                    }
                }
            }
        }
        return names
    }

    /// The names in the first column of the tables, with their lines.
    private static func inDocuments() throws -> [String: String] {
        var names: [String: String] = [:]
        for file in try Repository.files("docs/metrics.md", ".md") {
            for (number, line) in file.lines {
                guard let match = line.firstMatch(of: #/^\| `([a-z0-9_]+)` \|/#) else { continue }
                names[String(match.1)] = "\(file.path):\(number)"
            }
        }
        return names
    }

    @Test func `every metric is documented, and every documented metric exists`() throws {
        var findings = Findings()
        let sources = try Self.inSources()
        let documents = try Self.inDocuments()
        for (name, place) in sources.sorted(by: { $0.key < $1.key }) where documents[name] == nil {
            findings.add("\(place): \(name) has no row in docs/metrics.md")
        }
        for (name, place) in documents.sorted(by: { $0.key < $1.key }) where sources[name] == nil {
            findings.add("\(place): there is no metric \(name)")
        }
        #expect(sources.count > 40)
        #expect(findings.all == [])
    }
}
