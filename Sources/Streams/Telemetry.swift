import Synchronization

/// The program's metrics about itself. Families are declared once, in a module's `Telemetry.swift`; `/metrics` prints all.
package final class Telemetry: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram, summary }

    private struct Family {
        let name: String
        let help: String
        let kind: Kind
        let bounds: [Double]
        var children: [LabelSet: Instrument] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var collectors: [@Sendable (inout [Reading]) -> Void] = []
    }

    /// One value that a collector reads at scrape time.
    package struct Reading: Sendable {
        package var name: String
        package var help: String
        package var kind: Kind
        package var labels: LabelSet
        package var value: Double
        package init(_ name: String, _ kind: Kind, help: String, labels: LabelSet = LabelSet(), value: Double) {
            self.name = name
            self.kind = kind
            self.help = help
            self.labels = labels
            self.value = value
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func counter(_ name: String, help: String, labels: LabelSet = LabelSet()) -> Counter {
        Counter(instrument(name, help, .counter, [], labels))
    }

    package func gauge(_ name: String, help: String, labels: LabelSet = LabelSet()) -> Gauge {
        Gauge(instrument(name, help, .gauge, [], labels))
    }

    /// - Parameter bounds: upper bounds of the buckets, rising, without +Inf.
    package func histogram(
        _ name: String, help: String, labels: LabelSet = LabelSet(), bounds: [Double] = Telemetry.secondsBounds
    ) -> Histogram {
        Histogram(instrument(name, help, .histogram, bounds, labels))
    }

    /// Quantiles of what was observed last, beside the sum and the count of everything.
    /// - Parameter quantiles: rising, each in 0...1.
    package func summary(
        _ name: String, help: String, labels: LabelSet = LabelSet(), quantiles: [Double]
    ) -> Summary {
        Summary(instrument(name, help, .summary, quantiles, labels))
    }

    package static let secondsBounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    /// Calls `collect` at every reading: for values that live elsewhere, such as the counts of an edge.
    package func collect(_ collect: @escaping @Sendable (inout [Reading]) -> Void) {
        state.withLock { $0.collectors.append(collect) }
    }

    private func instrument(
        _ name: String, _ help: String, _ kind: Kind, _ bounds: [Double], _ labels: LabelSet
    ) -> Instrument {
        state.withLock { state in
            var family = state.families[name] ?? Family(name: name, help: help, kind: kind, bounds: bounds)
            precondition(family.kind == kind, "metric \(name) is declared as two kinds")
            let child = family.children[labels] ?? Instrument(kind, bounds: family.bounds)
            family.children[labels] = child
            state.families[name] = family
            return child
        }
    }

    /// Removes the series of that label set, for things that are gone.
    package func remove(_ name: String, labels: LabelSet) {
        state.withLock { _ = $0.families[name]?.children.removeValue(forKey: labels) }
    }

    /// All metrics as they stand now: families and series in order of their names.
    package func families() -> [MetricFamilyReading] {
        let (families, collectors) = state.withLock { ($0.families, $0.collectors) }
        var found: [String: MetricFamilyReading] = [:]
        for family in families.values where !family.children.isEmpty {
            let series = family.children.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            found[family.name] = MetricFamilyReading(
                name: family.name, help: family.help, kind: family.kind,
                series: series.map { .init(labels: $0.key, value: $0.value.read()) })
        }
        var readings: [Reading] = []
        for collect in collectors { collect(&readings) }
        for reading in readings {
            let family = MetricFamilyReading(name: reading.name, help: reading.help, kind: reading.kind, series: [])
            found[reading.name, default: family].series.append(
                .init(labels: reading.labels, value: .number(reading.value)))
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// All metrics in the text format 0.0.4.
    package func exposition() -> String { families().map(\.text).joined() }
}

/// The memory behind one series of the program's own metrics.
final class Instrument: Sendable {
    private struct Observations {
        /// By bucket; of a histogram only.
        var counts: [UInt64]
        var sum = 0.0
        var count: UInt64 = 0
        /// A ring of what came last; of a summary only.
        var recent: [Double] = []

        /// So many observations make the quantiles of a summary.
        static let recentMax = 500
    }

    private let kind: Telemetry.Kind
    private let bits = Atomic<UInt64>(0)
    /// The buckets' upper bounds of a histogram, the quantiles of a summary.
    private let bounds: [Double]
    private let observations: Mutex<Observations>

    init(_ kind: Telemetry.Kind, bounds: [Double]) {
        self.kind = kind
        self.bounds = bounds
        observations = Mutex(
            Observations(counts: Array(repeating: 0, count: kind == .histogram ? bounds.count + 1 : 0)))
    }

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (done, seen) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if done { return }
            old = seen
        }
    }

    func observe(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        observations.withLock {
            $0.sum += value
            if kind == .histogram {
                $0.counts[index] += 1
            } else if $0.recent.count < Observations.recentMax {
                $0.recent.append(value)
            } else {
                $0.recent[Int($0.count % UInt64(Observations.recentMax))] = value
            }
            $0.count += 1
        }
    }

    func read() -> MetricFamilyReading.Value {
        switch kind {
        case .counter, .gauge: .number(value)
        case .histogram: readHistogram()
        case .summary: readSummary()
        }
    }

    private func readHistogram() -> MetricFamilyReading.Value {
        let (counts, sum) = observations.withLock { ($0.counts, $0.sum) }
        var total: UInt64 = 0
        var buckets: [(bound: Double, count: UInt64)] = []
        for (index, count) in counts.enumerated() {
            total += count
            if index < bounds.count { buckets.append((bounds[index], total)) }
        }
        return .histogram(buckets: buckets, sum: sum, count: total)
    }

    private func readSummary() -> MetricFamilyReading.Value {
        let (recent, sum, count) = observations.withLock { ($0.recent, $0.sum, $0.count) }
        let sorted = recent.sorted()
        let quantiles = bounds.map { quantile -> (quantile: Double, value: Double) in
            let rank = Int((quantile * Double(sorted.count)).rounded(.up))
            return (quantile, sorted.isEmpty ? .nan : sorted[min(max(rank - 1, 0), sorted.count - 1)])
        }
        return .summary(quantiles: quantiles, sum: sum, count: count)
    }
}

package struct Counter: Sendable {
    private let instrument: Instrument
    init(_ instrument: Instrument) { self.instrument = instrument }
    package func add(_ amount: Double = 1) { instrument.add(amount) }
    package var value: Double { instrument.value }
}

package struct Gauge: Sendable {
    private let instrument: Instrument
    init(_ instrument: Instrument) { self.instrument = instrument }
    package func set(_ value: Double) { instrument.set(value) }
    package func add(_ amount: Double) { instrument.add(amount) }
    package var value: Double { instrument.value }
}

package struct Histogram: Sendable {
    private let instrument: Instrument
    init(_ instrument: Instrument) { self.instrument = instrument }
    package func observe(_ value: Double) { instrument.observe(value) }
}

package struct Summary: Sendable {
    private let instrument: Instrument
    init(_ instrument: Instrument) { self.instrument = instrument }
    package func observe(_ value: Double) { instrument.observe(value) }
}
