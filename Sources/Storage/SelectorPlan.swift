import Streams

/// A list of matchers against one shard's index, kept from request to request: what is found out once (which label is
/// meant, which values a regular expression takes, which series match) is not found out again until the index changes.
struct SelectorPlan {
    /// One matcher.
    struct Test {
        let matcher: Matcher
        /// Whether a series without that label passes.
        let acceptsAbsent: Bool
        /// The label name in the table; nil while no series has it.
        var name: UInt32?
        /// The one entry that an equality with a value asks for; nil while no series has it.
        var entry: UInt32?
        /// By entry: 0 not asked yet, 1 accepted, 2 not.
        var verdicts: [UInt8] = []

        init(_ matcher: Matcher) {
            self.matcher = matcher
            acceptsAbsent = matcher.accepts("")
        }

        /// Whether the matcher asks for one entry, and nothing else will do.
        var isEquality: Bool { matcher.op == .equal && !acceptsAbsent }

        mutating func accepts(_ entry: UInt32, _ table: borrowing LabelTable) -> Bool {
            let place = Int(entry)
            if place >= verdicts.count {
                verdicts.append(contentsOf: repeatElement(0, count: table.entries.count - verdicts.count))
            }
            if verdicts[place] == 0 { verdicts[place] = matcher.accepts(table.valueText(entry)) ? 1 : 2 }
            return verdicts[place] == 1
        }

        mutating func accepts(_ record: UnsafeMutablePointer<SeriesRecord>, _ table: borrowing LabelTable) -> Bool {
            if isEquality {
                guard let entry else { return false }
                return record.pointee.labelEntries.contains(entry)
            }
            guard let name else { return acceptsAbsent }
            for entry in record.pointee.labelEntries where table.entries[Int(entry)].name == name {
                return accepts(entry, table)
            }
            return acceptsAbsent
        }
    }

    private var tests: [Test]
    private var seen: UInt64?
    private let labelGeneration: UInt64
    private var ids: [UInt32]?
    /// Results longer than that are not kept.
    private static let keptMax = 1 << 16

    init(_ matchers: [Matcher], _ index: borrowing SeriesIndex) {
        tests = matchers.map(Test.init)
        labelGeneration = index.labelGeneration
    }

    /// Label entries may have other meanings now: start anew.
    func isOutdated(_ index: borrowing SeriesIndex) -> Bool { labelGeneration != index.labelGeneration }

    var byteCount: Int { tests.reduce((ids?.count ?? 0) * 4) { $0 + $1.verdicts.count } + 256 }

    private mutating func refresh(_ index: borrowing SeriesIndex, seed: UInt64) {
        guard seen != index.generation else { return }
        seen = index.generation
        ids = nil
        for position in tests.indices {
            let matcher = tests[position].matcher
            if tests[position].name == nil { tests[position].name = index.labels.name(matcher.name) }
            if tests[position].isEquality, tests[position].entry == nil {
                let columns = LabelColumns([LabelSet([Label(matcher.name, matcher.value)])], seed: seed)
                tests[position].entry = columns.bytes.withUnsafeBytes { bytes in
                    bytes.baseAddress.flatMap { index.labels.find(columns.labels[0], $0) }
                }
            }
        }
    }

    /// The ids of the series that all matchers accept, rising.
    mutating func resolve(_ index: borrowing SeriesIndex, seed: UInt64) -> [UInt32] {
        refresh(index, seed: seed)
        if let ids { return ids }
        var rest = Array(tests.indices)
        var candidates: [UInt32]
        if let equal = intersection(index, &rest) {
            candidates = equal
        } else if let first = rest.first(where: { isUnionable($0) && tests[$0].matcher.name == LabelSet.metricName })
            ?? rest.first(where: { isUnionable($0) })
        {
            candidates = union(first, index)
            rest.removeAll { $0 == first }
        } else {
            candidates = index.livingIDs()
        }
        for position in rest { keep(&candidates, position, index) }
        if candidates.count <= Self.keptMax { ids = candidates }
        return candidates
    }

    /// Those of the given ids that all matchers accept.
    mutating func filter(_ only: [UInt32], _ index: borrowing SeriesIndex, seed: UInt64) -> [UInt32] {
        refresh(index, seed: seed)
        var candidates = only
        for position in tests.indices { keep(&candidates, position, index) }
        return candidates
    }

    private func isUnionable(_ position: Int) -> Bool { !tests[position].acceptsAbsent }

    private mutating func keep(_ candidates: inout [UInt32], _ position: Int, _ index: borrowing SeriesIndex) {
        var kept = 0
        for place in candidates.indices {
            guard let record = index.record(candidates[place]), tests[position].accepts(record, index.labels) else {
                continue
            }
            candidates[kept] = candidates[place]
            kept += 1
        }
        candidates.removeSubrange(kept...)
    }

    /// What the equalities leave, or nil without one. Takes them out of `rest`, except those that are cheaper to ask of
    /// each series than to intersect with.
    private func intersection(_ index: borrowing SeriesIndex, _ rest: inout [Int]) -> [UInt32]? {
        var lists: [(position: Int, entry: UInt32, count: Int)] = []
        for position in rest where tests[position].isEquality {
            guard let entry = tests[position].entry else { return [] }
            lists.append((position, entry, Int(index.labels.entries[Int(entry)].postings.count)))
        }
        lists.sort { $0.count < $1.count }
        guard let first = lists.first else { return nil }
        var candidates = index.labels.entries[Int(first.entry)].postings.withIDs { Array($0) }
        rest.removeAll { $0 == first.position }
        for list in lists.dropFirst() where list.count <= candidates.count * 16 {
            index.labels.entries[Int(list.entry)].postings.withIDs { Self.intersect(&candidates, $0) }
            rest.removeAll { $0 == list.position }
        }
        return candidates
    }

    private static func intersect(_ candidates: inout [UInt32], _ list: UnsafeBufferPointer<UInt32>) {
        var kept = 0
        var other = 0
        for place in candidates.indices {
            let id = candidates[place]
            while other < list.count, list[other] < id { other += 1 }
            guard other < list.count else { break }
            if list[other] == id {
                candidates[kept] = id
                kept += 1
            }
        }
        candidates.removeSubrange(kept...)
    }

    private mutating func union(_ position: Int, _ index: borrowing SeriesIndex) -> [UInt32] {
        guard let name = tests[position].name else { return [] }
        var candidates: [UInt32] = []
        var lists = 0
        for entry in index.labels.names[Int(name)].values where tests[position].accepts(entry, index.labels) {
            index.labels.entries[Int(entry)].postings.withIDs { candidates.append(contentsOf: $0) }
            lists += 1
        }
        // A series has one value of a name, so nothing is there twice.
        if lists > 1 { candidates.sort() }
        return candidates
    }
}

/// The plans of recent requests: room for those of a few thousand rules. Bounded in number and bytes; beyond either all
/// are forgotten.
struct SelectorPlans: ~Copyable {
    private var plans: [[Matcher]: SelectorPlan] = [:]
    private static let countMax = 8192
    private static let bytesMax = 16 << 20
    private var bytes = 0

    /// - Parameter only: local ids; nil for all series.
    mutating func resolve(
        _ matchers: [Matcher], only: [UInt32]?, _ index: borrowing SeriesIndex, seed: UInt64
    ) -> [UInt32] {
        let known = plans.removeValue(forKey: matchers)
        bytes -= known?.byteCount ?? 0
        var plan = known ?? SelectorPlan(matchers, index)
        if plan.isOutdated(index) { plan = SelectorPlan(matchers, index) }
        let ids =
            if let only { plan.filter(only, index, seed: seed) } else { plan.resolve(index, seed: seed) }
        if plans.count >= Self.countMax || bytes + plan.byteCount > Self.bytesMax {
            plans = [:]
            bytes = 0
        }
        bytes += plan.byteCount
        plans[matchers] = plan
        return ids
    }
}
