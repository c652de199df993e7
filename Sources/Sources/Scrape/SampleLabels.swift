import Streams

/// Lays a target's labels over the labels of an exposed series, as Prometheus does before metric relabelling.
struct SampleLabels: Sendable {
    let target: LabelSet
    let honorsLabels: Bool
    let rules: [RelabelRule]

    /// The series' labels as they are stored; nil: relabelling drops it.
    func resolve(_ exposed: LabelSet) -> LabelSet? {
        var labels = exposed
        if honorsLabels {
            for label in target where exposed[label.name] == nil { labels[label.name] = label.value }
        } else {
            rename(conflictsIn: exposed, &labels)
            for label in target { labels[label.name] = label.value }
        }
        if !rules.isEmpty {
            guard let relabelled = rules.relabel(labels) else { return nil }
            labels = relabelled
        }
        return labels.isEmpty ? nil : labels
    }

    /// An exposed label that the target has too is kept as `exported_<name>`, with more `exported_` before it until no
    /// other label has that name.
    private func rename(conflictsIn exposed: LabelSet, _ labels: inout LabelSet) {
        var taken: Set<String> = []
        for label in exposed where target[label.name] != nil {
            var name = "exported_" + label.name
            while exposed[name] != nil || target[name] != nil || taken.contains(name) { name = "exported_" + name }
            taken.insert(name)
            labels[name] = label.value
        }
    }
}
