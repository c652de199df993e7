package import Streams

/// The groups as Pushgateway's `/api/v1/metrics` shows them.
extension PushGateway {
    package func groupsAsJSON() -> JSONValue { .array(allGroups().map(Self.json)) }

    private static func json(_ group: PushGroup) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("labels", labels(LabelSet(), group.key)),
            .init("last_push_successful", .bool(group.lastPushSucceeded)),
        ]
        let time = (group.lastPush ?? group.lastFailure).map(\.rfc3339) ?? ""
        for family in group.families.sorted(by: { $0.name < $1.name }) {
            members.append(
                .init(
                    family.name,
                    json(
                        time, (family.type ?? .unknown).pushedName, family.help ?? "",
                        metrics(of: family, group.key))))
        }
        for (name, help, seconds) in pushTimes(of: group) {
            let metric: JSONValue = [
                "labels": labels(LabelSet(), group.key), "value": .string(formatFloat(seconds, .general)),
            ]
            members.append(.init(name, json(time, "gauge", help, [metric])))
        }
        return .object(members)
    }

    private static func json(_ time: String, _ type: String, _ help: String, _ metrics: [JSONValue]) -> JSONValue {
        [
            "time_stamp": .string(time), "type": .string(type.uppercased()), "help": .string(help),
            "metrics": .array(metrics),
        ]
    }

    private static func labels(_ labels: LabelSet, _ key: GroupingKey) -> JSONValue {
        .object(shown(labels, key).map { .init($0.name, .string($0.value)) })
    }

    /// A histogram's or summary's samples are one metric: its parts, by the labels that they share.
    private static func metrics(of family: PushedFamily, _ key: GroupingKey) -> [JSONValue] {
        let (partLabel, partsName): (String, String)
        switch family.type {
        case .histogram: (partLabel, partsName) = ("le", "buckets")
        case .summary: (partLabel, partsName) = ("quantile", "quantiles")
        default:
            return family.samples.map {
                ["labels": labels($0.labels, key), "value": .string(formatFloat($0.value, .general))]
            }
        }
        var order: [LabelSet] = []
        var parts: [LabelSet: (parts: [JSONValue.Member], totals: [JSONValue.Member])] = [:]
        for sample in family.samples {
            let shared = sample.labels.removing([LabelSet.metricName, partLabel])
            if parts[shared] == nil { order.append(shared) }
            let value = JSONValue.string(formatFloat(sample.value, .general))
            let name = sample.labels.name ?? ""
            if let part = sample.labels[partLabel] {
                parts[shared, default: ([], [])].parts.append(.init(part, value))
            } else if name.hasSuffix("_sum") {
                parts[shared, default: ([], [])].totals.append(.init("sum", value))
            } else if name.hasSuffix("_count") {
                parts[shared, default: ([], [])].totals.append(.init("count", value))
            }
        }
        return order.compactMap { shared in
            parts[shared].map { entry in
                .object([.init("labels", labels(shared, key)), .init(partsName, .object(entry.parts))] + entry.totals)
            }
        }
    }
}
