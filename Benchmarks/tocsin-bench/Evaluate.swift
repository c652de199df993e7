import PromQL
import Streams

let evaluate = Benchmark(
    name: "evaluate", summary: "expressions over samples at hand, reading aside (series=10 large=10000 rounds=20000)"
) { options in
    let small = ReadyReader(series: options.number("series", 10), samples: 20)
    let large = ReadyReader(series: options.number("large", 10_000), samples: 240)
    let rounds = options.number("rounds", 20_000)
    let smallQueries = [
        #"training_loss{job="a"}"#, #"training_loss{job="a"} > 0.5"#, "rate(training_loss[5m]) > 0.1",
        "sum by (job) (training_loss)", "max by (job) (training_loss) > 2 * min by (job) (training_loss)",
        "training_loss / on (rank) training_loss", "1 + 1",
    ]
    for query in smallQueries {
        let prepared = try PreparedExpression(PromQLParser.parse(query))
        let evaluator = Evaluator(reader: small)
        var best = Best()
        for _ in 0..<5 {
            try await best.measure {
                for _ in 0..<rounds { blackHole(try await evaluator.instant(prepared, at: small.end)) }
            }
        }
        print("instant, \(small.count) series: \(query)\n  \(best.per("evaluation", rounds))")
    }
    for query in ["training_loss", "rate(training_loss[5m])", "sum by (job) (rate(training_loss[5m]))"] {
        let expression = try PromQLParser.parse(query)
        let evaluator = Evaluator(reader: large)
        var instant = Best()
        var range = Best()
        for _ in 0..<5 {
            blackHole(try await instant.measure { try await evaluator.instant(expression, at: large.end) })
            blackHole(
                try await range.measure {
                    try await evaluator.range(
                        expression, from: large.end - .seconds(3000), through: large.end, step: .seconds(15))
                })
        }
        print("\(large.count) series: \(query)")
        print("  instant: \(instant.per("series", large.count))")
        print("  range of 201 steps: \(range.per("series and step", large.count * 201))")
    }
}

/// Answers every request with the same block, so that evaluation alone is measured.
private struct ReadyReader: SeriesReader {
    private let block: SeriesBlock
    let count: Int
    let end: Timestamp

    init(series: Int, samples: Int) {
        var block = SeriesBlock()
        let start: Int64 = 1_700_000_000_000
        for number in 0..<series {
            let labels: LabelSet = [
                "__name__": "training_loss", "job": number % 2 == 0 ? "a" : "b", "instance": "node-\(number / 8):9400",
                "rank": "\(number)", "cluster": "gpu-a",
            ]
            block.append(
                SeriesID(rawValue: UInt32(number)), labels,
                timestamps: (0..<samples).map { start + Int64($0) * 15_000 },
                values: (0..<samples).map { Double(number + $0) })
        }
        self.block = block
        count = series
        end = Timestamp(milliseconds: start + Int64(samples - 1) * 15_000)
    }

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock { block }
}
