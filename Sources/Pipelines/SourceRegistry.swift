internal import Sources
internal import Streams
package import YAML

/// One kind of source: what it is called in a pipeline file, and how its settings are read.
package struct SourceKind: Sendable {
    package typealias Decode =
        @Sendable (Node, GlobalSettings, Diagnostics) -> (settings: any PlannedSettings, name: String)?

    package let key: String
    /// Whether one server can have only one of it, because it is reached under fixed paths.
    package let isSingle: Bool
    /// Nil: the schema knows it, the program does not yet.
    let decode: Decode?

    /// - Parameter decode: reads the value under the key; gives the settings, and what tells it from others of its kind
    ///   ("" where it is single).
    package init(_ key: String, isSingle: Bool = false, decode: @escaping Decode) {
        self.key = key
        self.isSingle = isSingle
        self.decode = decode
    }

    package var isSupported: Bool { decode != nil }

    private init(notYet key: String) {
        self.key = key
        isSingle = false
        decode = nil
    }

    package static func notSupportedYet(_ key: String) -> SourceKind { SourceKind(notYet: key) }
}

/// The kinds of sources by their keys: adding one is one line in `standard`.
package struct SourceRegistry: Sendable {
    package let kinds: [SourceKind]

    package init(_ kinds: [SourceKind]) { self.kinds = kinds }

    /// Reads one item of `sources`: a mapping of one key.
    func decode(_ node: Node, _ global: GlobalSettings, _ diagnostics: Diagnostics) -> SourcePlan? {
        guard let entries = node.entries, let entry = entries.first, entries.count == 1 else {
            diagnostics.report(
                .expected("a mapping with one key (\(kinds.map(\.key).joined(separator: ", ")))", found: found(node)),
                at: node)
            return nil
        }
        let key = entry.key.scalar?.text ?? ""
        guard let kind = kinds.first(where: { $0.key == key }) else {
            let nearest = Spelling.nearest(to: key, in: kinds.map(\.key))
            diagnostics.report(.unknownKey(key, in: "sources", nearest: nearest), at: entry.key)
            return nil
        }
        if kind.decode == nil {
            diagnostics.report(.notSupportedYet("source \(quoted(key))"), at: entry.key)
            return nil
        }
        return decode(key, entry.value, global, diagnostics)
    }

    /// Reads the settings of a source of a known kind.
    func decode(_ key: String, _ node: Node, _ global: GlobalSettings, _ diagnostics: Diagnostics) -> SourcePlan? {
        guard let kind = kinds.first(where: { $0.key == key }), let decode = kind.decode,
            let (settings, name) = decode(node, global, diagnostics)
        else { return nil }
        return SourcePlan(
            kind: key, name: name.isEmpty ? key : "\(key)/\(name)", settings: settings, isSingle: kind.isSingle,
            origin: Origin(node.location))
    }

    private func found(_ node: Node) -> String {
        node.entries.map { "\($0.count) keys" } ?? node.summary
    }
}

extension SourceRegistry {
    package static let standard = SourceRegistry([
        SourceKind("scrape") { node, global, diagnostics in
            let settings = ScrapeSettings(node, global.scrape, diagnostics)
            do throws(ScrapeTarget.Invalid) {
                _ = try ScrapeTarget.all(of: settings)
            } catch {
                diagnostics.report(.invalid(error.description), at: node["static_configs"] ?? node)
            }
            return (settings, settings.job)
        },
        SourceKind("push", isSingle: true) { node, _, diagnostics in
            (PushSettings(node, diagnostics), "")
        },
        .notSupportedYet("host"),
        .notSupportedYet("containers"),
        .notSupportedYet("gpu"),
    ])
}
