import Actors
import Streams

/// The alerts of all rules as a file keeps them: JSON.
struct SavedAlerts: Sendable {
    /// When they were what the file says; means nothing where none is pending, and is not kept then, so that alerts that
    /// stay as they are make the same file.
    var savedAt: Timestamp
    /// By the rule's place in its group, as far as it has alerts.
    var rules: [RunningGraph.GroupID: [SavedRule]] = [:]

    init(savedAt: Timestamp = .distantPast) { self.savedAt = savedAt }

    // MARK: writing

    var bytes: [UInt8] {
        let isPending = rules.values.contains { $0.contains { $0.active.contains { $0.state == .pending } } }
        let groups = rules.sorted {
            ($0.key.pipeline, $0.key.file, $0.key.name) < ($1.key.pipeline, $1.key.file, $1.key.name)
        }
        let items = groups.flatMap { id, rules in
            rules.map { rule -> JSONValue in
                [
                    "pipeline": .string(id.pipeline), "file": .string(id.file), "group": .string(id.name),
                    "rule": .string(rule.name),
                    "labels": .array(rule.labels.map { .array([.string($0.name), .string($0.value)]) }),
                    "alerts": .array(
                        rule.active.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }.map(Self.encode)),
                ]
            }
        }
        let document: JSONValue = [
            "version": .integer(1), "savedAt": isPending ? .integer(savedAt.milliseconds) : .null,
            "rules": .array(items),
        ]
        return document.bytes
    }

    private static func encode(_ alert: ActiveAlerts.Active) -> JSONValue {
        [
            "source": .labels(alert.source), "labels": .labels(alert.labels),
            "annotations": .labels(alert.annotations),
            // As bits, since JSON has no NaN.
            "value": .string(String(alert.value.bitPattern)), "state": .string(alert.state.rawValue),
            "activeSince": .integer(alert.activeSince.milliseconds), "firedAt": encode(alert.firedAt),
            "keptSince": encode(alert.keptSince), "lastSent": encode(alert.lastSent),
            "outdated": .bool(alert.isOutdated),
        ]
    }

    private static func encode(_ time: Timestamp?) -> JSONValue { time.map { .integer($0.milliseconds) } ?? .null }

    // MARK: reading

    init(_ bytes: [UInt8]) throws(StateFile.Failure) {
        let document: JSONValue
        do throws(JSONValue.SyntaxError) {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw StateFile.Failure(description: "damaged at byte \(error.offset)")
        }
        guard document["version"] == .integer(1), let items = document["rules"]?.items else {
            throw StateFile.Failure(description: "saved by another version of the program")
        }
        savedAt = Self.time(document["savedAt"]) ?? .distantPast
        for item in items {
            guard let pipeline = item["pipeline"]?.string, let file = item["file"]?.string,
                let group = item["group"]?.string, let rule = item["rule"]?.string
            else { continue }
            let labels = (item["labels"]?.items ?? []).compactMap { pair -> Label? in
                guard let pair = pair.items, pair.count == 2, let name = pair[0].string, let value = pair[1].string
                else {
                    return nil
                }
                return Label(name, value)
            }
            rules[RunningGraph.GroupID(pipeline: pipeline, file: file, name: group), default: []].append(
                SavedRule(name: rule, labels: labels, active: (item["alerts"]?.items ?? []).compactMap(Self.decode)))
        }
    }

    private static func decode(_ item: JSONValue) -> ActiveAlerts.Active? {
        guard let state = item["state"]?.string.flatMap(AlertState.init(rawValue:)),
            let value = item["value"]?.string.flatMap({ UInt64($0) }), let since = time(item["activeSince"])
        else { return nil }
        return ActiveAlerts.Active(
            source: labels(item["source"]), labels: labels(item["labels"]), annotations: labels(item["annotations"]),
            value: Double(bitPattern: value), state: state, activeSince: since, firedAt: time(item["firedAt"]),
            keptSince: time(item["keptSince"]), lastSent: time(item["lastSent"]),
            isOutdated: item["outdated"] == .bool(true))
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        if case .integer(let milliseconds) = value { Timestamp(milliseconds: milliseconds) } else { nil }
    }

    private static func labels(_ value: JSONValue?) -> LabelSet {
        guard case .object(let members) = value else { return LabelSet() }
        return LabelSet(members.compactMap { member in member.value.string.map { Label(member.name, $0) } })
    }
}
