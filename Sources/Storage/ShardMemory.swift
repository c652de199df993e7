import Streams

/// All that a shard knows: series, samples, interests. Values in, values out; no task, clock or lock. `SeriesShard` hosts it.
struct ShardMemory: ~Copyable {
    var index: SeriesIndex
    var samples = SampleMemory()
    var histograms = HistogramMemory()
    var starts = StartTable()
    var interests: InterestTable
    var plans = SelectorPlans()
    var labelCache = LabelCache()
    let layout: ShardLayout
    let shard: Int
    let seed: UInt64
    /// Samples stored since the start.
    private(set) var stored: UInt64 = 0
    /// Series marked at the last collection, and when that was.
    var dying = 0
    var dyingSince: Int64 = .min

    init(layout: ShardLayout, shard: Int, settings: StorageSettings) {
        self.layout = layout
        self.shard = shard
        seed = settings.hashSeed
        index = SeriesIndex(idMax: layout.localMax)
        interests = InterestTable(listedMax: settings.touchedSeriesMax)
    }

    /// Memory in use: what a bound on memory is compared with.
    var liveBytes: Int { samples.memory.liveBytes + index.usedBytes + labelCache.byteCount + richBytes }
    /// Memory held from the system.
    var heldBytes: Int { samples.memory.heldBytes + index.byteCount + labelCache.byteCount + richBytes }
    private var richBytes: Int { histograms.byteCount + starts.byteCount }

    @inline(__always) func id(_ record: UnsafeMutablePointer<SeriesRecord>) -> SeriesID {
        SeriesID(rawValue: layout.id(local: record.pointee.id, shard: shard))
    }

    // MARK: Interning

    /// Why series cannot be added.
    enum AddError: Error { case labels, ids, bytes }

    /// The ids of those sets (places in `columns`) that exist, which are kept alive by it; nil for the others.
    mutating func find(_ columns: borrowing LabelColumns, _ sets: [Int]) -> [SeriesID?] {
        var found: [SeriesID?] = []
        found.reserveCapacity(sets.count)
        for set in sets {
            guard let record = index.find(columns, set) else {
                found.append(nil)
                continue
            }
            revive(record)
            found.append(id(record))
        }
        return found
    }

    /// Whether all of these new sets can be added.
    func check(_ columns: borrowing LabelColumns, _ sets: [Int]) throws(AddError) {
        var bytes = 0
        for set in sets {
            let range = columns.bounds[set]..<columns.bounds[set + 1]
            if range.count > SeriesRecord.labelsMax { throw .labels }
            for label in range {
                bytes += Int(columns.labels[label].nameCount) + Int(columns.labels[label].valueCount)
            }
        }
        if sets.count > index.idsLeft { throw .ids }
        if !index.labels.hasRoom(forBytes: bytes) { throw .bytes }
    }

    /// Adds sets (places in `columns` and `labelSets`) that passed `check`; what appeared since `find` is found now.
    /// - Returns: ids in order, and how many series are really new.
    mutating func add(
        _ columns: borrowing LabelColumns, _ sets: [Int], _ labelSets: [LabelSet]
    ) -> (ids: [SeriesID], added: Int) {
        var ids: [SeriesID] = []
        ids.reserveCapacity(sets.count)
        let before = index.count
        for set in sets {
            if let record = index.find(columns, set) {
                revive(record)
                ids.append(id(record))
                continue
            }
            let record = index.add(columns, set, &samples.memory)
            record.pointee.interest = interests.number(for: labelSets[set])
            ids.append(id(record))
        }
        return (ids, index.count - before)
    }

    @inline(__always) mutating func revive(_ record: UnsafeMutablePointer<SeriesRecord>) {
        if record.pointee.flags.contains(.dying) {
            record.pointee.flags.remove(.dying)
            dying -= 1
        }
    }

    // MARK: Applying

    struct Applied: Sendable {
        var report = AppendReport()
        var stored = 0
        var maxTimestamp = Int64.min
        var touched: [InterestID: Touched.Series] = [:]
    }

    /// Applies one shard's part of a batch. The loop is here, in one call, so that nothing is checked or counted per
    /// sample that need not be.
    mutating func apply(_ columns: BatchPartition.Columns, _ bounds: ClosedRange<Int64>) -> Applied {
        var applied = Applied()
        let earliest = bounds.lowerBound
        let latest = bounds.upperBound
        let isRich = columns.isRich
        for position in 0..<columns.count {
            guard let record = index.record(columns.ids[position]) else {
                applied.report.unknownSeries += 1
                continue
            }
            let time = columns.times[position]
            guard time >= earliest, time <= latest else {
                applied.report.outOfBounds += 1
                continue
            }
            let value = columns.values[position]
            // One test for all that is rare.
            let outcome: SampleMemory.Outcome
            if record.pointee.flags.isDisjoint(with: .special), !isRich, !Double(bitPattern: value).isHistogram {
                outcome = samples.append(record, time, value)
            } else {
                outcome = appendRich(record, columns, position)
            }
            switch outcome {
            case .stored:
                applied.stored += 1
                applied.maxTimestamp = max(applied.maxTimestamp, time)
                let interest = record.pointee.interest
                if interest != 0 {
                    interests.touch(interest, layout.id(local: record.pointee.id, shard: shard))
                }
            case .same: break
            case .outOfOrder: applied.report.outOfOrder += 1
            case .duplicate: applied.report.duplicate += 1
            }
        }
        applied.touched = interests.takeTouched()
        stored += UInt64(applied.stored)
        return applied
    }
}
