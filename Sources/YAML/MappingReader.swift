internal import Streams

/// Reads the keys of one mapping into settings. Problems go to the diagnostics, reading goes on with defaults; `finish()`
/// then reports the keys that nobody asked for, with the nearest that somebody did.
///
/// A key whose value is null counts as absent, as it does for the peers.
package final class MappingReader {
    package let node: Node
    package let diagnostics: Diagnostics
    private let what: String
    private let entries: [String: Node.Entry]
    /// Not a mapping: reported once; everything is absent and nothing missing.
    private let isBroken: Bool
    private var known: [String] = []
    private var isFinished = false

    /// - Parameter what: what it configures, with an article: "a scrape config".
    package init(_ node: Node, _ what: String, _ diagnostics: Diagnostics) {
        self.node = node
        self.what = what
        self.diagnostics = diagnostics
        isBroken = node.entries == nil && !node.isNull
        entries = Dictionary((node.entries ?? []).map { ($0.key.scalar?.text ?? "", $0) }) { first, _ in first }
        if isBroken { diagnostics.report(.expected("a mapping (\(what))", found: node.summary), at: node) }
    }

    deinit { assert(isFinished, "\(what) was read without finish()") }

    // MARK: values

    /// The value's node; nil where the key is absent or null. Makes the key known.
    package func node(_ key: String) -> Node? {
        known.append(key)
        return entries[key].flatMap { $0.value.isNull ? nil : $0.value }
    }

    /// The value's node; nil where the key is absent, null or the empty text, which says nothing for the peers either.
    package func filled(_ key: String) -> Node? { node(key).flatMap { $0.text == "" ? nil : $0 } }

    package func isPresent(_ key: String) -> Bool { node(key) != nil }

    /// Nil where the key is absent, or its value wrong (which is reported).
    package func optional<Value>(_ key: String, _ format: Format<Value>) -> Value? {
        node(key).flatMap { format.decode($0, diagnostics) }
    }

    package func value<Value>(_ key: String, _ format: Format<Value>, default fallback: Value) -> Value {
        optional(key, format) ?? fallback
    }

    /// Nil where the key is absent (which is reported) or its value wrong.
    package func required<Value>(_ key: String, _ format: Format<Value>) -> Value? {
        guard let node = node(key) else {
            if !isBroken { diagnostics.report(.missingKey(key, in: what), at: self.node) }
            return nil
        }
        return format.decode(node, diagnostics)
    }

    /// - Parameter placeholder: stands for a value that is missing or wrong; loading fails, so nobody sees it.
    package func required<Value>(_ key: String, _ format: Format<Value>, or placeholder: Value) -> Value {
        required(key, format) ?? placeholder
    }

    package func text(_ key: String) -> String? { optional(key, .text) }
    package func text(_ key: String, default fallback: String) -> String { value(key, .text, default: fallback) }
    package func bool(_ key: String, default fallback: Bool) -> Bool { value(key, .bool, default: fallback) }

    /// A list of that format; empty where absent.
    package func list<Item>(_ key: String, of format: Format<Item>) -> [Item] {
        value(key, .list(of: format), default: [])
    }

    // MARK: rules between keys

    /// Reports keys that belong to the schema and do nothing yet. What is null or an empty list is not in use.
    package func notSupportedYet(_ keys: String...) {
        for key in keys {
            guard let value = node(key), value.items?.isEmpty != true, let entry = entries[key] else { continue }
            diagnostics.report(.notSupportedYet("key \(quoted(key)) in \(what)"), at: entry.key)
        }
    }

    /// Reports when more than one of the keys is set.
    package func exclusive(_ keys: String...) {
        let present = keys.filter(isPresent)
        guard present.count > 1, let second = entries[present[1]] else { return }
        let names = present.map(quoted).joined(separator: " and ")
        diagnostics.report(.conflict("\(names) exclude each other in \(what); leave one"), at: second.key)
    }

    /// Reports at the value of a key, or at the mapping where the key is absent.
    package func report(_ problem: ConfigError.Problem, at key: String) {
        diagnostics.report(problem, at: entries[key]?.value ?? node)
    }

    /// Makes keys known that someone else reads.
    package func ignore(_ keys: String...) { known += keys }

    // MARK: the end

    /// Reports unknown keys. To be called when every key was asked for.
    package func finish() {
        isFinished = true
        let names = Set(known)
        for entry in node.entries ?? [] {
            guard let key = entry.key.scalar?.text, !names.contains(key) else { continue }
            diagnostics.report(
                .unknownKey(key, in: what, nearest: Spelling.nearest(to: key, in: known)), at: entry.key)
        }
    }
}
