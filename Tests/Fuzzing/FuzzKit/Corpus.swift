package import Foundation

/// The inputs that a run begins with.
package struct Corpus: Sendable {
    package private(set) var inputs: [[UInt8]]

    package init(_ inputs: [[UInt8]]) { self.inputs = inputs }

    /// Those of a folder: each line of a `.promql` file that is neither blank nor a comment in whole, and each other
    /// file as it is.
    package init(folder: URL) throws {
        inputs = []
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        for file in files.sorted(by: { $0.path < $1.path }) where !file.lastPathComponent.hasPrefix(".") {
            let bytes = [UInt8](try Data(contentsOf: file))
            if file.pathExtension == "promql" {
                for line in bytes.split(separator: UInt8(ascii: "\n")) where !line.starts(with: Array("# ".utf8)) {
                    inputs.append(Array(line))
                }
            } else {
                inputs.append(bytes)
            }
        }
    }

    package mutating func add(_ input: [UInt8]) { inputs.append(input) }
}
