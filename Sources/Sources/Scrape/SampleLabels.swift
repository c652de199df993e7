import Streams

/// Lays a target's labels over the labels of an exposed series, as Prometheus does before metric relabelling.
struct SampleLabels: Sendable {
    let target: LabelSet
    let honorsLabels: Bool
    let rules: [RelabelRule]

    /// The series' labels as they are stored; nil: relabelling drops it.
    /// - Parameter empty: names exposed with an empty value. Honoured, they keep the target's label away, which is how a
    ///   Pushgateway says that a series has no instance.
    func resolve(_ exposed: LabelSet, empty: [String] = []) -> LabelSet? {
        var labels = exposed
        if honorsLabels {
            for label in target where exposed[label.name] == nil && !empty.contains(label.name) {
                labels[label.name] = label.value
            }
        } else {
            rename(conflictsIn: exposed, &labels)
        }
        if !rules.isEmpty {
            guard let relabelled = rules.relabel(labels) else { return nil }
            labels = relabelled
        }
        return labels.isEmpty ? nil : labels
    }

    /// An exposed label that the target has too is kept as `exported_<name>`, with more `exported_` before it until no
    /// other label has that name; the shortest name first.
    private func rename(conflictsIn exposed: LabelSet, _ labels: inout LabelSet) {
        let conflicts = exposed.filter { target[$0.name] != nil }
        for label in target { labels[label.name] = label.value }
        for label in conflicts.sorted(by: { ($0.name.utf8.count, $0) < ($1.name.utf8.count, $1) }) {
            var name = "exported_" + label.name
            while labels[name] != nil { name = "exported_" + name }
            labels[name] = label.value
        }
    }
}
