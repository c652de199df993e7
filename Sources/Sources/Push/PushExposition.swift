import Streams

/// The groups as a Pushgateway shows them.
extension PushGateway {
    package struct Inconsistent: Error, Sendable, CustomStringConvertible {
        package let family: String
        package var description: String { "metric \(quoted(family)) was pushed with different types" }
    }

    /// All groups in the text format 0.0.4; series without an `instance` get an empty one.
    package func exposition() throws(Inconsistent) -> String {
        if let conflict { throw Inconsistent(family: conflict) }
        var lines: [String: (help: String?, type: String, samples: [String])] = [:]
        for group in allGroups() {
            for family in group.families {
                var entry = lines[family.name] ?? (nil, (family.type ?? .unknown).pushedName, [])
                entry.help = entry.help ?? family.help
                entry.samples += family.samples.map { Self.line($0.labels, group.key, $0.value) }
                lines[family.name] = entry
            }
            for (name, help, time) in Self.pushTimes(of: group) {
                let labels = group.key.labelSet.merging([LabelSet.metricName: name])
                var entry = lines[name] ?? (help, "gauge", [])
                entry.samples.append(Self.line(labels, group.key, time))
                lines[name] = entry
            }
        }
        var text = ""
        for (name, entry) in lines.sorted(by: { $0.key < $1.key }) {
            if let help = entry.help { text += "# HELP \(name) \(Self.escapedHelp(help))\n" }
            text += "# TYPE \(name) \(entry.type)\n"
            text += entry.samples.joined()
        }
        return text
    }

    static func pushTimes(of group: PushGroup) -> [(name: String, help: String, seconds: Double)] {
        [
            (PushGroup.pushTimeName, PushGroup.pushTimeHelp, group.lastPush?.seconds ?? 0),
            (PushGroup.failureTimeName, PushGroup.failureTimeHelp, group.lastFailure?.seconds ?? 0),
        ]
    }

    private static func line(_ labels: LabelSet, _ key: GroupingKey, _ value: Double) -> String {
        "\(labels.name ?? "")\(pairs(labels, key)) \(formatFloat(value, .general))\n"
    }

    private static func pairs(_ labels: LabelSet, _ key: GroupingKey) -> String {
        "{" + shown(labels, key).map { "\($0.name)=\"\(escapedValue($0.value))\"" }.joined(separator: ",") + "}"
    }

    /// The labels of a sample, the empty ones of its group and an empty instance among them.
    static func shown(_ labels: LabelSet, _ key: GroupingKey) -> [Label] {
        var byName = key.labels
        for label in labels where label.name != LabelSet.metricName { byName[label.name] = label.value }
        byName["instance"] = byName["instance"] ?? ""
        return byName.map { Label($0.key, $0.value) }.sorted()
    }

    private static func escapedValue(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func escapedHelp(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }
}
