import Streams

/// What owners told about metric families: a value that tellings change.
///
/// - Holds: each family's name and each distinct set of facts once, and 16 bytes for each family of each owner; so a
///   thousand targets of one program cost little more than one.
struct MetadataTable: Sendable {
    private var names = InternTable<String>()
    private var facts = InternTable<FamilyMetadata>()
    /// For each owner, by the number of a family's name, the number of what it told.
    private var owners: [MetadataOwner: [UInt32: UInt32]] = [:]
    private(set) var bytes = 0

    /// How many families were told of, each counted as often as it was described differently.
    var count: Int { facts.count }

    /// What found no room.
    struct Dropped: Equatable {
        /// Beyond an owner's families.
        var families = 0
        /// Beyond the memory for all.
        var memory = 0
        /// Names, helps and units that are too long.
        var texts = 0
    }

    // MARK: telling

    mutating func tell(
        _ told: [MetricMetadata], from owner: MetadataOwner, replacing: Bool, within limits: MetadataLimits
    ) -> Dropped {
        var dropped = Dropped()
        var order: [String] = []
        var news: [String: FamilyMetadata] = [:]
        for line in told {
            guard line.isShort(limits.textBytesMax) else {
                dropped.texts += 1
                continue
            }
            if news[line.family] == nil {
                order.append(line.family)
                let before = replacing ? nil : family(named: line.family, of: owner)
                news[line.family] = before ?? FamilyMetadata(line.family)
            }
            news[line.family]?.learn(line.fact)
        }
        if replacing {
            let gone = families(of: owner).map(\.family).filter { news[$0] == nil }
            forget(gone, of: owner)
        }
        for name in order {
            guard let family = news[name] else { continue }
            set(family, of: owner, within: limits, &dropped)
        }
        return dropped
    }

    private mutating func set(
        _ family: FamilyMetadata, of owner: MetadataOwner, within limits: MetadataLimits, _ dropped: inout Dropped
    ) {
        let known = self.family(named: family.family, of: owner)
        if known == family { return }
        let place = names.find(family.family)
        if known == nil, owners[owner]?.count ?? 0 >= limits.familiesPerOwnerMax {
            dropped.families += 1
            return
        }
        var cost = known == nil ? Self.entryBytes : 0
        if place == nil { cost += Self.bytes(of: family.family) }
        if facts.find(family) == nil { cost += Self.bytes(of: family) }
        if owners[owner] == nil { cost += Self.ownerBytes }
        guard bytes + cost <= limits.bytesMax else {
            dropped.memory += 1
            return
        }
        bytes += cost
        let number = facts.take(family)
        if let place, let old = owners[owner]?[place] {
            owners[owner]?[place] = number
            release(facts: old)
        } else {
            owners[owner, default: [:]][names.take(family.family)] = number
        }
    }

    // MARK: forgetting

    mutating func forget(_ families: [String], of owner: MetadataOwner) {
        for family in families {
            guard let name = names.find(family), let number = owners[owner]?.removeValue(forKey: name) else { continue }
            release(name, facts: number)
        }
        if owners[owner]?.isEmpty == true { forget(owner) }
    }

    mutating func forget(_ owner: MetadataOwner) {
        guard let told = owners.removeValue(forKey: owner) else { return }
        bytes -= Self.ownerBytes
        for (name, number) in told { release(name, facts: number) }
    }

    private mutating func release(_ name: UInt32, facts number: UInt32) {
        bytes -= Self.entryBytes
        if let gone = names.release(name) { bytes -= Self.bytes(of: gone) }
        release(facts: number)
    }

    private mutating func release(facts number: UInt32) {
        if let gone = facts.release(number) { bytes -= Self.bytes(of: gone) }
    }

    // MARK: what it costs, about

    private static let ownerBytes = 512
    private static let entryBytes = 16
    private static func bytes(of name: String) -> Int { 96 + name.utf8.count }
    private static func bytes(of family: FamilyMetadata) -> Int {
        192 + family.help.utf8.count + family.unit.utf8.count
    }

    // MARK: reading

    /// What an owner told, in no order.
    func families(of owner: MetadataOwner) -> [FamilyMetadata] { owners[owner]?.values.map { facts[$0] } ?? [] }

    /// What all of them told, each description once, in no order.
    var families: some Sequence<FamilyMetadata> { facts.values }

    var allOwners: some Sequence<MetadataOwner> { owners.keys }

    /// What an owner told of one family.
    func family(named name: String, of owner: MetadataOwner) -> FamilyMetadata? {
        guard let place = names.find(name), let number = owners[owner]?[place] else { return nil }
        return facts[number]
    }
}

extension MetricMetadata {
    fileprivate func isShort(_ bytesMax: Int) -> Bool {
        let text =
            switch fact {
            case .type: ""
            case .help(let text), .unit(let text): text
            }
        return family.utf8.count <= bytesMax && text.utf8.count <= bytesMax
    }
}
