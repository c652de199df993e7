package import YAML

extension Node {
    /// Parses a text of a test; what is wrong with it is thrown.
    package static func parse(_ text: String, file: String = "test.yaml") throws -> Node {
        let diagnostics = Diagnostics()
        let node = DocumentParser.parse(try SourceText(text, file: file), diagnostics: diagnostics)
        try diagnostics.check()
        guard let node else { throw ConfigErrors([]) }
        return node
    }

    /// The texts of a list of scalars; empty where it is none.
    package var texts: [String] { items?.compactMap(\.text) ?? [] }

    /// A mapping of scalars as key and text; null is "".
    package var textPairs: [(key: String, value: String)] {
        (entries ?? []).map { ($0.key.scalar?.text ?? "", $0.value.text ?? "") }
    }
}
