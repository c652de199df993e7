package import Streams
import Synchronization

/// Bounds on what is kept about metric families.
package struct MetadataLimits: Sendable, Equatable {
    /// Of one target, or of one way in.
    package var familiesPerOwnerMax: Int
    /// Of all together.
    package var bytesMax: Int
    /// Of one name, help text or unit.
    package var textBytesMax: Int

    package init(familiesPerOwnerMax: Int = 20_000, bytesMax: Int = 64 << 20, textBytesMax: Int = 16 << 10) {
        self.familiesPerOwnerMax = familiesPerOwnerMax
        self.bytesMax = bytesMax
        self.textBytesMax = textBytesMax
    }
}

/// What metric families are, by those who told it: for the API's `metadata` and `targets/metadata`.
///
/// What is beyond a bound is dropped and counted in `tocsin_metadata_dropped_total`; what is known already stays.
package final class MetadataStore: Sendable {
    private let limits: MetadataLimits
    private let table = Mutex(MetadataTable())
    private let telemetry: Telemetry

    package init(_ limits: MetadataLimits = MetadataLimits(), telemetry: Telemetry) {
        self.limits = limits
        self.telemetry = telemetry
        telemetry.collect { [weak self] readings in
            guard let (count, bytes) = self?.table.withLock({ ($0.count, $0.bytes) }) else { return }
            readings.append(
                Telemetry.Reading(
                    "tocsin_metadata_families", .gauge, help: "Metric families whose metadata is kept.",
                    value: Double(count)))
            readings.append(
                Telemetry.Reading(
                    "tocsin_metadata_bytes", .gauge, help: "Memory for metadata of metric families.",
                    value: Double(bytes)))
        }
    }

    package func tell(_ facts: [MetricMetadata], from owner: MetadataOwner, replacing: Bool) {
        if facts.isEmpty, !replacing { return }
        let dropped = table.withLock { $0.tell(facts, from: owner, replacing: replacing, within: limits) }
        guard dropped != MetadataTable.Dropped() else { return }
        count(dropped.families, "family_limit")
        count(dropped.memory, "memory_limit")
        count(dropped.texts, "text_limit")
    }

    private func count(_ number: Int, _ reason: String) {
        guard number > 0 else { return }
        telemetry.counter(
            "tocsin_metadata_dropped_total", help: "Metadata of metric families that was not kept.",
            labels: ["reason": reason]
        ).add(Double(number))
    }

    package func forget(_ families: [String], of owner: MetadataOwner) {
        table.withLock { $0.forget(families, of: owner) }
    }

    package func forget(_ owner: MetadataOwner) { table.withLock { $0.forget(owner) } }

    // MARK: reading

    /// What is known of each family, in order of the names; several descriptions where owners disagree.
    /// - Parameter name: nil for all families.
    package func families(named name: String? = nil) -> [(name: String, descriptions: [FamilyMetadata])] {
        let all = table.withLock { table in table.families.filter { name == nil || $0.family == name } }
        var result: [(name: String, descriptions: [FamilyMetadata])] = []
        for family in all.sorted(by: Self.isBefore) {
            if result.last?.name == family.family {
                result[result.count - 1].descriptions.append(family)
            } else {
                result.append((family.family, [family]))
            }
        }
        return result
    }

    /// What scraped targets told, those that told nothing left out; targets and families in order.
    /// - Parameters:
    ///   - name: nil for all families.
    ///   - accepts: whether the target with these labels is asked for.
    package func targets(
        named name: String? = nil, where accepts: (LabelSet) -> Bool = { _ in true }
    ) -> [(labels: LabelSet, families: [FamilyMetadata])] {
        let owners = table.withLock { Array($0.allOwners) }
        let wanted = owners.compactMap { owner -> (owner: MetadataOwner, labels: LabelSet, key: [String])? in
            guard case .target(let pool, let labels, let url) = owner, accepts(labels) else { return nil }
            return (owner, labels, [pool, url, "\(labels)"])
        }
        return wanted.sorted { $0.key.lexicographicallyPrecedes($1.key) }.compactMap { target in
            let families = table.withLock { table in
                if let name { return table.family(named: name, of: target.owner).map { [$0] } ?? [] }
                return table.families(of: target.owner)
            }
            return families.isEmpty ? nil : (target.labels, families.sorted(by: Self.isBefore))
        }
    }

    private static func isBefore(_ left: FamilyMetadata, _ right: FamilyMetadata) -> Bool {
        [left.family, left.type.rawValue, left.help, left.unit].lexicographicallyPrecedes(
            [right.family, right.type.rawValue, right.help, right.unit])
    }
}
