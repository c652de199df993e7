internal import Streams

/// The entries of a mapping while it is read: refuses a key that is there already, and puts in what `<<` merges
/// (YAML 1.1's merge type): explicit keys win over merged ones, earlier maps over later ones.
struct MappingEntries {
    private var entries: [Node.Entry] = []
    private var lines: [String: Node] = [:]
    private var merged: [Node] = []

    mutating func add(_ key: Node, _ value: Node, _ diagnostics: Diagnostics) {
        guard let scalar = key.scalar else {
            diagnostics.report(.expected("text as a key", found: key.summary), at: key)
            return
        }
        if scalar.text == "<<", scalar.style == .plain {
            merge(value, diagnostics)
            return
        }
        if let first = lines[scalar.text] {
            diagnostics.report(.duplicateKey(scalar.text, firstLine: first.location.line), at: key)
            return
        }
        lines[scalar.text] = key
        entries.append(Node.Entry(key: key, value: value))
    }

    private mutating func merge(_ value: Node, _ diagnostics: Diagnostics) {
        for map in value.items ?? [value] {
            if map.entries != nil {
                merged.append(map)
            } else {
                diagnostics.report(.expected("a mapping or a list of mappings to merge", found: map.summary), at: map)
            }
        }
    }

    func resolved(_ diagnostics: Diagnostics) -> [Node.Entry] {
        var result = entries
        var keys = Set(lines.keys)
        for entry in merged.lazy.flatMap({ $0.entries ?? [] }) {
            if keys.insert(entry.key.scalar?.text ?? "").inserted { result.append(entry) }
        }
        return result
    }
}
