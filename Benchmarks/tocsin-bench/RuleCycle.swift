import PromQL
import Storage
import Streams

let ruleCycle = Benchmark(
    name: "rule-cycle", summary: "one evaluation of many rules over a filled store (series=100000 rules=500 cycles=10)"
) { options in
    let jobs = 50
    let rules = options.number("rules", 500)
    let cycles = options.number("cycles", 10)
    let store = try await filledStore(options.number("series", 100_000), jobs: jobs)
    let end = Timestamp(milliseconds: FilledStore.start + 23 * 15_000)
    var total = Best()
    for (name, text) in ruleKinds {
        let prepared = try (0..<max(1, rules / ruleKinds.count)).map { number in
            let job = "job-\(number % jobs)"
            return try PreparedExpression(PromQLParser.parse(replaced(text, by: job)))
        }
        var best = Best()
        let evaluator = Evaluator(reader: store)
        for _ in 0..<cycles {
            try await best.measure {
                for expression in prepared { blackHole(try await evaluator.instant(expression, at: end)) }
            }
        }
        print("\(name): \(best.per("rule", prepared.count))")
    }
    let all = try (0..<rules).map { number in
        let job = "job-\(number / ruleKinds.count % jobs)"
        return try PreparedExpression(PromQLParser.parse(replaced(ruleKinds[number % ruleKinds.count].text, by: job)))
    }
    let evaluator = Evaluator(reader: store)
    for _ in 0..<cycles {
        try await total.measure {
            for expression in all { blackHole(try await evaluator.instant(expression, at: end)) }
        }
    }
    print("all of them: \(total.per("rule", rules)); \(rounded(Double(total.cpu) / 1e6)) ms CPU a cycle")
}

/// What alerting rules commonly ask, of one job each.
private let ruleKinds: [(name: String, text: String)] = [
    ("a threshold", #"cpu{job="JOB"} > 98"#),
    ("a rate", #"rate(requests_total{job="JOB",code="500"}[5m]) > 5"#),
    (
        "a share",
        #"sum by (instance) (rate(requests_total{job="JOB",code=~"5.."}[5m]))"#
            + #" / sum by (instance) (rate(requests_total{job="JOB"}[5m])) > 0.9"#
    ),
    ("a sum of rates", #"sum by (path) (rate(requests_total{job="JOB"}[5m])) < 0.01"#),
    ("a quantile of instances", #"quantile by (instance) (0.9, cpu{job="JOB"}) > 98"#),
    ("a mean over time", #"avg_over_time(cpu{job="JOB"}[5m]) > 98"#),
    ("a join", #"(cpu{job="JOB"} > 90) * on (instance) group_left (team) info{job="JOB"} > 98"#),
    ("a range", #"max_over_time(cpu{job="JOB"}[5m]) - min_over_time(cpu{job="JOB"}[5m]) > 99"#),
    ("what is missing", #"count by (job) (info{job="JOB"}) < 1 unless count by (job) (requests_total{job="JOB"}) > 0"#),
]

private func replaced(_ text: String, by job: String) -> String {
    text.split(separator: "JOB", omittingEmptySubsequences: false).joined(separator: job)
}

/// Of every instance 40 counters of requests, 9 gauges and one series that tells about it; 24 samples each.
private func filledStore(_ series: Int, jobs: Int) async throws -> SeriesStore {
    let store = SeriesStore(shardCount: nil)
    let ingest = StoreIngest(
        store, clock: BenchmarkClock(time: FilledStore.start + 3_600_000), listener: nil, telemetry: Telemetry())
    let sets = (0..<series).map { number -> LabelSet in
        let instance = number / 50
        var labels: LabelSet = ["instance": "host-\(instance):9100", "job": "job-\(instance % jobs)"]
        switch number % 50 {
        case 0:
            labels["__name__"] = "info"
            labels["team"] = "team-\(instance % 7)"
        case 1..<10:
            labels["__name__"] = "cpu"
            labels["core"] = "\(number % 50)"
        default:
            labels["__name__"] = "requests_total"
            labels["code"] = ["200", "404", "500", "503"][number % 4]
            labels["path"] = "/api/v1/things/\(number % 50 / 4)"
        }
        return labels
    }
    var generator = SeededGenerator(seed: 1)
    for first in stride(from: 0, to: series, by: 10_000) {
        let ids = try await ingest.intern(Array(sets[first..<min(series, first + 10_000)]))
        var counts = ids.map { _ in 0.0 }
        for step in 0..<24 {
            var batch = SampleBatch()
            for (place, id) in ids.enumerated() {
                counts[place] += Double.random(in: 0..<50, using: &generator)
                let isCounter = (first + place) % 50 >= 10
                batch.append(
                    id, at: FilledStore.start + Int64(step) * 15_000,
                    isCounter ? counts[place] : Double.random(in: 0..<100, using: &generator))
            }
            _ = try await ingest.submit(batch, from: "bench", patience: .zero)
        }
    }
    return store
}
