import Storage
import Streams

/// Ten labels, about 130 bytes in all, as a metric of a training job has them.
func benchmarkLabels(_ series: Int) -> LabelSet {
    let metric = series % 100
    let target = series / 100
    return LabelSet(sorted: [
        Label("__name__", "training_metric_\(metric)_total"), Label("cluster", "gpu-a"),
        Label("env", "production"), Label("framework", "pytorch"),
        Label("instance", "10.0.\(target / 250).\(target % 250):9100"),
        Label("job", "training"), Label("job_id", "run-\(target)"), Label("model", "transformer-\(target % 20)"),
        Label("rank", "\(target % 64)"), Label("team", "ml-\(target % 8)"),
    ])
}

struct BenchmarkClock: WallClock {
    var time: Int64
    func now() -> Timestamp { Timestamp(milliseconds: time) }
    func sleep(until deadline: Timestamp) async throws {}
}

/// A store with `series` series that have had `rounds` scrapes of 15 s.
struct FilledStore {
    static let start: Int64 = 1_700_000_000_000
    let store: SeriesStore
    let ingest: StoreIngest
    var ids: [SeriesID] = []
    var interning = Best()
    var appending = Best()
    var rounds = 0

    init(shards: Int?) {
        store = SeriesStore(shardCount: shards)
        ingest = StoreIngest(
            store, clock: BenchmarkClock(time: Self.start + 3_600_000), listener: nil, telemetry: Telemetry())
    }

    mutating func intern(_ count: Int) async throws {
        for first in stride(from: 0, to: count, by: 10_000) {
            let sets = (first..<min(count, first + 10_000)).map(benchmarkLabels)
            ids += try await interning.measure { try await ingest.intern(sets) }
        }
    }

    /// One scrape of every series, in batches.
    mutating func append(batch size: Int) async throws {
        let time = Self.start + Int64(rounds) * 15_000
        var batch = SampleBatch()
        batch.reserveCapacity(size)
        for first in stride(from: 0, to: ids.count, by: size) {
            batch.removeAll()
            for index in first..<min(ids.count, first + size) {
                batch.append(ids[index], at: time, Double((index * 7 + rounds * (index % 13)) % 100_000))
            }
            if batch.count == size {
                try await appending.measure { _ = try await ingest.submit(batch, from: "bench", patience: .zero) }
            } else {
                _ = try await ingest.submit(batch, from: "bench", patience: .zero)
            }
        }
        rounds += 1
    }
}

let storageAppend = Benchmark(
    name: "storage-append",
    summary: "intern and append, memory per series (series=100000 rounds=24 batch=10000 shards=cores)"
) { options in
    let count = options.number("series", 100_000)
    let size = options.number("batch", 10_000)
    let rounds = options.number("rounds", 24)
    let shards = options.number("shards", 0)
    let before = residentBytes()
    var filled = FilledStore(shards: shards == 0 ? nil : shards)
    try await filled.intern(count)
    let interned = residentBytes()
    let clock = ContinuousClock()
    let start = clock.now
    let cpuStart = cpuNanoseconds()
    for _ in 0..<rounds { try await filled.append(batch: size) }
    let cpu = cpuNanoseconds() - cpuStart
    let elapsed = start.duration(to: clock.now).components
    let wall = Double(elapsed.seconds) * 1e9 + Double(elapsed.attoseconds) / 1e9
    let samples = Double(rounds * count)
    print("intern, batches of 10000: best \(filled.interning.per("series", min(count, 10_000)))")
    print("append, batches of \(size): best \(filled.appending.per("sample", size))")
    print(
        "append, all with making the batches: \(rounded(Double(cpu) / samples)) ns CPU, \(rounded(wall / samples)) ns wall per sample"
    )
    let counts = filled.store.counts
    print(
        "resident per series: \((interned - before) / count) bytes interned, \((residentBytes() - before) / count) with \(rounds) samples"
    )
    print("the store says: \(counts.bytes / count) in use, \(counts.heldBytes / count) held; \(counts.chunks) chunks")
}
