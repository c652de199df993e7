package import Streams

/// Bounds on the labels of pushed series, `__name__` among them; 0 is no bound. A label is kept, shown and sent for as long
/// as its series lives.
package struct LabelLimits: Hashable, Sendable {
    package var labelsMax: Int
    package var nameBytesMax: Int
    package var valueBytesMax: Int

    package init(labelsMax: Int = 128, nameBytesMax: Int = 1 << 10, valueBytesMax: Int = 64 << 10) {
        self.labelsMax = labelsMax
        self.nameBytesMax = nameBytesMax
        self.valueBytesMax = valueBytesMax
    }

    /// What is too much about the labels, under the setting's name; nil when nothing is.
    package func problem(of labels: LabelSet) -> String? {
        if labelsMax > 0, labels.count > labelsMax {
            return
                "a series of \(excerpt(labels.name ?? "")) has \(labels.count) labels, more than label_limit "
                + "(\(labelsMax))"
        }
        for label in labels {
            if nameBytesMax > 0, label.name.utf8.count > nameBytesMax {
                return
                    "the label name \(excerpt(label.name)) is longer than label_name_length_limit (\(nameBytesMax) bytes)"
            }
            if valueBytesMax > 0, label.value.utf8.count > valueBytesMax {
                return "a value of label \(excerpt(label.name)) is longer than label_value_length_limit "
                    + "(\(valueBytesMax) bytes)"
            }
        }
        return nil
    }
}
