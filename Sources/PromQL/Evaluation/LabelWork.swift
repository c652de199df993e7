import Streams

extension LabelSet {
    static let bucketLabel = "le"
    /// The labels that tell about the metric as a whole and go away with its name.
    private static let metadata = [metricName, "__type__", "__unit__"]

    /// Without the metric's name, type and unit.
    func droppingName() -> LabelSet {
        // `__name__` sorts before nearly all other labels, so most sets need no more than a look at the first two.
        if let first, first.name == Self.metricName, count < 2 || !self[1].mayBeMetadata {
            return LabelSet(sorted: Array(elements.dropFirst()))
        }
        guard contains(where: { $0.mayBeMetadata && Self.metadata.contains($0.name) }) else { return self }
        return LabelSet(sorted: filter { !Self.metadata.contains($0.name) })
    }

    /// Whether it tells the metric's type or unit.
    var hasTypeOrUnit: Bool {
        contains { $0.mayBeMetadata && ($0.name == Self.metadata[1] || $0.name == Self.metadata[2]) }
    }

    /// Whether the metric has this name (nil: none) and nothing is told about its type and unit.
    func isOnlyNamed(_ name: String?) -> Bool {
        let labels = elements
        // `__name__` sorts before those that tell the type and the unit, and most other labels behind these.
        if let name, labels.count > 0, labels[0].name == Self.metricName {
            return labels[0].value == name && (labels.count < 2 || !labels[1].mayBeMetadata || !hasTypeOrUnit)
        }
        return self.name == name && !hasTypeOrUnit
    }

    /// The labels named in `names`, a short list.
    func only(_ names: [String]) -> LabelSet {
        names.isEmpty
            ? LabelSet() : LabelSet(sorted: filter { label in names.contains { $0.hasSameBytes(as: label.name) } })
    }

    /// The labels that are neither named in `names`, a short list, nor the metric's name.
    func without(_ names: [String]) -> LabelSet {
        LabelSet(
            sorted: filter { label in
                label.name != Self.metricName && !names.contains { $0.hasSameBytes(as: label.name) }
            })
    }

    /// Without one label.
    func without(_ name: String) -> LabelSet {
        self[name] == nil ? self : LabelSet(sorted: filter { !$0.name.hasSameBytes(as: name) })
    }

    /// The order of range results: by names and values from the first label on, a prefix first.
    func precedes(_ other: LabelSet) -> Bool {
        for (mine, theirs) in zip(self, other) {
            if mine != theirs { return mine < theirs }
        }
        return count < other.count
    }

    /// Whether a text may be a label's name: any non-empty UTF-8.
    static func isLabelName(_ name: String) -> Bool {
        !name.isEmpty && name.unicodeScalars.allSatisfy { $0.value < invalidByteBase + 0x80 }
    }
}

extension Label {
    fileprivate var mayBeMetadata: Bool { name.utf8.first == UInt8(ascii: "_") }
}
