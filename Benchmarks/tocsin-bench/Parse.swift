import Sources
import Streams

/// 7 labels, 174 bytes a line, values of some kind: the exposition of a large training job.
struct BenchmarkExposition {
    enum Values: Int { case integers, short, seventeenDigits }

    let bodies: [[UInt8]]
    let seriesCount: Int

    init(series: Int, values: Values, openMetrics: Bool = false) {
        seriesCount = series
        var generator = SeededGenerator(seed: 7)
        bodies = (0..<2).map { _ in
            var text = ""
            for index in 0..<series {
                if index % 100 == 0 {
                    let family = "training_metric_\(index / 100)"
                    text += "# HELP \(family) Something that a training job measures.\n# TYPE \(family) gauge\n"
                }
                text +=
                    "training_metric_\(index / 100){cluster=\"gpu-a\",env=\"production\",framework=\"pytorch\""
                    + ",job=\"training\",job_id=\"run-\(index % 100)\",model=\"transformer-\(index % 20)\",rank=\"\(index % 64)\"} "
                switch values {
                case .integers: text += "\(Int.random(in: 0..<10_000_000, using: &generator))\n"
                case .short: text += "\(Double(Int.random(in: 0..<1_000_000, using: &generator)) / 1000)\n"
                case .seventeenDigits: text += "\(Double.random(in: 0..<1, using: &generator))\n"
                }
            }
            if openMetrics { text += "# EOF\n" }
            return Array(text.utf8) + [UInt8](repeating: 0, count: 64)
        }
    }

    /// The body of one scrape, without the padding.
    func withBody<Result>(_ round: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let bytes = bodies[round % bodies.count]
        return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<(bytes.count - 64)])) }
    }
}

let parse = Benchmark(
    name: "parse",
    summary:
        "a scrape's body into samples (series=100000 values=0:integers,1:short,2:17 digits openmetrics=0 rounds=20)"
) { options in
    let series = options.number("series", 100_000)
    let values = BenchmarkExposition.Values(rawValue: options.number("values", 0)) ?? .integers
    let format: ExpositionFormat = options.number("openmetrics", 0) == 1 ? .openMetrics : .text
    let exposition = BenchmarkExposition(series: series, values: values, openMetrics: format == .openMetrics)
    let rounds = options.number("rounds", 20)
    let size = exposition.bodies[0].count - 64
    print("\(series) series, \(size / series) bytes a line with its share of metadata")

    let before = residentBytes()
    let parser = ScrapeParser()
    var batch = SampleBatch()
    func scrape(_ round: Int) throws -> Int {
        batch.removeAll()
        try exposition.withBody(round) {
            try parser.parse($0, as: format, at: Timestamp(milliseconds: Int64(round) * 1000), epoch: 1, into: &batch)
        }
        let unknown = parser.unknown.count
        if unknown > 0 { parser.resolve((0..<UInt32(unknown)).map { SeriesID(rawValue: $0) }, into: &batch) }
        blackHole(parser.finish())
        return batch.count
    }
    func expect(_ count: Int) { precondition(count == series, "\(count) samples of \(series) came out") }
    var first = Best()
    try await first.measure { try expect(scrape(0)) }
    print("unknown target: \(first.per("sample", series))")
    print("resident: \((residentBytes() - before) / series) bytes a series, the batch included")
    var known = Best()
    for round in 1...rounds { try await known.measure { try expect(scrape(round)) } }
    print("known target: best \(known.per("sample", series))")
    print(
        "  \(rounded(Double(series) * 1000 / Double(known.cpu))) million samples/s, \(rounded(Double(size) / Double(known.cpu))) GB/s of one core"
    )
    guard format == .text else { return }
    // Lines in reverse: every prediction is wrong once.
    let moved = reversedLines(exposition.bodies[0])
    var shuffled = Best()
    for round in 0..<6 {
        let bytes = round % 2 == 0 ? moved : exposition.bodies[0]
        try await shuffled.measure {
            batch.removeAll()
            try bytes.withUnsafeBytes {
                try parser.parse(
                    UnsafeRawBufferPointer(rebasing: $0[..<(bytes.count - 64)]), as: .text,
                    at: Timestamp(milliseconds: 0), epoch: 1, into: &batch)
            }
            blackHole(parser.finish())
        }
    }
    print("known target, lines reversed: best \(shuffled.per("sample", series))")
}

private func reversedLines(_ bytes: [UInt8]) -> [UInt8] {
    let lines = bytes.dropLast(64).split(separator: 0x0A)
    return Array(lines.reversed().joined(separator: [0x0A])) + [0x0A] + [UInt8](repeating: 0, count: 64)
}
