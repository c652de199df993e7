import Streams

/// Which of a target's `_created` lines tell the start of which of its series, and what they said in a scrape.
///
/// Holds nothing for targets without such lines. The lines are told apart by the ids of their series, those that
/// relabelling drops by their bytes.
struct StartLines {
    /// A line of a family that may have `_created` lines, when it is seen for the first time.
    struct NewLine {
        /// Place among the known lines.
        var line: UInt32
        /// Hash of what the samples of one series have in common with their `_created` line.
        var owner: UInt64
        var isCreated: Bool
    }

    /// One for each `_created` line that was seen.
    private struct Slot {
        /// Milliseconds; 0: this scrape did not tell.
        var start: Int64 = 0
        var hasOwner = false
    }

    private var slots: [Slot] = []
    private var slotOfOwner: [UInt64: Int] = [:]
    /// By series: the slot, twice, and 1 for the `_created` line itself.
    private var slotOfSeries: [SeriesID: Int] = [:]
    private var slotOfDropped: [UInt64: Int] = [:]
    /// Samples that were known before their `_created` line came up are to be read again.
    private(set) var wantsRereading = false

    var isEmpty: Bool { slots.isEmpty }
    /// Whether lines count that relabelling drops.
    var watchesDropped: Bool { !slotOfDropped.isEmpty }

    /// Forgets series that are not shown any more, by having all read again.
    mutating func forget() {
        if !isEmpty { wantsRereading = true }
    }

    /// Takes the new lines of a scrape, once their series are resolved.
    /// - Parameter isFresh: no line was known before this scrape.
    mutating func add(_ lines: [NewLine], _ known: borrowing KnownLines, isFresh: Bool) {
        let before = slots.count
        for line in lines where line.isCreated {
            let slot = slotOfOwner[line.owner] ?? slots.count
            if slot == slots.count {
                slots.append(Slot())
                slotOfOwner[line.owner] = slot
            }
            let id = known.lines[Int(line.line)].id
            if id == KnownLines.dropped {
                slotOfDropped[known.hash(of: line.line)] = slot
            } else {
                slotOfSeries[SeriesID(rawValue: id)] = slot * 2 + 1
            }
        }
        if slots.isEmpty { return }
        for line in lines where !line.isCreated {
            guard let slot = slotOfOwner[line.owner] else { continue }
            slots[slot].hasOwner = true
            let id = known.lines[Int(line.line)].id
            if id < KnownLines.reserved { slotOfSeries[SeriesID(rawValue: id)] = slot * 2 }
        }
        if !isFresh, slots[before...].contains(where: { !$0.hasOwner }) { wantsRereading = true }
    }

    /// Says of each sample of a scrape when its count began.
    /// - Parameter dropped: the lines that were shown and are dropped, with their values.
    mutating func mark(
        _ batch: inout SampleBatch, dropped: [(line: UInt32, value: Double)], _ known: borrowing KnownLines
    ) {
        for slot in slots.indices { slots[slot].start = 0 }
        for (line, value) in dropped {
            if let slot = slotOfDropped[known.hash(of: line)] {
                slots[slot].start = MetricPointLines.milliseconds(value)
            }
        }
        var owners: [(place: Int, slot: Int)] = []
        for (place, id) in batch.series.enumerated() {
            guard let entry = slotOfSeries[id] else { continue }
            if entry & 1 == 1 {
                slots[entry / 2].start = MetricPointLines.milliseconds(batch.values[place])
            } else {
                owners.append((place, entry / 2))
            }
        }
        guard let last = owners.last else { return }
        var starts = [Int64](repeating: 0, count: last.place + 1)
        for owner in owners { starts[owner.place] = slots[owner.slot].start }
        batch.setStarts(starts)
    }

    /// Says when the counts of samples began whose lines are told with it.
    static func mark(
        _ batch: inout SampleBatch, _ told: [(line: UInt32, start: Int64)], _ known: borrowing KnownLines
    ) {
        var startOfSeries: [UInt32: Int64] = [:]
        for (line, start) in told { startOfSeries[known.lines[Int(line)].id] = start }
        let starts = batch.series.map { startOfSeries[$0.rawValue] ?? 0 }
        batch.setStarts(starts)
    }
}
