import Streams

/// Puts the samples of pushed groups into the ingest, and remembers the ids of their series for as long as they go on. One
/// task at a time may use it.
final class PushWriter {
    struct Sample {
        var labels: LabelSet
        /// Nil: the series ends here.
        var value: Double?
        var time: Timestamp

        init(_ labels: LabelSet, _ value: Double?, _ time: Timestamp) {
            self.labels = labels
            self.value = value
            self.time = time
        }
    }

    private let ingest: any Ingest
    private var ids: [LabelSet: SeriesID] = [:]
    private var epoch: UInt64 = 0

    init(_ ingest: any Ingest) { self.ingest = ingest }

    /// How many ids are remembered.
    var knownCount: Int { ids.count }

    /// Applies all samples as one batch, or none.
    func write(_ samples: [Sample], patience: Duration) async throws(IngestError) {
        if samples.isEmpty { return }
        let now = ingest.epoch
        if now != epoch {
            ids.removeAll(keepingCapacity: true)
            epoch = now
        }
        let unknown = Set(samples.map(\.labels).filter { ids[$0] == nil }).map(\.self)
        var new: [LabelSet: SeriesID] = [:]
        if !unknown.isEmpty {
            for (labels, id) in zip(unknown, try await ingest.intern(unknown)) { new[labels] = id }
        }
        var batch = SampleBatch()
        batch.reserveCapacity(samples.count)
        for sample in samples {
            guard let id = ids[sample.labels] ?? new[sample.labels] else { continue }
            batch.append(id, at: sample.time.milliseconds, sample.value ?? StaleMarker.value)
        }
        try await ingest.submit(batch, from: PushGateway.key, patience: patience)
        ids.merge(new) { $1 }
        for sample in samples where sample.value == nil { ids[sample.labels] = nil }
    }
}
