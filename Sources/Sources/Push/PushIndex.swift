import Streams

/// Which types and series all groups together have, so that a push is checked against all others at the cost of itself.
struct PushIndex: Sendable {
    private var types: [String: [MetricType: Int]] = [:]
    private var owners: [LabelSet: GroupingKey] = [:]

    /// What makes the push inconsistent with itself or with other groups, by the rules of Prometheus's gatherer; nil when
    /// nothing does.
    /// - Parameter replaced: the families of the same group that the push does away with.
    func problem(of pushed: [PushedFamily], from key: GroupingKey, replacing replaced: [PushedFamily]) -> String? {
        var seen: Set<LabelSet> = []
        for family in pushed {
            let type = family.type ?? .unknown
            let others = self.types(of: family.name, without: replaced)
            if let problem = collision(of: family, among: pushed, without: replaced) { return problem }
            if let other = others.first(where: { $0 != type }) {
                return "metric \(quoted(family.name)) is pushed with type \(type.pushedName), but another group has it "
                    + "with type \(other.pushedName)"
            }
            for sample in family.samples {
                if !seen.insert(sample.labels).inserted {
                    return "the series \(sample.labels) was collected before with the same name and label values"
                }
                if let owner = owners[sample.labels], owner != key {
                    return "the series \(sample.labels) belongs to another group already"
                }
            }
        }
        return nil
    }

    /// The types that a family has, what is replaced left out.
    private func types(of name: String, without replaced: [PushedFamily]) -> Set<MetricType> {
        var counts = types[name] ?? [:]
        for family in replaced where family.name == name { counts[family.type ?? .unknown, default: 0] -= 1 }
        return Set(counts.filter { $0.value > 0 }.keys)
    }

    /// Whether the family has the name of another one's sums, counts or buckets, or another one that of its own.
    private func collision(
        of family: PushedFamily, among pushed: [PushedFamily], without replaced: [PushedFamily]
    ) -> String? {
        func types(_ name: String) -> Set<MetricType> {
            self.types(of: name, without: replaced).union(
                pushed.filter { $0.name == name }.map { $0.type ?? .unknown })
        }
        for (suffix, owners) in Self.suffixes {
            if family.name.hasSuffix(suffix) {
                let base = String(family.name.dropLast(suffix.count))
                if let owner = owners.first(where: types(base).contains) {
                    return "metric \(quoted(family.name)) collides with the \(owner.rawValue) \(quoted(base))"
                }
            }
            if let type = family.type, owners.contains(type), !types(family.name + suffix).isEmpty {
                return
                    "the \(type.rawValue) \(quoted(family.name)) collides with metric \(quoted(family.name + suffix))"
            }
        }
        return nil
    }

    private static let suffixes: [(suffix: String, owners: [MetricType])] = [
        ("_sum", [.histogram, .summary]), ("_count", [.histogram, .summary]), ("_bucket", [.histogram]),
    ]

    mutating func add(_ families: [PushedFamily], of key: GroupingKey) {
        for family in families {
            types[family.name, default: [:]][family.type ?? .unknown, default: 0] += 1
            for sample in family.samples { owners[sample.labels] = key }
        }
    }

    mutating func remove(_ families: [PushedFamily]) {
        for family in families {
            let type = family.type ?? .unknown
            let left = (types[family.name]?[type] ?? 0) - 1
            types[family.name]?[type] = left > 0 ? left : nil
            if types[family.name]?.isEmpty == true { types[family.name] = nil }
            for sample in family.samples { owners[sample.labels] = nil }
        }
    }

    /// Whether a group has the family.
    func has(_ family: String) -> Bool { types[family] != nil }

    /// The first family that groups have with different types; nil when all agree.
    var conflict: String? { types.filter { $0.value.count > 1 }.keys.min() }
}

extension MetricType {
    /// As the text format names it.
    var pushedName: String { self == .unknown ? "untyped" : rawValue }
}
