import Streams
import YAML

/// A document of the user's own whose texts are templates, such as PagerDuty's details and Jira's fields.
///
/// As for Alertmanager, a text that is YAML of another type once it is filled in becomes that: `{{ len .Alerts }}` a number,
/// `{{ .Alerts | toJson }}` a list.
indirect enum TemplateTree: Equatable, Sendable {
    /// A number, a boolean or null.
    case value(JSONValue)
    /// A template.
    case text(String)
    case list([TemplateTree])
    case object([Member])

    struct Member: Equatable, Sendable {
        /// A template.
        var name: String
        var tree: TemplateTree

        init(_ name: String, _ tree: TemplateTree) {
            self.name = name
            self.tree = tree
        }
    }
}

extension TemplateTree {
    /// Every text's syntax is checked where it stands.
    init(_ node: Node, _ diagnostics: Diagnostics) {
        switch node.content {
        case .sequence(let items): self = .list(items.map { TemplateTree($0, diagnostics) })
        case .mapping(let entries):
            self = .object(
                entries.map { entry in
                    Member(Format.template.decode(entry.key, diagnostics) ?? "", TemplateTree(entry.value, diagnostics))
                })
        case .scalar:
            if let value = JSONValue(typed: node) {
                self = .value(value)
            } else {
                self = .text(Format.template.decode(node, diagnostics) ?? "")
            }
        }
    }
}

extension Format where Value == [TemplateTree.Member] {
    /// A mapping of names to documents.
    static var templateMembers: Format {
        Format { node, diagnostics in
            guard case .object(let members) = TemplateTree(node, diagnostics) else {
                diagnostics.report(.expected("a mapping", found: node.summary), at: node)
                return nil
            }
            return members
        }
    }
}

extension FilledTexts {
    /// The documents filled in, in the order of the file. A text that can't be filled in stays empty, which is noted.
    mutating func members(_ members: [TemplateTree.Member]) -> [JSONValue.Member] {
        var result: [JSONValue.Member] = []
        for member in members { result.append(.init(text(member.name), document(member.tree))) }
        return result
    }

    mutating func document(_ tree: TemplateTree) -> JSONValue {
        switch tree {
        case .value(let value): return value
        case .text(let template):
            let text = text(template)
            return JSONValue(yaml: text) ?? .string(text)
        case .list(let items):
            var result: [JSONValue] = []
            for item in items { result.append(document(item)) }
            return .array(result)
        case .object(let members): return .object(self.members(members))
        }
    }
}

extension JSONValue {
    /// The value of a YAML document. Nil for a text, and for what is no YAML.
    fileprivate init?(yaml text: String) {
        let diagnostics = Diagnostics()
        // A text that is no YAML is a text: nothing is wrong with it.
        guard let source = try? SourceText(text, file: ""),
            let node = DocumentParser.parse(source, diagnostics: diagnostics),
            diagnostics.isEmpty
        else { return nil }
        switch node.content {
        case .scalar:
            // Nothing but white space is a text too.
            guard !text.isEmpty, let value = JSONValue(typed: node) else { return nil }
            self = value
        case .sequence, .mapping: self = JSONValue(node)
        }
    }

    /// Of any node; texts stay what they are.
    private init(_ node: Node) {
        switch node.content {
        case .scalar(let scalar): self = JSONValue(typed: node) ?? .string(scalar.text)
        case .sequence(let items): self = .array(items.map { JSONValue($0) })
        case .mapping(let entries):
            self = .object(entries.map { Member($0.key.scalar?.text ?? "", JSONValue($0.value)) })
        }
    }

    /// Of a scalar that is not a text by YAML's rules.
    fileprivate init?(typed node: Node) {
        if node.isNull {
            self = .null
            return
        }
        // What they report is only that the scalar is of another type.
        let unheard = Diagnostics()
        if let bool = Format<Bool>.bool.decode(node, unheard) {
            self = .bool(bool)
        } else if let integer = Format<Int>.integer().decode(node, unheard) {
            self = .integer(Int64(integer))
        } else if let number = Format<Double>.number.decode(node, unheard), number.isFinite {
            self = .number("\(number)")
        } else {
            return nil
        }
    }
}
