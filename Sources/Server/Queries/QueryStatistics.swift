import PromQL
import Storage
import Streams
import Synchronization

/// Reads for one query, and counts the samples that come.
struct CountingReader: SeriesReader {
    final class Count: Sendable {
        private let samples = Atomic(0)
        var value: Int { samples.load(ordering: .relaxed) }
        func add(_ number: Int) { samples.wrappingAdd(number, ordering: .relaxed) }
    }

    let store: SeriesStore
    let count = Count()

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        let block = try await store.select(request)
        count.add(block.timestamps.count)
        return block
    }

    func selection(_ request: SelectRequest) async throws(ReadError) -> SeriesSelection {
        switch try await store.selection(request) {
        case .whole(let block):
            count.add(block.timestamps.count)
            return .whole(block)
        case .parts(let cursors): return .parts(cursors.map { CountingCursor($0, count) })
        }
    }
}

/// Counts what a cursor brings, and ends with its query.
private struct CountingCursor: SeriesCursor {
    private var cursor: any SeriesCursor
    private let count: CountingReader.Count

    init(_ cursor: any SeriesCursor, _ count: CountingReader.Count) {
        self.cursor = cursor
        self.count = count
    }

    mutating func next(reusing block: consuming SeriesBlock) async throws(ReadError) -> SeriesBlock? {
        if Task.isCancelled { throw .unavailable("reading was cancelled") }
        let next = try await cursor.next(reusing: block)
        count.add(next?.timestamps.count ?? 0)
        return next
    }
}

extension QueryResult {
    private static let pointBytes = 16
    private static let histogramBytes = 512

    /// About how much memory it takes.
    var bytes: Int {
        switch value {
        case .scalar: Self.pointBytes
        case .string(let text, _): text.utf8.count
        case .vector(let samples):
            samples.reduce(0) {
                $0 + AnswerSize.bytes(of: $1.labels) + Self.pointBytes + ($1.histogram == nil ? 0 : Self.histogramBytes)
            }
        case .matrix(let series):
            series.reduce(0) {
                $0 + AnswerSize.bytes(of: $1.labels) + $1.timestamps.count * Self.pointBytes
                    + $1.histograms.count * Self.histogramBytes
            }
        }
    }

    /// How many samples it holds.
    var sampleCount: Int {
        switch value {
        case .scalar, .string: 1
        case .vector(let samples): samples.count
        case .matrix(let series): series.reduce(0) { $0 + $1.timestamps.count }
        }
    }
}

/// What `stats=` adds to an answer, in Prometheus's form.
enum QueryStatistics {
    static func json(_ timings: QueryRunner.Timings, samplesRead: Int, samplesMade: Int) -> JSONValue {
        func seconds(_ duration: Duration) -> JSONValue { .number(formatFloat(duration.inSeconds, .fixed)) }
        let evaluated = seconds(timings.prepared + timings.evaluated)
        return [
            "timings": [
                "evalTotalTime": evaluated, "resultSortTime": 0, "queryPreparationTime": seconds(timings.prepared),
                "innerEvalTime": seconds(timings.evaluated), "execQueueTime": seconds(timings.queued),
                "execTotalTime": seconds(timings.queued + timings.prepared + timings.evaluated),
            ],
            // Samples that were read, each once, however many steps of a range look at it.
            "samples": [
                "totalQueryableSamples": .integer(Int64(samplesRead)), "samplesRead": .integer(Int64(samplesRead)),
                "peakSamples": .integer(Int64(samplesRead + samplesMade)),
            ],
        ]
    }
}
