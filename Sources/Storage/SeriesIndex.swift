import Streams

/// Which series a shard has: by id, by labels, and their records.
///
/// Ids rise and are never reused, so posting lists stay sorted by appending; records lie in places that are reused, so
/// churn costs four bytes a dead series until its neighbours are gone too.
struct SeriesIndex: ~Copyable {
    var labels = LabelTable()
    /// Record by place.
    var records = PagedColumn<SeriesRecord>(pageBits: 10)
    /// Place by local id; `SeriesRecord.freeID` for an id that is retired or not given out yet.
    private var places = PagedColumn<UInt32>(pageBits: 12)
    private var living = FlatBuffer<UInt16>()
    private var freePlaces = FlatBuffer<UInt32>()
    /// The first place that was never used.
    private(set) var placeEnd = 0
    private(set) var nextID: UInt32 = 0
    private(set) var count = 0
    /// Hash table by linear probing: upper half the hash of the label entries, lower half the place + 1; 0 is empty.
    private var table = FlatBuffer<UInt64>()
    private var tableUsed = 0
    /// Rises when a series is added or removed: what was resolved before must be resolved again.
    private(set) var generation: UInt64 = 0
    /// Rises when label entries may have been given to other labels.
    private(set) var labelGeneration: UInt64 = 0
    private let idMax: UInt32

    /// - Parameter idMax: the largest local id.
    init(idMax: UInt32) {
        self.idMax = min(idMax, SeriesRecord.freeID - 1)
        table.fill(64, with: 0)
    }

    /// Memory in use: what is free inside of the flat tables can be used again and is not counted.
    var usedBytes: Int {
        labels.usedBytes + count * (MemoryLayout<SeriesRecord>.stride + 16) + places.byteCount
    }

    /// Memory held.
    var byteCount: Int {
        labels.byteCount + records.byteCount + places.byteCount + freePlaces.byteCount + table.byteCount
    }

    /// Ids that can still be given out.
    var idsLeft: Int { Int(idMax) - Int(nextID) }

    /// The record of a living id.
    @inline(__always) func record(_ id: UInt32) -> UnsafeMutablePointer<SeriesRecord>? {
        guard let place = places.place(Int(id))?.pointee, place != SeriesRecord.freeID else { return nil }
        return records[Int(place)]
    }

    func place(_ id: UInt32) -> Int? {
        guard let place = places.place(Int(id))?.pointee, place != SeriesRecord.freeID else { return nil }
        return Int(place)
    }

    /// All ids in use, rising.
    func livingIDs() -> [UInt32] {
        var ids: [UInt32] = []
        ids.reserveCapacity(count)
        for page in 0..<places.pageCount where living[page] > 0 {
            let first = UInt32(page) << 12
            for id in first..<min(first + 1 << 12, nextID) where place(id) != nil { ids.append(id) }
        }
        return ids
    }

    // MARK: Finding and adding

    private static func hash(_ entries: UnsafeBufferPointer<UInt32>) -> UInt32 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for entry in entries { hash = ByteHash.combine(hash, UInt64(entry)) }
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    /// The series with exactly these labels.
    func find(_ columns: borrowing LabelColumns, _ set: Int) -> UnsafeMutablePointer<SeriesRecord>? {
        let range = columns.bounds[set]..<columns.bounds[set + 1]
        guard range.count <= SeriesRecord.labelsMax else { return nil }
        return columns.bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(1, range.count)) { entries in
                // An empty array's bytes have no address; nothing is read through this one then.
                let source = bytes.baseAddress ?? UnsafeRawPointer(entries.baseAddress.unsafelyUnwrapped)
                for (offset, index) in range.enumerated() {
                    guard let entry = labels.find(columns.labels[index], source) else { return nil }
                    entries[offset] = entry
                }
                return find(UnsafeBufferPointer(rebasing: entries[..<range.count]))
            }
        }
    }

    private func find(_ entries: UnsafeBufferPointer<UInt32>) -> UnsafeMutablePointer<SeriesRecord>? {
        let hash = Self.hash(entries)
        let mask = table.count - 1
        var position = Int(hash) & mask
        while table[position] != 0 {
            if UInt32(truncatingIfNeeded: table[position] >> 32) == hash {
                let record = records[Int(table[position] & 0xFFFF_FFFF) - 1]
                if record.pointee.labelEntries.elementsEqual(entries) { return record }
            }
            position = (position + 1) & mask
        }
        return nil
    }

    /// Adds a series that `find` did not find. The caller saw to it that there are ids and room for the labels.
    mutating func add(
        _ columns: borrowing LabelColumns, _ set: Int, _ memory: inout SlabAllocator
    ) -> UnsafeMutablePointer<SeriesRecord> {
        let range = columns.bounds[set]..<columns.bounds[set + 1]
        precondition(
            range.count <= SeriesRecord.labelsMax && nextID <= idMax, "the caller checks the bounds of a series")
        let entries = memory.allocate(max(1, range.count) * 4).bindMemory(to: UInt32.self, capacity: range.count)
        columns.bytes.withUnsafeBytes { bytes in
            let source = bytes.baseAddress ?? UnsafeRawPointer(entries)
            for (offset, index) in range.enumerated() {
                entries[offset] = labels.intern(columns.labels[index], source)
            }
        }
        let id = nextID
        nextID += 1
        for offset in 0..<range.count { labels.appendPosting(entries[offset], id, &memory) }
        let place = takePlace()
        records[place].pointee = SeriesRecord()
        records[place].pointee.id = id
        records[place].pointee.labels = entries
        records[place].pointee.labelCount = UInt8(range.count)
        give(id, place)
        count += 1
        generation += 1
        if (tableUsed + 1) * 4 > table.count * 3 { rebuildTable() } else { enter(place) }
        return records[place]
    }

    private mutating func takePlace() -> Int {
        if freePlaces.count > 0 { return Int(freePlaces.removeLast()) }
        records.ensure(placeEnd, filledWith: SeriesRecord())
        placeEnd += 1
        return placeEnd - 1
    }

    private mutating func give(_ id: UInt32, _ place: Int) {
        places.ensure(Int(id), filledWith: SeriesRecord.freeID)
        places[Int(id)].pointee = UInt32(place)
        let page = Int(id) >> 12
        while living.count <= page { living.append(0) }
        living[page] += 1
    }

    private mutating func enter(_ place: Int) {
        let hash = Self.hash(records[place].pointee.labelEntries)
        let mask = table.count - 1
        var position = Int(hash) & mask
        while table[position] != 0 { position = (position + 1) & mask }
        table[position] = UInt64(hash) << 32 | UInt64(place + 1)
        tableUsed += 1
    }

    private mutating func rebuildTable() {
        var size = 64
        while count * 2 > size { size *= 2 }
        table.fill(size, with: 0)
        tableUsed = 0
        for place in 0..<placeEnd where !records[place].pointee.isFree { enter(place) }
    }

    // MARK: Removing

    /// Forgets series whose samples were dropped before. Their ids are never given out again.
    mutating func remove(places dead: [Int], _ memory: inout SlabAllocator) {
        guard !dead.isEmpty else { return }
        var touched: Set<UInt32> = []
        var ids: [UInt32] = []
        for place in dead {
            let record = records[place]
            let id = record.pointee.id
            leave(place)
            for entry in record.pointee.labelEntries { touched.insert(entry) }
            if let labels = record.pointee.labels {
                memory.free(UnsafeMutableRawPointer(labels), max(1, Int(record.pointee.labelCount)) * 4)
            }
            record.pointee = SeriesRecord()
            freePlaces.append(UInt32(place))
            ids.append(id)
            retire(id)
        }
        ids.sort()
        count -= dead.count
        generation += 1
        labelGeneration += 1
        labels.remove(ids, from: touched, &memory, living: places)
    }

    /// Takes a series out of the hash table; those behind it in its run move up.
    private mutating func leave(_ place: Int) {
        let mask = table.count - 1
        var hole = Int(Self.hash(records[place].pointee.labelEntries)) & mask
        while table[hole] & 0xFFFF_FFFF != UInt64(place + 1) { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while table[next] != 0 {
            let home = Int(table[next] >> 32) & mask
            if (next - home) & mask >= (next - hole) & mask {
                table[hole] = table[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        table[hole] = 0
        tableUsed -= 1
    }

    private mutating func retire(_ id: UInt32) {
        places[Int(id)].pointee = SeriesRecord.freeID
        let page = Int(id) >> 12
        living[page] -= 1
        // The page that ids are still given out from stays.
        if living[page] == 0, page < Int(nextID) >> 12 { places.removePage(page) }
    }
}
