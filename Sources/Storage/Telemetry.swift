import Streams
import Synchronization

/// What storage tells about itself.
final class StorageTelemetry: Sendable {
    /// Why series or batches were refused as a whole.
    enum Limit {
        case series(Int)
        case memory(Int)
        case shard(ShardMemory.AddError)

        var reason: String {
            switch self {
            case .series: "series_limit"
            case .memory: "memory_limit"
            case .shard(.labels): "label_limit"
            case .shard(.ids), .shard(.bytes): "index_full"
            }
        }

        var text: String {
            switch self {
            case .series(let max): "the store has its \(max) series already"
            case .memory(let max): "the store has used its \(max) bytes of memory"
            case .shard(.labels): "a series may have \(SeriesRecord.labelsMax) labels"
            case .shard(.ids): "all series ids are used up; a restart frees them"
            case .shard(.bytes): "the label values of a shard would take more than 4 GiB"
            }
        }
    }

    private struct Source {
        let samples: Counter
        var refused: [String: Counter] = [:]
    }

    private let telemetry: Telemetry
    private let sources = Mutex<[String: Source]>([:])
    /// Sources beyond that are counted together, so that the number of these series is bounded.
    private static let sourcesMax = 1000

    init(_ telemetry: Telemetry, _ store: SeriesStore) {
        self.telemetry = telemetry
        telemetry.collect { [weak store] readings in
            if let store { Self.read(store.counts, into: &readings) }
        }
    }

    private static func read(_ counts: SeriesStore.Counts, into readings: inout [Telemetry.Reading]) {
        func add(_ name: String, _ kind: Telemetry.Kind, _ help: String, _ value: Double) {
            readings.append(Telemetry.Reading(name, kind, help: help, value: value))
        }
        add("tocsin_storage_series", .gauge, "Series that the store holds.", Double(counts.series))
        add("tocsin_storage_chunks", .gauge, "Sealed chunks that the store holds.", Double(counts.chunks))
        add("tocsin_storage_bytes", .gauge, "Memory in use for samples, labels and index.", Double(counts.bytes))
        add(
            "tocsin_storage_held_bytes", .gauge, "Memory held from the system for samples, labels and index.",
            Double(counts.heldBytes))
        add(
            "tocsin_storage_samples_appended_total", .counter, "Samples stored since the start.",
            Double(counts.samplesAppended))
        add(
            "tocsin_storage_chunks_evicted_total", .counter,
            "Chunks dropped before the end of retention because memory was short.", Double(counts.chunksEvicted))
    }

    // MARK: Counting

    func note(_ applied: ShardMemory.Applied, _ source: String) {
        if applied.stored > 0 { samples(source).add(Double(applied.stored)) }
        let report = applied.report
        guard report.refused > 0 else { return }
        count(report.outOfOrder, source, "out_of_order")
        count(report.duplicate, source, "duplicate")
        count(report.outOfBounds, source, "out_of_bounds")
        count(report.unknownSeries, source, "unknown_series")
    }

    func refuseBatch(_ samples: Int, _ source: String, _ error: IngestError) {
        switch error {
        case .saturated: count(samples, source, "saturated")
        case .limit: count(samples, source, "limit")
        case .closed: count(samples, source, "closed")
        }
    }

    func refuseBatch(_ samples: Int, _ source: String, _ limit: Limit) -> IngestError {
        count(samples, source, limit.reason)
        return .limit(limit.text)
    }

    func refuseSeries(_ series: Int, _ limit: Limit) -> IngestError {
        telemetry.counter(
            "tocsin_storage_series_refused_total", help: "New series that were not taken, by reason.",
            labels: ["reason": limit.reason]
        ).add(Double(series))
        return .limit(limit.text)
    }

    private func samples(_ source: String) -> Counter {
        sources.withLock { sources in entry(source, &sources).samples }
    }

    private func count(_ number: Int, _ source: String, _ reason: String) {
        guard number > 0 else { return }
        let counter: Counter = sources.withLock { sources in
            let name = bounded(source, sources)
            var entry = entry(name, &sources)
            let counter =
                entry.refused[reason]
                ?? telemetry.counter(
                    "tocsin_ingest_refused_total", help: "Samples that were not stored, by source and reason.",
                    labels: ["source": name, "reason": reason])
            entry.refused[reason] = counter
            sources[name] = entry
            return counter
        }
        counter.add(Double(number))
    }

    private func bounded(_ source: String, _ sources: [String: Source]) -> String {
        sources[source] != nil || sources.count < Self.sourcesMax ? source : "other"
    }

    private func entry(_ source: String, _ sources: inout [String: Source]) -> Source {
        let name = bounded(source, sources)
        if let known = sources[name] { return known }
        let new = Source(
            samples: telemetry.counter(
                "tocsin_ingest_samples_total", help: "Samples stored, by source.", labels: ["source": name]))
        sources[name] = new
        return new
    }
}
