package import Streams
import Synchronization

/// The newest exemplars of all series, in memory: for the API's `query_exemplars`. Prometheus's rules hold for what is taken:
/// one that its series had last is passed over, an older one and one with long labels are refused and counted.
package final class ExemplarStore: Sendable {
    /// As many as Prometheus keeps (`storage.exemplars.max_exemplars`).
    package static let standardMax = 100_000

    private let series: SeriesStore
    private let ring: Mutex<ExemplarRing>
    private let appended: Counter
    private let telemetry: Telemetry

    package init(_ series: SeriesStore, max: Int = ExemplarStore.standardMax, telemetry: Telemetry) {
        self.series = series
        ring = Mutex(ExemplarRing(capacity: max))
        self.telemetry = telemetry
        appended = telemetry.counter(
            "tocsin_exemplars_appended_total", help: "Exemplars that were kept, since the start.")
        telemetry.collect { [weak self] readings in
            guard let (count, series, max) = self?.ring.withLock({ ($0.count, $0.seriesCount, $0.capacity) }) else {
                return
            }
            func add(_ name: String, _ help: String, _ value: Int) {
                readings.append(Telemetry.Reading(name, .gauge, help: help, value: Double(value)))
            }
            add("tocsin_exemplars", "Exemplars that are kept.", count)
            add("tocsin_exemplars_max", "Exemplars that can be kept.", max)
            add("tocsin_exemplars_series", "Series that have exemplars.", series)
        }
    }

    /// Changes how many are kept, 0 for none; of too many the newest stay.
    package func resize(to max: Int) { ring.withLock { $0.resize(to: max) } }

    package func keep(_ exemplars: [SeriesExemplar]) async {
        if exemplars.isEmpty { return }
        // The labels of series are asked for once: those that have exemplars already are known here.
        let unknown: Set<SeriesID>? = ring.withLock { ring in
            ring.capacity == 0
                ? nil
                : Set(
                    exemplars.compactMap {
                        if case .id(let id) = $0.series, ring.labels(of: id) == nil { id } else { nil }
                    })
        }
        guard let unknown else { return }
        let labels = unknown.isEmpty ? [:] : await series.labels(of: unknown)
        var taken = 0
        var refused: [String: Int] = [:]
        ring.withLock { ring in
            for item in exemplars {
                var id: SeriesID?
                var owner: LabelSet?
                switch item.series {
                case .id(let number):
                    id = number
                    owner = ring.labels(of: number) ?? labels[number]
                case .labels(let set): owner = set
                }
                guard let owner else {
                    refused["unknown_series", default: 0] += 1
                    continue
                }
                do throws(ExemplarRing.Refusal) {
                    try ring.add(item.exemplar, to: owner, id: id)
                    taken += 1
                } catch {
                    switch error {
                    case .repeated: break
                    case .outOfOrder: refused["out_of_order", default: 0] += 1
                    case .tooLong: refused["label_length", default: 0] += 1
                    case .noRoom: refused["memory_limit", default: 0] += 1
                    }
                }
            }
        }
        appended.add(Double(taken))
        for (reason, count) in refused { refuse(count, reason) }
    }

    private func refuse(_ count: Int, _ reason: String) {
        telemetry.counter(
            "tocsin_exemplars_refused_total", help: "Exemplars that were not kept, by reason.",
            labels: ["reason": reason]
        ).add(Double(count))
    }

    /// The exemplars of the series that one of the selectors accepts, in a time, the ends included; in order of the series.
    package func select(
        _ selectors: [[Matcher]], from start: Timestamp, through end: Timestamp
    ) -> [(labels: LabelSet, exemplars: [Exemplar])] {
        // A copy that is made only if exemplars come meanwhile; they don't wait for the matchers.
        let ring = ring.withLock { $0 }
        return ring.select(selectors, from: start.milliseconds, through: end.milliseconds)
    }
}
