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

    /// All metrics in the text format 0.0.4, families and series in order of their names.
    package func exposition() -> String {
        let (families, collectors) = state.withLock { ($0.families, $0.collectors) }
        var blocks: [String: String] = [:]
        for family in families.values where !family.children.isEmpty {
            var text = Self.head(family.name, family.help, family.kind)
            for (labels, child) in family.children.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                child.write(family.name, labels, to: &text)
            }
            blocks[family.name] = text
        }
        var readings: [Reading] = []
        for collect in collectors { collect(&readings) }
        for reading in readings {
            blocks[reading.name, default: Self.head(reading.name, reading.help, reading.kind)] += Self.line(
                reading.name, reading.labels, reading.value)
        }
        return blocks.sorted { $0.key < $1.key }.map(\.value).joined()
    }

    private static func head(_ name: String, _ help: String, _ kind: Kind) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    static func line(_ name: String, _ labels: LabelSet, _ value: Double) -> String {
        var series = labels
        series[LabelSet.metricName] = name
        return "\(series) \(text(value))\n"
    }

    static func text(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
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

    func write(_ name: String, _ labels: LabelSet, to text: inout String) {
        switch kind {
        case .counter, .gauge: text += Telemetry.line(name, labels, value)
        case .histogram: writeHistogram(name, labels, to: &text)
        case .summary: writeSummary(name, labels, to: &text)
        }
    }

    private func writeHistogram(_ name: String, _ labels: LabelSet, to text: inout String) {
        let (counts, sum) = observations.withLock { ($0.counts, $0.sum) }
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            var series = labels
            series["le"] = index < bounds.count ? "\(bounds[index])" : "+Inf"
            text += Telemetry.line(name + "_bucket", series, Double(total))
        }
        text += Telemetry.line(name + "_sum", labels, sum)
        text += Telemetry.line(name + "_count", labels, Double(total))
    }

    private func writeSummary(_ name: String, _ labels: LabelSet, to text: inout String) {
        let (recent, sum, count) = observations.withLock { ($0.recent, $0.sum, $0.count) }
        let sorted = recent.sorted()
        for quantile in bounds {
            var series = labels
            series["quantile"] = "\(quantile)"
            let rank = Int((quantile * Double(sorted.count)).rounded(.up))
            let value = sorted.isEmpty ? .nan : sorted[min(max(rank - 1, 0), sorted.count - 1)]
            text += Telemetry.line(name, series, value)
        }
        text += Telemetry.line(name + "_sum", labels, sum)
        text += Telemetry.line(name + "_count", labels, Double(count))
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
