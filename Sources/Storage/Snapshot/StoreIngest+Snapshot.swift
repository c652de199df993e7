package import Streams

/// What was taken from a snapshot.
package struct SnapshotRead: Sendable, Equatable {
    /// When it was written.
    package var time = Timestamp.distantPast
    /// Series that the store has because of it.
    package var series = 0
    package var samples = 0
    /// Samples past retention or too far ahead of the clock, in series that have others.
    package var dropped = 0
    /// Series that there was no room for, or parts of them.
    package var refused = 0
    /// Blocks that were damaged, and passed over from there on.
    package var damaged = 0
    /// The file ends before it should, or where the next block begins is not known.
    package var isTruncated = false
    /// It was written in part only, as time was short.
    package var isCut = false
    /// Reading was told to stop before the end.
    package var isAbandoned = false
}

extension StoreIngest {
    /// Takes the series of a snapshot, which may come from a store with another number of shards. Meant for a store into
    /// which nothing came yet: samples that are older than what a series has are dropped. Bounds of the store hold.
    ///
    /// Damage never fails: what is sound is taken, and the answer tells of the rest. The file stays.
    /// - Parameter goesOn: asked between the blocks.
    /// - Returns: nil when there is no snapshot.
    package func readSnapshot(
        from path: String, blocking: @escaping Blocking, while goesOn: @Sendable () -> Bool
    ) async throws(SnapshotFailure) -> SnapshotRead? {
        let opened = try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) -> Opened? in
            guard let file = try SnapshotFile.openExisting(path) else { return nil }
            return Opened(file: file, head: try file.read(SnapshotBlock.fileHeadBytes))
        }
        guard let opened else { return nil }
        var result = SnapshotRead(time: try SnapshotBlock.readFileHead(opened.head))
        let before = store.counts.series
        try await read(opened.file, into: &result, blocking, while: goesOn)
        result.series = store.counts.series - before
        return result
    }

    private func read(
        _ file: SnapshotFile, into result: inout SnapshotRead, _ blocking: @escaping Blocking,
        while goesOn: @Sendable () -> Bool
    ) async throws(SnapshotFailure) {
        var number: UInt64 = 1
        while true {
            guard goesOn() else {
                result.isAbandoned = true
                return
            }
            let block = try await next(file, number, blocking)
            guard let head = block.head, block.payload.count == head.length else {
                result.isTruncated = true
                return
            }
            if !block.isWhole {
                result.damaged += 1
            } else if SnapshotBlock.kind(block.payload) == .end {
                // An end that can't be read is none: what came before may not be all.
                let end = try? SnapshotBlock.readEnd(block.payload)
                result.isCut = end?.isCut ?? true
                return
            } else {
                await take(block.payload, into: &result)
            }
            number += 1
        }
    }

    private struct Opened: Sendable {
        var file: SnapshotFile
        var head: [UInt8]
    }

    private struct Block: Sendable {
        var head: SnapshotBlock.Head?
        var payload: [UInt8] = []
        var isWhole = false
    }

    private func next(
        _ file: SnapshotFile, _ number: UInt64, _ blocking: @escaping Blocking
    ) async throws(SnapshotFailure) -> Block {
        try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) -> Block in
            guard let head = SnapshotBlock.readHead(try file.read(SnapshotBlock.headBytes), number: number) else {
                return Block()
            }
            let payload = try file.read(head.length)
            return Block(
                head: head, payload: payload, isWhole: SnapshotBlock.isWhole(payload, head, number: number))
        }
    }

    private func take(_ payload: [UInt8], into result: inout SnapshotRead) async {
        let now = clock.now()
        let bounds = bounds(at: now)
        var parts: [SnapshotBlock.Part]
        do throws(SnapshotDamage) {
            guard SnapshotBlock.kind(payload) == .series else { throw SnapshotDamage() }
            parts = try SnapshotBlock.parts(payload)
        } catch {
            result.damaged += 1
            return
        }
        // A series that has nothing in retention takes no place in the index.
        parts.removeAll { $0.newest < bounds.lowerBound }
        let ids: [SeriesID]
        do throws(IngestError) {
            ids = try await intern(parts.map(\.labels))
        } catch {
            result.refused += parts.count
            return
        }
        var byShard = [[SnapshotPlace]](repeating: [], count: store.shards.count)
        for (part, id) in zip(parts, ids) {
            byShard[store.layout.shard(of: id)].append(
                SnapshotPlace(id: store.layout.local(of: id.rawValue), body: part.body))
        }
        var taken = SnapshotTaken()
        for (shard, places) in zip(store.shards, byShard) where !places.isEmpty {
            taken.add(await shard.take(payload, places, bounds))
        }
        result.samples += taken.samples
        result.dropped += taken.dropped
        if taken.isDamaged { result.damaged += 1 }
    }
}

/// Where the chunks of a series lie in a block.
struct SnapshotPlace: Sendable {
    /// The local id.
    var id: UInt32
    var body: Range<Int>
}

extension SeriesShard {
    /// Adds the chunks of a block to the shard's series.
    func take(_ payload: [UInt8], _ places: [SnapshotPlace], _ bounds: SampleBounds) -> SnapshotTaken {
        var taken = SnapshotTaken()
        payload.withUnsafeBytes { bytes in
            for place in places {
                taken.add(memory.take(UnsafeRawBufferPointer(rebasing: bytes[place.body]), for: place.id, bounds))
            }
        }
        relieve()
        updateGauges()
        return taken
    }
}
