import Streams
import YAML

/// A title and a value side by side in a chat's message, as Slack has them and the others have taken over.
struct MessageField: Equatable, Sendable {
    /// These are templates.
    var title: String, value: String
    /// Whether it may stand beside another one; nil where nothing is said.
    var isShort: Bool?
}

extension Format where Value == MessageField {
    /// - Parameters:
    ///   - what: what errors call it, with an article.
    ///   - isShort: where the field says nothing.
    ///   - isFilled: whether both texts have to be there.
    static func messageField(_ what: String, isShort: Bool? = nil, isFilled: Bool = true) -> Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, what, diagnostics)
            defer { reader.finish() }
            let text: (String) -> String = { key in
                isFilled ? reader.required(key, .nonEmptyTemplate, or: "") : reader.template(key)
            }
            return MessageField(
                title: text("title"), value: text("value"), isShort: reader.optional("short", .bool) ?? isShort)
        }
    }
}

extension FilledTexts {
    /// The fields as JSON, under Slack's names.
    mutating func fields(_ fields: [MessageField]) -> [JSONValue] {
        fields.map { field in
            var members: [JSONValue.Member] = [
                .init("title", .string(text(field.title))), .init("value", .string(text(field.value))),
            ]
            if let isShort = field.isShort { members.append(.init("short", .bool(isShort))) }
            return .object(members)
        }
    }
}
