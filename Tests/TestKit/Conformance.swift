package import Foundation

/// The conformance corpus: machine-readable cases of what the peers' own programs do. It lies outside of the repository.
package enum Conformance {
    /// A file or folder of the corpus, at `TOCSIN_CONFORMANCE` or beside the repository; nil when it is not there, which
    /// is printed, or fails where `TOCSIN_CONFORMANCE_REQUIRED` is set.
    package static func url(_ path: String) throws -> URL? {
        let environment = ProcessInfo.processInfo.environment
        let root =
            environment["TOCSIN_CONFORMANCE"].map { URL(filePath: $0) }
            ?? URL(filePath: #filePath).appending(path: "../../../../shared/conformance").standardized
        let url = root.appending(path: path)
        if FileManager.default.fileExists(atPath: url.path) { return url }
        if environment["TOCSIN_CONFORMANCE_REQUIRED"] != nil { throw Missing(path: url.path) }
        print("\(path): not there, not checked")
        return nil
    }

    package struct Missing: Error, CustomStringConvertible {
        package let path: String
        package var description: String { "the conformance corpus has no \(path)" }
    }

    /// Counts the cases of one folder, prints a line for each that failed and one in the end.
    package struct Report {
        package let name: String
        package private(set) var passed = 0
        package private(set) var failed = 0
        package private(set) var skipped = 0

        package init(_ name: String) { self.name = name }

        package mutating func pass() { passed += 1 }

        package mutating func fail(_ id: String, _ difference: String) {
            failed += 1
            print("\(name): \(id) failed: \(difference)")
        }

        package mutating func skip(_ id: String, _ reason: String) {
            skipped += 1
            print("\(name): \(id) skipped: \(reason)")
        }

        package func finish() {
            print("\(name): \(passed) passed, \(failed) failed" + (skipped > 0 ? ", \(skipped) skipped" : ""))
        }
    }
}
