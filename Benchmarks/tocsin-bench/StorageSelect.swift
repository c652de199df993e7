import Storage
import Streams

let storageSelect = Benchmark(
    name: "storage-select", summary: "selectors over a filled store (series=100000 rounds=40 shards=cores)"
) { options in
    let count = options.number("series", 100_000)
    let rounds = options.number("rounds", 40)
    let shards = options.number("shards", 0)
    var filled = FilledStore(shards: shards == 0 ? nil : shards)
    try await filled.intern(count)
    for _ in 0..<rounds { try await filled.append(batch: 10_000) }
    let end = Timestamp(milliseconds: FilledStore.start + Int64(rounds - 1) * 15_000)
    let name = LabelSet.metricName
    let one = [Matcher(name, equals: "training_metric_7_total")]
    let target = one + [Matcher("job_id", equals: "run-7")]
    let regex = [try Matcher(name, .matches, "training_metric_[0-9]_total"), try Matcher("rank", .notMatches, "1|2")]
    let all = [Matcher("job", equals: "training")]
    let requests: [(String, SelectRequest)] = [
        ("one series, 5 minutes", SelectRequest(matchers: target, start: end - .seconds(300), end: end)),
        ("one metric, newest", SelectRequest(matchers: one, start: end - .seconds(300), end: end, newestOnly: true)),
        ("one metric, 5 minutes", SelectRequest(matchers: one, start: end - .seconds(300), end: end)),
        (
            "regular expressions, newest",
            SelectRequest(matchers: regex, start: end - .seconds(300), end: end, newestOnly: true)
        ),
        ("all, newest", SelectRequest(matchers: all, start: end - .seconds(300), end: end, newestOnly: true)),
        ("all, 5 minutes", SelectRequest(matchers: all, start: end - .seconds(300), end: end)),
        ("all, everything", SelectRequest(matchers: all, start: .distantPast, end: end)),
        (
            "32 changed series, 5 minutes",
            SelectRequest(matchers: all, start: end - .seconds(300), end: end, only: Set(filled.ids[..<32]))
        ),
    ]
    for (title, request) in requests {
        var first = Best()
        _ = try await first.measure { try await filled.store.select(request) }
        var best = Best()
        var block = SeriesBlock()
        for _ in 0..<5 { block = try await best.measure { try await filled.store.select(request) } }
        print("\(title): \(block.count) series, \(block.timestamps.count) samples")
        print("  \(best.per("series", max(1, block.count))); first \(first.per("series", max(1, block.count)))")
    }
}
