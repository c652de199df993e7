import Storage
import Streams

let storageTrim = Benchmark(
    name: "storage-trim",
    summary:
        "upkeep of a filled store: trim, reload of interests, retiring series (series=100000 rounds=130 shards=cores)"
) { options in
    let count = options.number("series", 100_000)
    let rounds = options.number("rounds", 130)
    let shards = options.number("shards", 0)
    var filled = FilledStore(shards: shards == 0 ? nil : shards)
    try await filled.intern(count)
    for _ in 0..<rounds { try await filled.append(batch: 10_000) }
    let end = Timestamp(milliseconds: FilledStore.start + Int64(rounds) * 15_000)
    func report(_ title: String, _ body: () async throws -> Void) async rethrows {
        var best = Best()
        try await best.measure(body)
        print("\(title): \(best.per("series", count)), \(best.wall / 1_000_000) ms in all")
    }
    await report("trim with nothing to do") { await filled.store.trim(at: end) }
    await report("reload of interests, one series in a hundred") { await filled.store.setInterests(OneMetric()) }
    let ingest = filled.ingest
    for touched in [1, 10_000] {
        var best = Best()
        for round in 0..<5 {
            var batch = SampleBatch()
            for (index, id) in filled.ids.prefix(touched).enumerated() {
                batch.append(id, at: end.milliseconds + Int64(round), Double(index))
            }
            try await best.measure { try await ingest.submit(batch, from: "bench", patience: .zero) }
        }
        print("batch of \(touched), one series in a hundred of interest: \(best.per("sample", touched))")
    }
    let late = end + filled.store.settings.retention + .seconds(1)
    await report("trim that drops all and marks all") { await filled.store.trim(at: late) }
    await report("trim that retires up to 100000 a shard") { await filled.store.trim(at: late + .seconds(60)) }
    print("left: \(filled.store.counts)")
}

private struct OneMetric: InterestResolver {
    func interests(in labels: LabelSet) -> [InterestID] {
        labels.name == "training_metric_7_total" ? [InterestID(rawValue: 1)] : []
    }
}
