import Streams

/// Groups as they are kept over a restart: lines of JSON, one for a group, then one for each of its families, each followed
/// by its samples. So nothing has to hold more than a line of them as a tree.
package struct SavedGroups: Sendable {
    package struct Damaged: Error, CustomStringConvertible {
        package let description: String
    }

    private static let version: Int64 = 1

    private(set) var groups: [PushGroup] = []

    init(_ groups: [PushGroup]) { self.groups = groups }

    // MARK: writing

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        Self.write(["version": .integer(Self.version)], to: &bytes)
        for group in groups {
            let labels = group.key.labels.sorted { $0.key < $1.key }
            Self.write(
                [
                    "group": .object(labels.map { .init($0.key, .string($0.value)) }),
                    "lastPush": Self.encode(group.lastPush), "lastFailure": Self.encode(group.lastFailure),
                ], to: &bytes)
            for family in group.families {
                Self.write(
                    [
                        "family": .string(family.name), "type": family.type.map { .string($0.rawValue) } ?? .null,
                        "help": family.help.map { .string($0) } ?? .null,
                    ], to: &bytes)
                for sample in family.samples {
                    // As bits, since JSON has no NaN.
                    let value = String(sample.value.bitPattern)
                    Self.write(["sample": .labels(sample.labels), "value": .string(value)], to: &bytes)
                }
            }
        }
        return bytes
    }

    private static func write(_ line: JSONValue, to bytes: inout [UInt8]) {
        line.write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func encode(_ time: Timestamp?) -> JSONValue { time.map { .integer($0.milliseconds) } ?? .null }

    // MARK: reading

    /// - Throws: at the first line that is not as it was written; nothing may be used then.
    package init(_ bytes: [UInt8]) throws(Damaged) {
        var number = 0
        var families: [PushedFamily] = []
        for text in bytes.split(separator: UInt8(ascii: "\n")) {
            number += 1
            // Which line it is says enough.
            guard let line = try? JSONValue(parsing: text) else { throw Self.damaged(number) }
            if number == 1 {
                guard line["version"] == .integer(Self.version) else {
                    throw Damaged(description: "saved by another version of the program")
                }
            } else if let group = line["group"] {
                finish(&families)
                guard case .object(let labels) = group, labels.contains(where: { $0.name == "job" }) else {
                    throw Self.damaged(number)
                }
                let key = Dictionary(labels.map { ($0.name, $0.value.string ?? "") }) { _, last in last }
                groups.append(
                    PushGroup(
                        key: GroupingKey(labels: key), lastPush: Self.time(line["lastPush"]),
                        lastFailure: Self.time(line["lastFailure"])))
            } else if let name = line["family"]?.string {
                let type = line["type"]?.string.flatMap { MetricType(rawValue: $0) }
                families.append(PushedFamily(name: name, type: type, help: line["help"]?.string))
            } else if case .object(let labels) = line["sample"], !families.isEmpty,
                let bits = line["value"]?.string.flatMap({ UInt64($0) })
            {
                let set = LabelSet(labels.map { Label($0.name, $0.value.string ?? "") })
                families[families.count - 1].samples.append(
                    PushedSample(labels: set, value: Double(bitPattern: bits)))
            } else {
                throw Self.damaged(number)
            }
            if groups.isEmpty, !families.isEmpty { throw Self.damaged(number) }
        }
        finish(&families)
    }

    /// The families that were read belong to the group that was read last.
    private mutating func finish(_ families: inout [PushedFamily]) {
        if !groups.isEmpty { groups[groups.count - 1].restore(families) }
        families = []
    }

    private static func damaged(_ line: Int) -> Damaged { Damaged(description: "damaged in line \(line)") }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        if case .integer(let milliseconds) = value { Timestamp(milliseconds: milliseconds) } else { nil }
    }
}
