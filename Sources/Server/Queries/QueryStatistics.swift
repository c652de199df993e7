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
}

extension QueryResult {
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
