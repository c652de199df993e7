import Streams
import YAML

/// Parses a text as `f.yaml`.
func parse(
    _ text: String, documents: DocumentParser.Documents = .one, limits: ParseLimits = .standard,
    environment: [String: String]? = nil
) throws(ConfigErrors) -> Node {
    let diagnostics = Diagnostics()
    do throws(ConfigError) {
        let source = try SourceText(Array(text.utf8), file: "f.yaml", sizeMax: limits.sizeBytesMax)
        let node = DocumentParser.parse(
            source, documents: documents, limits: limits, environment: environment.map(Environment.init),
            diagnostics: diagnostics)
        try? diagnostics.check()
        if let node, diagnostics.isEmpty { return node }
    } catch {
        diagnostics.report(error)
    }
    throw ConfigErrors(diagnostics.errors)
}

/// The errors of a text, one line each; "" when it is good.
func problems(
    _ text: String, limits: ParseLimits = .standard, environment: [String: String]? = nil
) -> String {
    do throws(ConfigErrors) {
        _ = try parse(text, limits: limits, environment: environment)
        return ""
    } catch {
        return error.description
    }
}

/// What a decoding makes of a text, and what it reports.
func decode<Value>(
    _ text: String, environment: [String: String]? = nil, _ body: (Node, Diagnostics) -> Value
) throws -> (value: Value, problems: String) {
    let diagnostics = Diagnostics()
    let value = body(try parse(text, environment: environment), diagnostics)
    return (value, ConfigErrors(diagnostics.errors).description)
}

extension Node {
    /// A tree in one line: `{a: [1, ~]}`.
    var flat: String {
        switch content {
        case .scalar(let scalar): isNull ? "~" : scalar.text
        case .sequence(let items): "[" + items.map(\.flat).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\($0.key.flat): \($0.value.flat)" }.joined(separator: ", ") + "}"
        }
    }
}
