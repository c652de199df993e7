import Streams

/// The series that a rule has written, so that those it writes no more are marked stale, and those that did not change
/// are not written again between two intervals. A value; told what is there now, it says what to append.
struct WrittenSeries: Sendable {
    typealias Entry = (labels: LabelSet, value: Double)

    /// By what each series came from: the whole of it is settled together.
    private var bySource: [LabelSet: [LabelSet: UInt64]] = [:]

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
            var written: [LabelSet: UInt64] = [:]
            let before = bySource[source] ?? [:]
            for entry in entries {
                let bits = entry.value.bitPattern
                written[entry.labels] = bits
                if !onlyChanges || before[entry.labels] != bits { appended.append(entry) }
            }
            for labels in before.keys where written[labels] == nil { appended.append((labels, StaleMarker.value)) }
            bySource[source] = written
        }
        return appended
    }

    private mutating func end(_ source: LabelSet, except kept: Set<LabelSet>, into appended: inout [Entry]) {
        guard let entries = bySource.removeValue(forKey: source) else { return }
        for labels in entries.keys where !kept.contains(labels) { appended.append((labels, StaleMarker.value)) }
    }

    /// Everything that was written and is not ended: what a removed rule leaves behind.
    var all: [LabelSet] { bySource.values.flatMap(\.keys) }
}
