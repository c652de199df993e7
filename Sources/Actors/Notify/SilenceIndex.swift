import Streams

/// Finds the silences that may mute an alert without looking at all of them. Each lies under one of its matchers: under a
/// label that the alert has to have, or under a text that a label's value has to begin with. Who finds it there still
/// has to ask all its matchers.
struct SilenceIndex: Sendable {
    private enum Place: Hashable, Sendable {
        case label(Label)
        /// As a label whose value is the beginning.
        case prefix(Label)
        /// Only matchers of which none demands anything that could be looked up.
        case anywhere
    }

    private var byLabel: [Label: [String]] = [:]
    private var byPrefix: [Label: [String]] = [:]
    /// How many beginnings of a label's values are so many bytes long.
    private var lengths: [String: [Int: Int]] = [:]
    private var anywhere: [String] = []
    private var places: [String: [Place]] = [:]

    mutating func insert(_ id: String, _ matchers: [Matcher]) {
        let chosen = Set(choose(matchers))
        for place in chosen {
            switch place {
            case .label(let label): byLabel[label, default: []].append(id)
            case .prefix(let prefix):
                if byPrefix[prefix] == nil {
                    lengths[prefix.name, default: [:]][prefix.value.utf8.count, default: 0] += 1
                }
                byPrefix[prefix, default: []].append(id)
            case .anywhere: anywhere.append(id)
            }
        }
        places[id] = Array(chosen)
    }

    mutating func remove(_ id: String) {
        for place in places.removeValue(forKey: id) ?? [] {
            switch place {
            case .label(let label):
                byLabel[label]?.removeAll { $0 == id }
                if byLabel[label]?.isEmpty == true { byLabel[label] = nil }
            case .prefix(let prefix): remove(id, under: prefix)
            case .anywhere: anywhere.removeAll { $0 == id }
            }
        }
    }

    private mutating func remove(_ id: String, under prefix: Label) {
        byPrefix[prefix]?.removeAll { $0 == id }
        guard byPrefix[prefix]?.isEmpty == true else { return }
        byPrefix[prefix] = nil
        let length = prefix.value.utf8.count
        lengths[prefix.name]?[length, default: 1] -= 1
        if lengths[prefix.name]?[length] == 0 { lengths[prefix.name]?[length] = nil }
        if lengths[prefix.name]?.isEmpty == true { lengths[prefix.name] = nil }
    }

    /// The label that the fewest silences lie under; else the prefixes that say most.
    private func choose(_ matchers: [Matcher]) -> [Place] {
        let labels = matchers.filter { $0.op == .equal && !$0.value.isEmpty }.map { Label($0.name, $0.value) }
        let rarest = labels.min { (byLabel[$0]?.count ?? 0) < (byLabel[$1]?.count ?? 0) }
        if let rarest { return [.label(rarest)] }
        let prefixes = matchers.filter { $0.op == .matches }.compactMap { matcher in
            LiteralPrefixes.of(matcher.value).map { (name: matcher.name, texts: $0) }
        }
        func shortest(_ texts: [String]) -> Int { texts.map(\.utf8.count).min() ?? 0 }
        guard let best = prefixes.max(by: { shortest($0.texts) < shortest($1.texts) }) else { return [.anywhere] }
        return best.texts.map { .prefix(Label(best.name, $0)) }
    }

    /// Calls `body` with every silence that may mute an alert with these labels, until it returns false. One may come
    /// several times.
    func forEachCandidate(_ labels: LabelSet, _ body: (String) -> Bool) {
        for id in anywhere { if !body(id) { return } }
        for label in labels {
            if let ids = byLabel[label] {
                for id in ids { if !body(id) { return } }
            }
            guard let lengths = lengths[label.name] else { continue }
            let value = label.value.utf8
            for length in lengths.keys where length <= value.count {
                let prefix = Label(label.name, String(decoding: value.prefix(length), as: UTF8.self))
                for id in byPrefix[prefix] ?? [] { if !body(id) { return } }
            }
        }
    }
}

/// What the texts begin with that a regular expression takes as a whole.
enum LiteralPrefixes {
    /// One of these begins each text that the pattern takes. Nil where that can't be told in a simple way: then anything
    /// may match.
    static func of(_ pattern: String) -> [String]? {
        let scalars = Array(pattern.unicodeScalars)
        var alternatives = [scalars[...]]
        if scalars.contains("|") {
            // A bar inside of these may mean another thing.
            if scalars.contains(where: { "([\\".unicodeScalars.contains($0) }) { return nil }
            alternatives = scalars.split(separator: "|", omittingEmptySubsequences: false)
        }
        var prefixes: [String] = []
        for alternative in alternatives {
            let prefix = literalPrefix(alternative)
            if prefix.isEmpty { return nil }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private static let special = Set("\\.+*?()[]{}^$|".unicodeScalars)
    /// What stands before one of these need not be there.
    private static let optional = Set("*?{".unicodeScalars)

    private static func literalPrefix(_ pattern: ArraySlice<Unicode.Scalar>) -> String {
        let end = pattern.firstIndex(where: special.contains) ?? pattern.endIndex
        var literal = pattern[..<end]
        if end < pattern.endIndex, optional.contains(pattern[end]) { literal = literal.dropLast() }
        var text = ""
        text.unicodeScalars.append(contentsOf: literal)
        return text
    }
}
