import Glibc
import Streams

/// The labels of a shard, each name/value pair interned to one number, with the series that bear it.
///
/// A series stores four bytes a label; a name/value pair stands here once, however many series share it.
struct LabelTable: ~Copyable {
    struct Entry: BitwiseCopyable {
        var name: UInt32
        /// Where the value's bytes start.
        var value: UInt32
        var valueCount: UInt32
        /// The lower half of the hash by which the entry is found.
        var hash: UInt32
        var postings: PostingList
    }

    /// A label name with the entries of all its values.
    struct Name {
        var text: String
        var hash: UInt64
        var values: [UInt32] = []
    }

    private(set) var entries = FlatBuffer<Entry>()
    private(set) var names: [Name] = []
    private var bytes = FlatBuffer<UInt8>(capacity: 256)
    private var byteGarbage = 0
    private var freeEntries: [UInt32] = []
    private var freeNames: [UInt32] = []
    /// Hash tables by linear probing; a place holds a number + 1, or 0.
    private var entryTable = FlatBuffer<UInt32>()
    private var nameTable = FlatBuffer<UInt32>()

    init() {
        entryTable.fill(64, with: 0)
        nameTable.fill(64, with: 0)
    }

    var count: Int { entries.count - freeEntries.count }
    /// Memory in use, posting lists not counted.
    var usedBytes: Int { count * (MemoryLayout<Entry>.stride + 12) + bytes.count - byteGarbage }
    /// Memory held, posting lists not counted.
    var byteCount: Int { entries.byteCount + bytes.byteCount + entryTable.byteCount + count * 4 }
    /// Whether there is room for so many bytes more: values are found by 32 bits.
    func hasRoom(forBytes more: Int) -> Bool { bytes.count + more < Int(UInt32.max) }

    // MARK: Looking up

    func name(_ text: String) -> UInt32? {
        // Only matchers come this way; names are few.
        guard let index = names.firstIndex(where: { $0.text.hasSameBytes(as: text) && !$0.values.isEmpty }) else {
            return nil
        }
        return UInt32(index)
    }

    /// The entry of a label, if it has one.
    func find(_ label: LabelColumns.Label, _ source: UnsafeRawPointer) -> UInt32? {
        guard let name = findName(label, source) else { return nil }
        return find(name, label, source)
    }

    private func findName(_ label: LabelColumns.Label, _ source: UnsafeRawPointer) -> UInt32? {
        let mask = nameTable.count - 1
        var place = Int(truncatingIfNeeded: label.nameHash) & mask
        while nameTable[place] != 0 {
            let index = Int(nameTable[place] - 1)
            if names[index].hash == label.nameHash, isName(index, label, source) { return UInt32(index) }
            place = (place + 1) & mask
        }
        return nil
    }

    private func isName(_ index: Int, _ label: LabelColumns.Label, _ source: UnsafeRawPointer) -> Bool {
        var text = names[index].text
        return text.withUTF8 { utf8 in
            utf8.count == Int(label.nameCount)
                && (utf8.isEmpty || memcmp(utf8.baseAddress.unsafelyUnwrapped, source + label.start, utf8.count) == 0)
        }
    }

    private static func hash(_ name: UInt32, _ valueHash: UInt64) -> UInt64 {
        ByteHash.combine(valueHash, UInt64(name))
    }

    private func find(_ name: UInt32, _ label: LabelColumns.Label, _ source: UnsafeRawPointer) -> UInt32? {
        let hash = UInt32(truncatingIfNeeded: Self.hash(name, label.valueHash))
        let value = source + label.start + Int(label.nameCount)
        let mask = entryTable.count - 1
        var place = Int(hash) & mask
        while entryTable[place] != 0 {
            let index = Int(entryTable[place] - 1)
            let entry = entries[index]
            if entry.hash == hash, entry.name == name, entry.valueCount == label.valueCount,
                memcmp(bytes.base + Int(entry.value), value, Int(entry.valueCount)) == 0
            {
                return UInt32(index)
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// The bytes of an entry's value; good until the table changes.
    func value(of entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes.base + Int(entry.value), count: Int(entry.valueCount))
    }

    func valueText(_ entry: UInt32) -> String {
        String(decoding: value(of: entries[Int(entry)]), as: UTF8.self)
    }

    // MARK: Adding

    /// The entry of a label, made where it is new. `hasRoom` was asked.
    mutating func intern(_ label: LabelColumns.Label, _ source: UnsafeRawPointer) -> UInt32 {
        let name = findName(label, source) ?? addName(label, source)
        if let found = find(name, label, source) { return found }
        let hash = UInt32(truncatingIfNeeded: Self.hash(name, label.valueHash))
        let entry = Entry(
            name: name, value: UInt32(bytes.count), valueCount: label.valueCount, hash: hash, postings: PostingList())
        bytes.append(
            UnsafeBufferPointer(
                start: (source + label.start + Int(label.nameCount)).assumingMemoryBound(to: UInt8.self),
                count: Int(label.valueCount)))
        let index: UInt32
        if let reused = freeEntries.popLast() {
            index = reused
            entries[Int(reused)] = entry
        } else {
            index = UInt32(entries.count)
            entries.append(entry)
        }
        names[Int(name)].values.append(index)
        if (count + 1) * 4 > entryTable.count * 3 {
            rebuildEntryTable()
        } else {
            place(index, hash)
        }
        return index
    }

    private mutating func addName(_ label: LabelColumns.Label, _ source: UnsafeRawPointer) -> UInt32 {
        let text = String(
            decoding: UnsafeRawBufferPointer(start: source + label.start, count: Int(label.nameCount)), as: UTF8.self)
        let index: UInt32
        if let reused = freeNames.popLast() {
            index = reused
            names[Int(reused)] = Name(text: text, hash: label.nameHash)
        } else {
            index = UInt32(names.count)
            names.append(Name(text: text, hash: label.nameHash))
        }
        if names.count * 2 > nameTable.count { rebuildNameTable() } else { placeName(Int(index)) }
        return index
    }

    private func place(_ index: UInt32, _ hash: UInt32) {
        let mask = entryTable.count - 1
        var place = Int(hash) & mask
        while entryTable[place] != 0 { place = (place + 1) & mask }
        entryTable[place] = index + 1
    }

    private mutating func rebuildEntryTable() {
        var size = 64
        while count * 2 > size { size *= 2 }
        entryTable.fill(size, with: 0)
        for index in 0..<entries.count where entries[index].name != .max {
            place(UInt32(index), entries[index].hash)
        }
    }

    private mutating func rebuildNameTable() {
        var size = 64
        while names.count * 4 > size { size *= 2 }
        nameTable.fill(size, with: 0)
        let free = Set(freeNames)
        for index in names.indices where !free.contains(UInt32(index)) { placeName(index) }
    }

    private func placeName(_ index: Int) {
        let mask = nameTable.count - 1
        var place = Int(truncatingIfNeeded: names[index].hash) & mask
        while nameTable[place] != 0 { place = (place + 1) & mask }
        nameTable[place] = UInt32(index) + 1
    }

    @inline(__always) mutating func appendPosting(_ entry: UInt32, _ id: UInt32, _ memory: inout SlabAllocator) {
        entries.base[Int(entry)].postings.append(id, &memory)
    }

    // MARK: Removing

    /// Takes dead series out of the lists of `touched` entries; entries that nobody bears any more are forgotten, and
    /// their numbers may be given to others.
    /// - Parameters:
    ///   - dead: their local ids, rising.
    ///   - living: by local id, `SeriesRecord.freeID` for the dead.
    mutating func remove(
        _ dead: [UInt32], from touched: Set<UInt32>, _ memory: inout SlabAllocator,
        living: borrowing PagedColumn<UInt32>
    ) {
        var emptied: Set<UInt32> = []
        dead.withUnsafeBufferPointer { dead in
            for index in touched {
                entries.base[Int(index)].postings.remove(dead, &memory, living)
                if entries[Int(index)].postings.count == 0 { emptied.insert(index) }
            }
        }
        if !emptied.isEmpty { forget(emptied) }
    }

    private mutating func forget(_ emptied: Set<UInt32>) {
        var affected: Set<UInt32> = []
        for index in emptied {
            let entry = entries[Int(index)]
            affected.insert(entry.name)
            byteGarbage += Int(entry.valueCount)
            unplace(index)
            entries.base[Int(index)].name = .max
            entries.base[Int(index)].valueCount = 0
            freeEntries.append(index)
        }
        for name in affected {
            names[Int(name)].values.removeAll { emptied.contains($0) }
            if names[Int(name)].values.isEmpty {
                names[Int(name)].text = ""
                freeNames.append(name)
            }
        }
        if byteGarbage > 1 << 16, byteGarbage > bytes.count / 2 { compactBytes() }
        rebuildNameTable()
    }

    /// Takes an entry out of the hash table; those behind it in its run move up.
    private func unplace(_ index: UInt32) {
        let mask = entryTable.count - 1
        var hole = Int(entries[Int(index)].hash) & mask
        while entryTable[hole] != index + 1 { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while entryTable[next] != 0 {
            let home = Int(entries[Int(entryTable[next] - 1)].hash) & mask
            if (next - home) & mask >= (next - hole) & mask {
                entryTable[hole] = entryTable[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entryTable[hole] = 0
    }

    private mutating func compactBytes() {
        var kept = FlatBuffer<UInt8>(capacity: bytes.count - byteGarbage + 256)
        for index in 0..<entries.count where entries[index].name != .max {
            let value = value(of: entries[index])
            entries.base[index].value = UInt32(kept.count)
            kept.append(value.assumingMemoryBound(to: UInt8.self))
        }
        bytes = kept
        byteGarbage = 0
    }
}
