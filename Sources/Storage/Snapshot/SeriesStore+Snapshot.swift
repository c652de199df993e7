package import Streams

/// What was written of a store.
package struct SnapshotWritten: Sendable, Equatable {
    package var series = 0
    package var samples = 0
    package var bytes = 0
    /// It was told to stop before all was written; the series that are in it are there all the same.
    package var isCut = false
}

extension SeriesStore {
    /// Bytes after which the disk is waited for, so that the end has little left to wait for.
    private static var syncedBytes: Int { 32 << 20 }

    /// Writes every series that has samples, with its samples, histograms and starts, to one file that replaces what is
    /// there. Pieces of a quarter of a megabyte, so that others use the shards in between.
    /// - Parameters:
    ///   - time: now.
    ///   - goesOn: asked between the pieces; what is written by then is kept.
    package func writeSnapshot(
        to path: String, at time: Timestamp, blocking: @escaping Blocking, while goesOn: @Sendable () -> Bool
    ) async throws(SnapshotFailure) -> SnapshotWritten {
        let file = try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) in
            let file = try SnapshotFile.create(path)
            try file.write(SnapshotBlock.fileHead(time))
            return file
        }
        do throws(SnapshotFailure) {
            return try await write(to: file, blocking, while: goesOn)
        } catch {
            await blocking { SnapshotFile.discard(path) }
            throw error
        }
    }

    private func write(
        to file: SnapshotFile, _ blocking: @escaping Blocking, while goesOn: @Sendable () -> Bool
    ) async throws(SnapshotFailure) -> SnapshotWritten {
        var written = SnapshotWritten(bytes: SnapshotBlock.fileHeadBytes)
        var number: UInt64 = 0
        var synced = 0
        for shard in shards {
            var cursor = SnapshotCursor()
            while !written.isCut {
                guard goesOn() else {
                    written.isCut = true
                    break
                }
                let step = await shard.nextPiece(cursor)
                guard let piece = step.piece else { break }
                cursor = step.cursor
                number += 1
                let payload = piece.writer.bytes
                let head = SnapshotBlock.head(payload, number: number)
                let isSynced = written.bytes - synced > Self.syncedBytes
                try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) in
                    try file.write(head)
                    try file.write(payload)
                    if isSynced { try file.sync() }
                }
                if isSynced { synced = written.bytes }
                written.series += piece.series
                written.samples += piece.samples
                written.bytes += head.count + payload.count
            }
        }
        let end = SnapshotBlock.end(
            SnapshotBlock.End(isCut: written.isCut, series: written.series, samples: written.samples))
        let head = SnapshotBlock.head(end, number: number + 1)
        written.bytes += head.count + end.count
        try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) in
            try file.write(head)
            try file.write(end)
            try file.finish()
        }
        return written
    }

    /// Removes a snapshot: after its samples were taken, what it says grows old.
    package static func removeSnapshot(_ path: String, blocking: @escaping Blocking) async throws(SnapshotFailure) {
        try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) in try SnapshotFile.remove(path) }
    }

    /// Gives a snapshot that can't be used another name, so that no later start takes it for a new one.
    package static func setSnapshotAside(
        _ path: String, as other: String, blocking: @escaping Blocking
    ) async throws(SnapshotFailure) {
        try await SnapshotFile.run(blocking) { () throws(SnapshotFailure) in
            try SnapshotFile.setAside(path, as: other)
        }
    }
}

extension SeriesShard {
    struct SnapshotStep: Sendable {
        /// Nil at the end.
        var piece: SnapshotPiece?
        var cursor: SnapshotCursor
    }

    func nextPiece(_ cursor: SnapshotCursor) -> SnapshotStep {
        var cursor = cursor
        let piece = memory.nextPiece(&cursor)
        return SnapshotStep(piece: piece, cursor: cursor)
    }
}
