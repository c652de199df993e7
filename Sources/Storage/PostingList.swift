/// The local ids of the series that bear one label, rising. A single id, the common case of a value that one series
/// has, lies in the list itself; memory comes from the shard's allocator.
struct PostingList: BitwiseCopyable {
    private(set) var count: UInt32 = 0
    /// 0: there is no memory, `storage` is the one id.
    private var capacity: UInt32 = 0
    private var storage: UInt64 = 0

    /// What the list holds beside itself, in bytes.
    private var byteCount: Int { Int(capacity) * 4 }

    private var base: UnsafeMutablePointer<UInt32>? { UnsafeMutablePointer(bitPattern: UInt(storage)) }

    /// The ids in order, for as long as `body` runs.
    @inline(__always) func withIDs<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt32>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if capacity > 0 { return try body(UnsafeBufferPointer(start: base, count: Int(count))) }
        var single = UInt32(truncatingIfNeeded: storage)
        return try withUnsafePointer(to: &single) { pointer throws(Failure) in
            try body(UnsafeBufferPointer(start: pointer, count: Int(count)))
        }
    }

    /// - Parameter id: above all that are in the list.
    mutating func append(_ id: UInt32, _ memory: inout SlabAllocator) {
        if count == 0, capacity == 0 {
            storage = UInt64(id)
            count = 1
            return
        }
        if count == max(1, capacity) { grow(&memory) }
        base.unsafelyUnwrapped[Int(count)] = id
        count += 1
    }

    private mutating func grow(_ memory: inout SlabAllocator) {
        // By a quarter when it is long: most of the index's memory is in a few long lists.
        let wanted = count < 64 ? Int(count) * 2 + 2 : Int(count) + Int(count) / 4
        resize(to: memory.roundedUp(wanted * 4) / 4, &memory)
    }

    private mutating func resize(to wanted: Int, _ memory: inout SlabAllocator) {
        let target = memory.allocate(wanted * 4).bindMemory(to: UInt32.self, capacity: wanted)
        withIDs { ids in
            if let source = ids.baseAddress { target.update(from: source, count: ids.count) }
        }
        if let base { capacity > 0 ? memory.free(base, byteCount) : () }
        storage = UInt64(UInt(bitPattern: target))
        capacity = UInt32(wanted)
    }

    /// Takes out ids that are gone, and gives memory back when most of it is idle.
    /// - Parameter dead: the ids that may be gone since the last time, rising.
    mutating func remove(
        _ dead: UnsafeBufferPointer<UInt32>, _ memory: inout SlabAllocator, _ living: borrowing PagedColumn<UInt32>
    ) {
        guard capacity > 0, let base else {
            if count == 1, !Self.stays(UInt32(truncatingIfNeeded: storage), living) { count = 0 }
            return
        }
        let kept = dead.count * 8 < Int(count) ? cut(dead, base) : filter(base, living)
        count = UInt32(kept)
        if kept == 0 {
            release(&memory)
        } else if kept * 4 < Int(capacity), capacity > 16 {
            resize(to: memory.roundedUp(kept * 4) / 4, &memory)
        }
    }

    /// Asks for every id of the list.
    private func filter(_ base: UnsafeMutablePointer<UInt32>, _ living: borrowing PagedColumn<UInt32>) -> Int {
        var kept = 0
        for index in 0..<Int(count) where Self.stays(base[index], living) {
            base[kept] = base[index]
            kept += 1
        }
        return kept
    }

    /// Looks up the few that are dead in a long list, and moves together what lies between them.
    private func cut(_ dead: UnsafeBufferPointer<UInt32>, _ base: UnsafeMutablePointer<UInt32>) -> Int {
        var kept = 0
        var start = 0
        for id in dead {
            let rest = UnsafeBufferPointer(start: base + start, count: Int(count) - start)
            let place = start + rest.firstPlace { $0 >= id }
            guard place < Int(count) else { break }
            guard base[place] == id else { continue }
            if kept < start { (base + kept).update(from: base + start, count: place - start) }
            kept += place - start
            start = place + 1
        }
        if kept < start { (base + kept).update(from: base + start, count: Int(count) - start) }
        return kept + Int(count) - start
    }

    private static func stays(_ id: UInt32, _ living: borrowing PagedColumn<UInt32>) -> Bool {
        (living.place(Int(id))?.pointee ?? SeriesRecord.freeID) != SeriesRecord.freeID
    }

    /// Frees the memory; the list is empty after it.
    mutating func release(_ memory: inout SlabAllocator) {
        if capacity > 0, let base { memory.free(base, byteCount) }
        self = PostingList()
    }
}
