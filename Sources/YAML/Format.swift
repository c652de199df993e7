internal import Streams

/// How a node becomes a value: tells what is wrong and answers nil where it cannot. The common ones stand in
/// `Format+Scalars.swift`; a room adds its own beside its settings.
package struct Format<Value> {
    private let read: (Node, Diagnostics) -> Value?

    /// - Parameter decode: reports what is wrong with the node; nil where there is no value.
    package init(_ decode: @escaping (Node, Diagnostics) -> Value?) { read = decode }

    package func decode(_ node: Node, _ diagnostics: Diagnostics) -> Value? {
        node.isBroken ? nil : read(node, diagnostics)
    }

    /// The value, with `check` naming what is wrong with it.
    package func checked(_ check: @escaping (Value) -> String?) -> Format {
        Format { node, diagnostics in
            guard let value = read(node, diagnostics) else { return nil }
            guard let problem = check(value) else { return value }
            diagnostics.report(.invalid(problem), at: node)
            return nil
        }
    }

    package func map<Other>(_ transform: @escaping (Value) -> Other) -> Format<Other> {
        Format<Other> { read($0, $1).map(transform) }
    }
}

extension Format {
    /// A type that decodes itself: `.nested(TLSSettings.init)`.
    package static func nested(_ decode: @escaping (Node, Diagnostics) -> Value?) -> Format { Format(decode) }

    /// A list, each item of that format. Items that are wrong are reported and left out.
    package static func list<Item>(of item: Format<Item>) -> Format<[Item]> where Value == [Item] {
        Format<[Item]> { node, diagnostics in
            guard let items = node.items else {
                diagnostics.report(.expected("a list", found: node.summary), at: node)
                return nil
            }
            return items.compactMap { item.decode($0, diagnostics) }
        }
    }

    /// A mapping of any keys to values of that format, in the order of the file.
    package static func mapping<Item>(of item: Format<Item>) -> Format<[(key: Node, value: Item)]>
    where Value == [(key: Node, value: Item)] {
        Format<[(key: Node, value: Item)]> { node, diagnostics in
            guard let entries = node.entries else {
                diagnostics.report(.expected("a mapping", found: node.summary), at: node)
                return nil
            }
            return entries.compactMap { entry in
                item.decode(entry.value, diagnostics).map { (entry.key, $0) }
            }
        }
    }

    /// A scalar that is not null, by its text; `expected` names it with an article.
    package static func scalar(_ expected: String, _ parse: @escaping (Node.Scalar) -> Value?) -> Format {
        Format { node, diagnostics in
            if let scalar = node.scalar, !node.isNull, let value = parse(scalar) { return value }
            diagnostics.report(.expected(expected, found: node.summary), at: node)
            return nil
        }
    }
}

/// Where a value was written, kept beside it.
package struct Located<Value> {
    package let value: Value
    package let node: Node
    package var location: SourceLocation { node.location }

    package init(_ value: Value, _ node: Node) {
        self.value = value
        self.node = node
    }
}

extension Located: Sendable where Value: Sendable {}

extension Format {
    /// The value together with its node.
    package var located: Format<Located<Value>> {
        Format<Located<Value>> { node, diagnostics in
            decode(node, diagnostics).map { Located($0, node) }
        }
    }
}
