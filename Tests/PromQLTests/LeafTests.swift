import Streams
import Testing

@testable import PromQL

/// Gives what it has in parts of a few series each, as storage does with large selections.
struct PartedSeries: SeriesReader {
    var block: SeriesBlock
    var parts: Int

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        rows(Array(0..<block.count), request)
    }

    func selection(_ request: SelectRequest) async throws(ReadError) -> SeriesSelection {
        .parts(
            (0..<parts).map { part in
                Cursor(reader: self, rows: (0..<block.count).filter { $0 % parts == part }, request: request)
            })
    }

    struct Cursor: SeriesCursor {
        let reader: PartedSeries
        var rows: [Int]
        let request: SelectRequest

        mutating func next(reusing block: consuming SeriesBlock) async throws(ReadError) -> SeriesBlock? {
            if rows.isEmpty { return nil }
            let some = Array(rows.prefix(2))
            rows.removeFirst(some.count)
            return reader.rows(some, request)
        }
    }

    func rows(_ rows: [Int], _ request: SelectRequest) -> SeriesBlock {
        var result = SeriesBlock()
        for row in rows where request.matchers.allSatisfy({ $0.accepts(block.labels[row][$0.name] ?? "") }) {
            let samples = (block.bounds[row]..<block.bounds[row + 1]).filter {
                (request.start.milliseconds...request.end.milliseconds).contains(block.timestamps[$0])
            }
            if samples.isEmpty { continue }
            var histograms: [NativeHistogram] = []
            let values = samples.map { sample in
                let value = block.values[sample]
                guard value.isHistogram else { return value }
                histograms.append(block.histograms[value.histogramPlace])
                return Double.histogram(at: histograms.count - 1)
            }
            result.append(
                block.ids[row], block.labels[row], timestamps: samples.map { block.timestamps[$0] }, values: values,
                histograms: histograms)
        }
        return result
    }
}

@Suite struct LeafTests {
    private static func data(histograms: Bool) -> SeriesBlock {
        var block = SeriesBlock()
        for row in 0..<23 {
            let labels: LabelSet = [
                "__name__": row % 5 == 0 ? "size" : "hits_total", "row": "\(row)", "job": "\(row % 3)",
            ]
            var times: [Int64] = []
            var values: [Double] = []
            var found: [NativeHistogram] = []
            for sample in 0..<60 where (sample * 7 + row) % 11 != 0 {
                times.append(Int64(sample) * 15_000 + Int64(row))
                if sample == 40 {
                    values.append(StaleMarker.value)
                } else if histograms, row == 7 {
                    found.append(NativeHistogram(count: Double(sample), sum: Double(sample)))
                    values.append(.histogram(at: found.count - 1))
                } else {
                    values.append(Double((sample * (row + 1)) % 97))
                }
            }
            block.append(
                SeriesID(rawValue: UInt32(row)), labels, timestamps: times, values: values, histograms: found)
        }
        return block
    }

    @Test(
        "What is read in parts gives what it gives as a whole",
        arguments: [
            "hits_total", "rate(hits_total[2m])", "sum by (job) (rate(hits_total[5m]))", "size offset 1m",
            "quantile_over_time(0.5, size[3m])", "quantile_over_time(2, size[3m])", "rate(size[2m])",
            "sum(hits_total) / count(size)", "max_over_time(sum by (job) (rate(hits_total[1m]))[3m:30s])",
            "absent_over_time(nothing[5m])", "timestamp(size) + size", "count({row=~\".+\"} @ 300)",
            "last_over_time({job=\"1\"}[2m])", "predict_linear(size[4m], -60)", "increase(hits_total[2m:20s])",
            "rate(hits_total[2m]) > bool 0.5 and on (row) hits_total", "histogram_count(hits_total)",
        ], [false, true])
    func parted(_ text: String, histograms: Bool) async throws {
        let expression = try PromQLParser.parse(text)
        let block = Self.data(histograms: histograms)
        var answers: [[String]] = []
        for parts in [1, 4] {
            let evaluator = Evaluator(reader: PartedSeries(block: block, parts: parts))
            let instant = try await evaluator.instant(expression, at: Timestamp(milliseconds: 590_000))
            let range = try await evaluator.range(
                expression, from: Timestamp(milliseconds: 0), through: Timestamp(milliseconds: 900_000),
                step: .seconds(20))
            answers.append(Self.lines(instant) + Self.lines(range))
        }
        let whole = MemorySeriesOfBlock(block: block)
        let evaluator = Evaluator(reader: whole)
        let instant = try await evaluator.instant(expression, at: Timestamp(milliseconds: 590_000))
        let range = try await evaluator.range(
            expression, from: Timestamp(milliseconds: 0), through: Timestamp(milliseconds: 900_000),
            step: .seconds(20))
        let expected = Self.lines(instant) + Self.lines(range)
        #expect(answers == [expected, expected])
    }

    /// The reader without parts.
    private struct MemorySeriesOfBlock: SeriesReader {
        var block: SeriesBlock
        func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
            try await PartedSeries(block: block, parts: 1).select(request)
        }
    }

    /// Values rounded: sums of parts in another order differ in the last digits.
    private static func lines(_ result: QueryResult) -> [String] {
        func text(_ value: Double, _ histogram: NativeHistogram?) -> String {
            if let histogram { return "\(histogram.count) \(histogram.sum)" }
            return formatFloat(value, .exponent, precision: 9)
        }
        var lines: [String] = []
        switch result.value {
        case .vector(let samples):
            lines = samples.map { "\($0.labels) \(text($0.value, $0.histogram)) @\($0.timestamp.milliseconds)" }
        case .matrix(let series):
            for one in series {
                for (place, time) in one.timestamps.enumerated() {
                    let value = one.values[place]
                    let histogram = value.isHistogram ? one.histograms[value.histogramPlace] : nil
                    lines.append("\(one.labels) \(text(value, histogram)) @\(time)")
                }
            }
        case .scalar(let value, _): lines = [text(value, nil)]
        case .string(let value, _): lines = [value]
        }
        return lines.sorted() + result.annotations.map { $0.text(in: "") }.sorted()
    }

    @Test func `a query over more samples than allowed is refused while it reads`() async throws {
        var settings = EvaluationSettings()
        settings.samplesMax = 500
        let evaluator = Evaluator(
            reader: PartedSeries(block: Self.data(histograms: false), parts: 3), settings: settings)
        await #expect(throws: EvaluationError.tooManySamples) {
            try await evaluator.instant(
                PromQLParser.parse("sum(rate(hits_total[10m]))"), at: Timestamp(milliseconds: 600_000))
        }
    }
}
