internal import Streams

/// A node of a YAML document, with its place. Aliases and merge keys are resolved: an aliased node stands in the tree
/// wherever it is referred to, its location is where it was written.
package struct Node: Sendable {
    package enum Content: Sendable {
        case scalar(Scalar)
        case sequence([Node])
        /// In the order of the file, merged entries last; every key is a scalar and occurs once.
        case mapping([Entry])
    }

    package struct Entry: Sendable {
        package let key: Node
        package let value: Node
    }

    package struct Scalar: Sendable {
        package enum Style: Sendable { case plain, singleQuoted, doubleQuoted, literal, folded }
        /// The value: unfolded, unescaped and with the environment's values in their places.
        package let text: String
        package let style: Style
        /// An explicit core tag without its prefix: `str`, `int`...
        package let tag: String?
        /// What the file says in place of `text` where `${...}` or `$$` was replaced.
        package let written: String?
        package let isFromEnvironment: Bool
        /// A variable in it is not set, which was told: no format reads it, so that nothing more is told of it.
        let isBroken: Bool

        init(
            text: String, style: Style, tag: String? = nil, written: String? = nil, isFromEnvironment: Bool = false,
            isBroken: Bool = false
        ) {
            self.text = text
            self.style = style
            self.tag = tag
            self.written = written
            self.isFromEnvironment = isFromEnvironment
            self.isBroken = isBroken
        }
    }

    package let content: Content
    package let source: SourceText
    /// Bytes of the source, without anchor and tag.
    let range: Range<Int>

    init(_ content: Content, _ source: SourceText, _ range: Range<Int>) {
        self.content = content
        self.source = source
        self.range = range
    }

    package var location: SourceLocation { source.location(at: range.lowerBound) }

    /// `~`, `null` or nothing at all, not quoted.
    package var isNull: Bool {
        guard let scalar, scalar.written == nil else { return false }
        if scalar.tag == "null" { return true }
        return scalar.style == .plain && scalar.tag == nil
            && ["", "~", "null", "Null", "NULL"].contains(scalar.text)
    }

    package var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
    package var items: [Node]? { if case .sequence(let items) = content { items } else { nil } }
    package var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }

    /// The text of a scalar that is not null.
    package var text: String? { isNull || isBroken ? nil : scalar?.text }

    var isBroken: Bool { scalar?.isBroken ?? false }

    /// Whether a part of it came from the environment: it may be a secret, and is never shown.
    package var isFromEnvironment: Bool { scalar?.isFromEnvironment ?? false }

    /// The value of a key of a mapping.
    package subscript(key: String) -> Node? { entries?.first { $0.key.scalar?.text == key }?.value }

    /// What it is, for "found ..." in an error: with an article, values quoted, those of the environment as written.
    package var summary: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): isNull ? "nothing" : Self.shortened(scalar.written ?? scalar.text)
        }
    }

    private static func shortened(_ text: String) -> String {
        text.unicodeScalars.count <= 80
            ? quoted(text) : quoted(String(String.UnicodeScalarView(text.unicodeScalars.prefix(77)))) + "..."
    }

    /// The mapping without a key.
    package func removing(_ key: String) -> Node {
        guard let entries else { return self }
        return Node(.mapping(entries.filter { $0.key.scalar?.text != key }), source, range)
    }

    /// The mapping with the keys of `lower` that it does not have. What is null gives way.
    package func overlaid(on lower: Node) -> Node {
        guard let entries, let below = lower.entries else { return isNull ? lower : self }
        let set = entries.filter { !$0.value.isNull }
        let keys = Set(set.map { $0.key.scalar?.text ?? "" })
        return Node(.mapping(set + below.filter { !keys.contains($0.key.scalar?.text ?? "") }), source, range)
    }
}
