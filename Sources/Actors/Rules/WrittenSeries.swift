import PromQL
import Streams

/// The series that a rule has written, so that those it writes no more are marked stale, and those that did not change
/// are not written again between two intervals. A value; told what is there now, it says what to append.
struct WrittenSeries: Sendable {
    /// What a rule gives for one series. Equal by bits, NaNs too.
    enum Value: Sendable, Equatable {
        case float(Double)
        indirect case histogram(NativeHistogram)

        init(_ sample: VectorSample) {
            self = sample.histogram.map { .histogram($0) } ?? .float(sample.value)
        }

        var isStaleMarker: Bool {
            if case .float(let value) = self { value.isStaleMarker } else { false }
        }

        static func == (left: Self, right: Self) -> Bool {
            switch (left, right) {
            case (.float(let left), .float(let right)): return left.bitPattern == right.bitPattern
            case (.histogram(var left), .histogram(var right)):
                // Of all its numbers the sum is the one that may well not be a number.
                guard left.sum.bitPattern == right.sum.bitPattern else { return false }
                left.sum = 0
                right.sum = 0
                return left == right
            default: return false
            }
        }
    }

    typealias Entry = (labels: LabelSet, value: Value)

    /// By what each series came from: the whole of it is settled together.
    private var bySource: [LabelSet: [LabelSet: Value]] = [:]

    /// - Parameters:
    ///   - current: what there is now, by source.
    ///   - scope: the sources that were looked at; all others stay as they are.
    ///   - onlyChanges: leaves out what still has the value that was written last.
    mutating func settle(
        _ current: [LabelSet: [Entry]], scope: ActiveAlerts.Scope, onlyChanges: Bool
    ) -> [Entry] {
        var appended: [Entry] = []
        switch scope {
        case .all:
            for source in bySource.keys where current[source] == nil { end(source, except: [], into: &appended) }
        case .sources(let sources):
            for source in sources where current[source] == nil { end(source, except: [], into: &appended) }
        }
        for (source, entries) in current {
            var written: [LabelSet: Value] = [:]
            let before = bySource[source] ?? [:]
            for entry in entries {
                written[entry.labels] = entry.value
                if !onlyChanges || before[entry.labels] != entry.value { appended.append(entry) }
            }
            for labels in before.keys where written[labels] == nil {
                appended.append((labels, .float(StaleMarker.value)))
            }
            bySource[source] = written
        }
        return appended
    }

    private mutating func end(_ source: LabelSet, except kept: Set<LabelSet>, into appended: inout [Entry]) {
        guard let entries = bySource.removeValue(forKey: source) else { return }
        for labels in entries.keys where !kept.contains(labels) { appended.append((labels, .float(StaleMarker.value))) }
    }

    /// Everything that was written and is not ended: what a removed rule leaves behind.
    var all: [LabelSet] { bySource.values.flatMap(\.keys) }
}
