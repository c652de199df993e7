import Foundation

/// The files of the repository as text, for tests that read them.
enum Repository {
    static let root = URL(filePath: #filePath).appending(path: "../../..").standardized

    struct File: Sendable, CustomStringConvertible {
        /// From the root: `Sources/Streams/Edge.swift`.
        let path: String
        let text: String
        var description: String { path }

        /// The lines with their numbers, the first being 1.
        var lines: [(number: Int, text: Substring)] { lines { _ in true } }

        /// The lines that contain one of these texts: searching bytes first keeps expressions off the rest.
        func lines(with texts: String...) -> [(number: Int, text: Substring)] {
            let patterns = texts.map { Array($0.utf8) }
            return lines { line in patterns.contains { line.contains($0) } }
        }

        private func lines(_ isWanted: (Substring.UTF8View) -> Bool) -> [(number: Int, text: Substring)] {
            var number = 0
            return text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).compactMap { line in
                number += 1
                let line = Substring(line)
                return isWanted(line.utf8) ? (number, line) : nil
            }
        }
    }

    /// The files below a folder, or a single file, that end in one of these; sorted. Hidden ones are left out.
    static func files(_ path: String, _ endings: String...) throws -> [File] {
        let top = root.appending(path: path)
        if !top.hasDirectoryPath, let text = try? String(contentsOf: top, encoding: .utf8) {
            return [File(path: path, text: text)]
        }
        let walker = FileManager.default.enumerator(
            at: top, includingPropertiesForKeys: [.isRegularFileKey], options: [.skipsHiddenFiles])
        var found: [File] = []
        while let url = walker?.nextObject() as? URL {
            guard endings.contains(where: { url.lastPathComponent.hasSuffix($0) }),
                try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
            else { continue }
            let path = String(url.standardized.path.dropFirst(root.path.count)).trimmingPrefix("/")
            found.append(File(path: String(path), text: try String(contentsOf: url, encoding: .utf8)))
        }
        return found.sorted { $0.path < $1.path }
    }

    /// The guide: README.md and what lies next to it, and everything in docs.
    static func documents() throws -> [File] {
        try ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Benchmarks/README.md", "docs"].flatMap {
            try files($0, ".md")
        }
    }
}

/// What is wrong, each as `file:line: what`, printed so that an editor can jump there.
struct Findings {
    private(set) var all: [String] = []

    mutating func add(_ file: Repository.File, _ line: Int, _ what: String) { add("\(file.path):\(line): \(what)") }

    mutating func add(_ finding: String) {
        print(finding)
        all.append(finding)
    }
}

/// A fenced block of a document, with the HTML comments that stand right above it as its marks.
struct FencedBlock: Sendable {
    let file: String
    /// Of the block's first line.
    let line: Int
    let language: String
    let marks: [String]
    let text: String

    static func all(in file: Repository.File) -> [FencedBlock] {
        var blocks: [FencedBlock] = []
        var marks: [String] = []
        var open: (line: Int, language: String, indent: Int, lines: [Substring])?
        for (number, line) in file.lines {
            let bare = line.drop { $0 == " " }
            if let block = open {
                if bare.hasPrefix("```") {
                    blocks.append(
                        FencedBlock(
                            file: file.path, line: block.line, language: block.language, marks: marks,
                            text: block.lines.joined(separator: "\n") + "\n"))
                    open = nil
                    marks = []
                } else {
                    open?.lines.append(line.dropFirst(min(block.indent, line.count - bare.count)))
                }
            } else if bare.hasPrefix("```") {
                open = (number + 1, String(bare.dropFirst(3)), line.count - bare.count, [])
            } else if bare.hasPrefix("<!-- "), bare.hasSuffix(" -->") {
                marks.append(String(bare.dropFirst(5).dropLast(4)))
            } else if !bare.isEmpty {
                marks = []
            }
        }
        return blocks
    }
}

extension Substring.UTF8View {
    fileprivate func contains(_ pattern: [UInt8]) -> Bool {
        guard let first = pattern.first else { return true }
        var rest = self[...]
        while let start = rest.firstIndex(of: first) {
            if rest[start...].starts(with: pattern) { return true }
            rest = rest[rest.index(after: start)...]
        }
        return false
    }
}
