import Foundation
import Testing

/// Rules of the house that can be read off the text.
@Suite struct HouseRuleTests {
    @Test func `no test sleeps to be right`() throws {
        var findings = Findings()
        let pattern = #/\b(?:Task\.sleep|Thread\.sleep|time\.sleep|asyncio\.sleep|nanosleep|usleep)\b/#
        for file in try Repository.files("Tests", ".swift", ".py") where !file.path.hasPrefix("Tests/TidyTests/") {
            for (number, line) in file.lines(with: "sleep")
            where line.contains(pattern) && !line.contains(#/(?://|#) tidy: \S/#) {
                findings.add(
                    file, number, "a test sleeps; wait for a fact, or say why after \"// tidy:\" on the same line")
            }
        }
        #expect(findings.all == [])
    }

    @Test func `nothing names the machine it was written on, or work that is left`() throws {
        var findings = Findings()
        let endings = (".swift", ".c", ".cc", ".h", ".md", ".yml", ".tmpl")
        for folder in ["Sources", "docs", "pipelines", "README.md", "CHANGELOG.md"] {
            let files = try Repository.files(
                folder, endings.0, endings.1, endings.2, endings.3, endings.4, endings.5, endings.6)
            for file in files {
                for (number, line) in file.lines(with: "/home/", "/root/", "/Users/") {
                    if let match = line.firstMatch(of: #/(?:^|[\s"'(`=])(\/(?:work|home|root|Users)\/)/#) {
                        findings.add(file, number, "names a folder of one machine: \(match.1)")
                    }
                }
                for (number, line) in file.lines(with: "TODO", "FIXME", "XXX") {
                    if let match = line.firstMatch(of: #/\b(TODO|FIXME|XXX)\b/#) {
                        findings.add(file, number, "leaves work: \(match.1)")
                    }
                }
            }
        }
        #expect(findings.all == [])
    }

    @Test func `links between documents lead somewhere`() throws {
        var findings = Findings()
        for file in try Repository.documents() {
            let folder = Repository.root.appending(path: file.path).deletingLastPathComponent()
            for (number, line) in file.lines(with: "](") {
                for match in line.matches(of: #/\]\(([^)\s]+)\)/#) where !match.1.contains("://") {
                    let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                    let target = parts[0].isEmpty ? file.path : String(parts[0])
                    let url =
                        parts[0].isEmpty ? Repository.root.appending(path: file.path) : folder.appending(path: target)
                    guard FileManager.default.fileExists(atPath: url.path) else {
                        findings.add(file, number, "the link leads nowhere: \(match.1)")
                        continue
                    }
                    guard parts.count == 2, url.pathExtension == "md" else { continue }
                    let anchors = Self.anchors(in: try String(contentsOf: url, encoding: .utf8))
                    if !anchors.contains(String(parts[1])) {
                        findings.add(file, number, "there is no heading \(match.1)")
                    }
                }
            }
        }
        #expect(findings.all == [])
    }

    /// The anchors that GitHub gives to headings.
    private static func anchors(in text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
                line.drop { $0 == "#" || $0 == " " }.lowercased().compactMap { character in
                    if character == " " { return "-" }
                    return character.isLetter || character.isNumber || "-_".contains(character) ? "\(character)" : nil
                }.joined()
            })
    }
}
