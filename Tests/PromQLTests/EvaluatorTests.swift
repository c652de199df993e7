import PromQL
import Streams
import Synchronization
import TestKit
import Testing

/// How an evaluation reads, and how it ends before its time.
@Suite struct EvaluatorTests {
    private static func series() -> MemorySeries {
        var series = MemorySeries()
        for rank in 0..<10 {
            let labels: LabelSet = ["__name__": "loss", "rank": "\(rank)"]
            series.append(labels, (0...60).map { (Timestamp(milliseconds: $0 * 1000), Double($0)) })
        }
        return series
    }

    private static let minute = Timestamp(milliseconds: 60_000)

    private func error(
        of query: String, _ settings: EvaluationSettings = EvaluationSettings(), over reader: some SeriesReader
    ) async throws -> EvaluationError? {
        let expression = try PromQLParser.parse(query, options: .everything)
        do throws(EvaluationError) {
            _ = try await Evaluator(reader: reader, settings: settings).instant(expression, at: Self.minute)
            return nil
        } catch {
            return error
        }
    }

    @Test func `equal selectors are read once, each for just the time it needs`() async throws {
        let reader = CountingReader(Self.series())
        let expression = try PromQLParser.parse("loss > 5 and loss < 60 or rate(loss[30s] offset 10s) > 0")
        _ = try await Evaluator(reader: reader).instant(expression, at: Self.minute)
        let times = reader.requests.map { [$0.start.milliseconds, $0.end.milliseconds] }
        #expect(times.sorted { $0[0] < $1[0] } == [[-239_999, 60_000], [20_001, 50_000]])
    }

    @Test(
        "Sums over the windows of a range are those of each window by itself, to the last bit",
        arguments: ["avg_over_time", "sum_over_time"])
    func sums(_ function: String) async throws {
        let odd: [Double] = [
            .infinity, -.infinity, .nan, -0.0, .greatestFiniteMagnitude, 1e300, .leastNonzeroMagnitude, -1e16, 0.1,
        ]
        var series = MemorySeries()
        var random = SeededGenerator(seed: 7)
        for row in 0..<40 {
            var samples: [(Timestamp, Double)] = []
            for second in 0..<300 where row % 3 > 0 || random.next() % 5 > 0 {
                let value = Double(Int64(bitPattern: random.next()) >> Int64(row % 40)) / 1000
                let isOdd = row % 4 == 0 && random.next() % 20 == 0
                samples.append((Timestamp(milliseconds: Int64(second) * 1000), isOdd ? odd[second % odd.count] : value))
            }
            series.append(["__name__": "loss", "rank": "\(row)"], samples)
        }
        let evaluator = Evaluator(reader: series)
        let expression = try PromQLParser.parse("\(function)(loss[20s])")
        let range = try await evaluator.range(
            expression, from: Timestamp(milliseconds: 5000), through: Timestamp(milliseconds: 330_000),
            step: .seconds(3))
        guard case .matrix(let rows) = range.value else { return #expect(Bool(false)) }
        var found: [Timestamp: [LabelSet: UInt64]] = [:]
        for row in rows {
            for (time, value) in zip(row.timestamps, row.values) {
                found[Timestamp(milliseconds: time), default: [:]][row.labels] = value.bitPattern
            }
        }
        for second in stride(from: 5, through: 330, by: 3) {
            let time = Timestamp(milliseconds: Int64(second) * 1000)
            guard case .vector(let samples) = try await evaluator.instant(expression, at: time).value else { continue }
            let alone = Dictionary(uniqueKeysWithValues: samples.map { ($0.labels, $0.value.bitPattern) })
            #expect(found[time, default: [:]] == alone)
        }
    }

    @Test(
        "A name that is dropped matters to nobody, and shows nowhere",
        arguments: [
            ("rate(loss[30s]) > 0", ["rank"]), ("2 * rate(loss[30s]) >= 2", ["rank"]),
            ("topk(3, rate(loss[30s]))", ["rank"]), ("sum by (rank) (rate(loss[30s]))", ["rank"]),
            ("sum by (__name__, rank) (rate(loss[30s]))", ["rank"]), ("max without (rank) (rate(loss[30s]))", []),
            ("rate(loss[30s]) * loss", ["rank"]), ("rate(loss[30s]) * on (rank) group_left () loss", ["rank"]),
            ("rate(loss[30s]) * on (__name__, rank) rate(loss[30s])", ["rank"]),
            ("(rate(loss[30s]) > 0) == bool 1", ["rank"]), ("limit_ratio(1, rate(loss[30s]))", ["rank"]),
            ("last_over_time(loss[30s]) > 0", ["__name__", "rank"]), ("loss > 3", ["__name__", "rank"]),
            ("count_values(\"value\", rate(loss[30s]))", ["value"]),
        ])
    func names(_ query: String, _ expected: [String]) async throws {
        let expression = try PromQLParser.parse(query, options: .everything)
        let evaluator = Evaluator(reader: Self.series())
        guard case .vector(let samples) = try await evaluator.instant(expression, at: Self.minute).value else {
            return #expect(Bool(false))
        }
        #expect(!samples.isEmpty)
        for sample in samples { #expect(sample.labels.map(\.name) == expected) }
        let range = try await evaluator.range(
            expression, from: Timestamp(milliseconds: 50_000), through: Self.minute, step: .seconds(1))
        guard case .matrix(let rows) = range.value else { return #expect(Bool(false)) }
        #expect(!rows.isEmpty)
        for row in rows { #expect(row.labels.map(\.name) == expected) }
    }

    @Test func `an expression without selectors reads nothing`() async throws {
        let reader = CountingReader(Self.series())
        let result = try await Evaluator(reader: reader).instant(PromQLParser.parse("1 + 1"), at: Self.minute)
        guard case .scalar(let value, at: Self.minute) = result.value else { return #expect(Bool(false)) }
        #expect(value == 2)
        #expect(reader.requests.isEmpty)
    }

    @Test func `only the series asked for are read`() async throws {
        var settings = EvaluationSettings()
        settings.only = [SeriesID(rawValue: 3)]
        let evaluator = Evaluator(reader: Self.series(), settings: settings)
        let result = try await evaluator.instant(PromQLParser.parse("loss > 1"), at: Self.minute)
        guard case .vector(let samples) = result.value else { return #expect(Bool(false)) }
        #expect(samples.map(\.labels["rank"]) == ["3"])
    }

    @Test("Too many samples are refused", arguments: ["loss[1m]", "sum(rate(loss[1m]))", "vector(1)[100d:1ms]"])
    func refuses(_ query: String) async throws {
        var settings = EvaluationSettings()
        settings.samplesMax = 100
        let error = try #require(await error(of: query, settings, over: Self.series()))
        #expect(error == .tooManySamples)
        #expect(
            error.description
                == "query processing would load too many samples into memory in query execution")
    }

    @Test(
        "Label values that multiply are refused",
        arguments: [
            (#"label_join("#, #", "rank", "", "rank", "rank", "rank")"#),
            (#"label_replace("#, #", "rank", "$1$1$1$1$1$1$1$1", "rank", "(.*)")"#),
        ])
    func refusesGrowth(_ before: String, _ after: String) async throws {
        let query = String(repeating: before, count: 60) + "loss" + String(repeating: after, count: 60)
        var settings = EvaluationSettings()
        settings.samplesMax = 100_000
        #expect(try await error(of: query, settings, over: Self.series()) == .tooManySamples)
    }

    @Test func `a range query has a bounded number of steps`() async throws {
        let evaluator = Evaluator(reader: Self.series())
        let expression = try PromQLParser.parse("loss")
        await #expect(throws: EvaluationError.tooManySteps(limit: 11_000)) {
            try await evaluator.range(
                expression, from: Timestamp(milliseconds: 0), through: Timestamp(milliseconds: 11_000_000),
                step: .seconds(1))
        }
        #expect(
            EvaluationError.tooManySteps(limit: 11_000).description
                == "exceeded maximum resolution of 11,000 points per timeseries."
                + " Try decreasing the query resolution (?step=XX)")
    }

    @Test func `a range query wants a scalar or an instant vector`() async throws {
        let evaluator = Evaluator(reader: Self.series())
        let start = Timestamp(milliseconds: 0)
        for query in ["loss[1m]", "\"text\""] {
            let expression = try PromQLParser.parse(query)
            await #expect(throws: EvaluationError.self) {
                try await evaluator.range(expression, from: start, through: Self.minute, step: .seconds(1))
            }
        }
        let one = try await evaluator.range(
            PromQLParser.parse("1"), from: start, through: start, step: .seconds(1))
        guard case .matrix(let matrix) = one.value else { return #expect(Bool(false)) }
        #expect(matrix.count == 1 && matrix[0].labels.isEmpty && matrix[0].values == [1])
    }

    @Test func `a canceled task and a passed deadline end a long evaluation`() async throws {
        var settings = EvaluationSettings()
        settings.isPastDeadline = { true }
        let query = "max_over_time(sum by (rank) (loss)[10h:1s])"
        let chain = Array(repeating: query, count: 40).joined(separator: " or ")
        #expect(try await error(of: chain, settings, over: Self.series()) == .timedOut)
        let task = Task { try await self.error(of: chain, over: CancelingReader(series: Self.series())) }
        #expect(try await task.value == .canceled)
    }

    @Test(
        "A canceled query ends in the middle of its work",
        arguments: [
            "wide + on (rank, n) wide2", "wide and on (rank) wide2", "sum by (rank) (wide)", "sort(wide)", "abs(wide)",
            "label_join(wide, \"a\", \"\", \"rank\")", "-wide", "round(wide, 2)", "wide * 2", "rate(wide[1m])",
            "(vector(time()) + vector(time()))[30d:1s]", "(abs(vector(time())))[30d:1s]", "quantile(0.5, wide)",
        ])
    func endsInTheMiddle(_ query: String) async throws {
        let asked = Mutex(0)
        var settings = EvaluationSettings()
        settings.isPastDeadline = {
            asked.withLock { count in
                count += 1
                return true
            }
        }
        #expect(try await error(of: query, settings, over: Self.wide) == .timedOut)
        #expect(asked.withLock { $0 } == 1)
    }

    /// Two metrics of 9,000 series.
    private static let wide: MemorySeries = {
        var series = MemorySeries()
        for number in 0..<9_000 {
            for name in ["wide", "wide2"] {
                series.append(
                    ["__name__": name, "rank": "\(number % 100)", "n": "\(number)"],
                    [(Timestamp(milliseconds: 30_000), Double(number)), (minute, Double(number))])
            }
        }
        return series
    }()

    @Test func `what the reader cannot give is an error of the query`() async throws {
        #expect(try await error(of: "loss", over: BrokenReader()) == .unavailable("shard 3 is restarting"))
    }

    @Test(
        "Times beyond all bounds give an answer and no trap",
        arguments: [
            "loss @ 9223372036854770", "rate(loss[5m] @ -9223372036854770)", "loss offset 200y", "loss offset -200y",
            "sum_over_time(loss[200y:100y])", "year(vector(1e300))", "hour(vector(NaN))", "topk(1e10, loss)",
        ])
    func survives(_ query: String) async throws {
        #expect(try await error(of: query, over: Self.series()) == nil)
        for time in [Int64.min, .max] {
            let expression = try PromQLParser.parse(query)
            let evaluator = Evaluator(reader: Self.series())
            _ = try? await evaluator.instant(expression, at: Timestamp(milliseconds: time))
        }
    }

    @Test(
        "An expression as deep as the parser lets through is evaluated",
        arguments: [
            ("abs(", "loss", ")"), ("-(", "loss", ")"), ("sum by (rank) (", "loss", ")"), ("", "loss", " or loss"),
            ("1 + (", "loss", ")"), ("", "loss", " * 1"), ("max_over_time(", "loss", "[1m:30s])"),
            ("label_replace(", "loss", #", "a", "b", "c", "d")"#), ("scalar(vector(", "1", "))"),
        ])
    func goesDeep(_ before: String, _ core: String, _ after: String) async throws {
        var depth = PromQLParser.depthMax
        var expression: Expression?
        while expression == nil, depth > 0 {
            depth -= 1
            let text =
                String(repeating: before, count: depth) + core + String(repeating: after, count: depth)
            expression = try? PromQLParser.parse(text)
        }
        let deepest = try #require(expression)
        _ = ExpressionProfile(deepest)
        _ = try await Evaluator(reader: Self.series()).instant(deepest, at: Self.minute)
    }

    @Test func `a prepared expression can be asked again and again`() async throws {
        let prepared = try PreparedExpression(
            PromQLParser.parse(#"label_replace(loss{rank=~"[12]"}, "a", "b", "", "")"#))
        let evaluator = Evaluator(reader: Self.series())
        for second in [10, 20] {
            let result = try await evaluator.instant(prepared, at: Timestamp(milliseconds: Int64(second) * 1000))
            guard case .vector(let samples) = result.value else { return #expect(Bool(false)) }
            #expect(samples.map(\.value) == [Double(second), Double(second)])
        }
    }
}

/// Remembers what was asked of it.
private final class CountingReader: SeriesReader {
    private let series: MemorySeries
    private let asked = Mutex<[SelectRequest]>([])

    init(_ series: MemorySeries) { self.series = series }

    var requests: [SelectRequest] { asked.withLock { $0 } }

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        asked.withLock { $0.append(request) }
        return try await series.select(request)
    }
}

/// Cancels the task that reads: by the time it computes, nobody waits for the result.
private struct CancelingReader: SeriesReader {
    let series: MemorySeries

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await series.select(request)
    }
}

private struct BrokenReader: SeriesReader {
    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        throw .unavailable("shard 3 is restarting")
    }
}
