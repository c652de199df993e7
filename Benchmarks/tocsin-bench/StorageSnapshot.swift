import Glibc
import Storage
import Streams

let storageSnapshot = Benchmark(
    name: "storage-snapshot",
    summary: "a filled store to a file and back (series=100000 rounds=24 shards=cores)"
) { options in
    let count = options.number("series", 100_000)
    let rounds = options.number("rounds", 24)
    let shards = options.number("shards", 0)
    var filled = FilledStore(shards: shards == 0 ? nil : shards)
    try await filled.intern(count)
    for _ in 0..<rounds { try await filled.append(batch: 10_000) }
    let path = "/tmp/tocsin-bench-\(getpid()).snapshot"
    defer { unlink(path) }
    let before = residentBytes()
    var writing = Best()
    func write() async throws -> SnapshotWritten {
        try await writing.measure {
            try await filled.store.writeSnapshot(
                to: path, at: Timestamp(milliseconds: FilledStore.start), blocking: { $0() }, while: { true })
        }
    }
    for _ in 0..<2 { _ = try await write() }
    let written = try await write()
    print("written: \(written.series) series, \(written.samples) samples, \(written.bytes) bytes")
    print("\(rounded(Double(written.bytes) / Double(written.samples))) bytes per sample")
    print("write: \(writing.per("sample", written.samples)), \(writing.wall / 1_000_000) ms in all")
    print("memory while writing: \((residentBytes() - before) >> 20) MiB more")
    var reading = Best()
    for _ in 0..<3 {
        let other = FilledStore(shards: shards == 0 ? nil : shards)
        let read = try await reading.measure {
            try await other.ingest.readSnapshot(from: path, blocking: { $0() }, while: { true })
        }
        guard read?.samples == written.samples else { fatalError("not all samples were read") }
    }
    print("read: \(reading.per("sample", written.samples)), \(reading.wall / 1_000_000) ms in all")
}
