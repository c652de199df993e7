import Streams

/// The sets of interests that a shard's series have, and which of them the batch at hand has touched.
///
/// A series knows one number, 0 for none; series with the same interests share it.
struct InterestTable: ~Copyable {
    private var sets: [[InterestID]] = [[]]
    private var numbers: [[InterestID]: UInt32] = [[]: 0]
    /// Numbers of before a reload that series may still have, and numbers that none has.
    private var retiring: [UInt32] = []
    private var free: [UInt32] = []
    private var resolver: (any InterestResolver)?
    /// By set: how many series of the batch were listed.
    private var counts = FlatBuffer<UInt32>()
    /// Set << 32 | series id, in order of arrival.
    private var hits = FlatBuffer<UInt64>()
    private let listedMax: UInt32

    init(listedMax: Int) {
        self.listedMax = UInt32(clamping: max(1, listedMax))
        counts.append(0)
    }

    /// Takes another resolver. Numbers that were given out stay good until `endReload`; by then every series has a new one.
    mutating func beginReload(_ resolver: (any InterestResolver)?) {
        self.resolver = resolver
        retiring += numbers.values.filter { $0 != 0 }
        numbers = [[]: 0]
    }

    mutating func endReload() {
        for number in retiring { sets[Int(number)] = [] }
        free += retiring
        retiring = []
    }

    mutating func number(for labels: LabelSet) -> UInt32 {
        guard let resolver else { return 0 }
        let interests = resolver.interests(in: labels).sorted()
        if let number = numbers[interests] { return number }
        let number: UInt32
        if let reused = free.popLast() {
            number = reused
            sets[Int(reused)] = interests
        } else {
            number = UInt32(sets.count)
            sets.append(interests)
            counts.append(0)
        }
        numbers[interests] = number
        return number
    }

    /// A sample of a series with interests was stored.
    @inline(__always) mutating func touch(_ set: UInt32, _ id: UInt32) {
        let count = counts[Int(set)]
        guard count <= listedMax else { return }
        counts[Int(set)] = count + 1
        if count < listedMax { hits.append(UInt64(set) << 32 | UInt64(id)) }
    }

    /// What was touched since the last call, by interest. A series may be listed more than once.
    mutating func takeTouched() -> [InterestID: Touched.Series] {
        guard hits.count > 0 else { return [:] }
        var bySet: [UInt32: [SeriesID]] = [:]
        for index in 0..<hits.count {
            let id = SeriesID(rawValue: UInt32(truncatingIfNeeded: hits[index]))
            let set = UInt32(truncatingIfNeeded: hits[index] >> 32)
            if bySet[set]?.last != id { bySet[set, default: []].append(id) }
        }
        hits.removeAll()
        var touched: [InterestID: Touched.Series] = [:]
        for (set, series) in bySet {
            let all = counts[Int(set)] > listedMax
            counts[Int(set)] = 0
            for interest in sets[Int(set)] {
                touched[interest, default: .some([])].add(all ? .all : .some(series))
            }
        }
        return touched
    }
}

extension Touched.Series {
    mutating func add(_ other: Self) {
        guard case .some(var mine) = self, case .some(let theirs) = other else {
            self = .all
            return
        }
        // The list is ours alone now, so it grows in place.
        self = .all
        mine += theirs
        self = .some(mine)
    }

    /// Sorted, each series once; "all" when that is more than `max`.
    func settled(max: Int) -> Self {
        guard case .some(let series) = self else { return .all }
        var sorted = series
        sorted.sort { $0.rawValue < $1.rawValue }
        var unique: [SeriesID] = []
        unique.reserveCapacity(sorted.count)
        for id in sorted where id != unique.last { unique.append(id) }
        return unique.count > max ? .all : .some(unique)
    }
}
