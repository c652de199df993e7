internal import Streams
internal import YAML

/// Reads the files of one loading, and remembers which they were.
final class FileReader {
    let environment: Environment
    let diagnostics: Diagnostics
    private(set) var paths: [String] = []
    /// What was read of them.
    private(set) var documents: [(path: String, root: Node)] = []

    init(_ environment: Environment, _ diagnostics: Diagnostics) {
        self.environment = environment
        self.diagnostics = diagnostics
    }

    /// - Parameters:
    ///   - node: where the file was named; what keeps it from being read is told there.
    ///   - interpolating: pipeline files only; files of Prometheus and Alertmanager are taken as they are, and of those
    ///     only the first document, as the peers do.
    /// - Returns: nil when it cannot be read, which is reported.
    func read(_ path: String, at node: Node?, interpolating: Bool) -> Node? {
        paths.append(path)
        do throws(ConfigError) {
            let source = try SourceText(contentsOf: path)
            let root = DocumentParser.parse(
                source, documents: interpolating ? .one : .first, environment: interpolating ? environment : nil,
                diagnostics: diagnostics)
            if let root { documents.append((path, root)) }
            return root
        } catch {
            if let node, case .unreadable(let text) = error.problem {
                diagnostics.report(.unreadable("\(quoted(path)): \(text)"), at: node)
            } else {
                diagnostics.report(error)
            }
            return nil
        }
    }
}
