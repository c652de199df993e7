import Actors
import Glibc
import Logging
import Sources
import Streams

/// What an earlier run of the program left in the data folder.
struct SavedState: Sendable {
    var notifications: [String: DispatcherState] = [:]
    var alerts: [RunningGraph.GroupID: [String: [ActiveAlerts.Active]]] = [:]
    var pushedGroups: SavedGroups?
}

extension RunningGraph {
    private static let alertsFile = "alerts.json"
    private static let pushedGroupsFile = "pushed-groups.jsonl"
    private static func notificationsFile(_ pipeline: String) -> String { "notifications-\(pipeline).state" }

    /// Reads what the last run left. What can't be read is told and left out: running without it beats not running.
    func readState() {
        guard let folder = settings.dataFolder else { return }
        do throws(StateFile.Failure) {
            if let bytes = try StateFile(path: "\(folder)/\(Self.alertsFile)").read() {
                saved.alerts = try SavedAlerts.decode(bytes)
            }
        } catch {
            settings.logger.warning("Saved alerts can't be used.", metadata: ["reason": "\(error)"])
        }
        do {
            if let bytes = try StateFile(path: "\(folder)/\(Self.pushedGroupsFile)").read() {
                saved.pushedGroups = try SavedGroups(bytes)
            }
        } catch {
            settings.logger.warning("Saved pushed groups can't be used.", metadata: ["reason": "\(error)"])
        }
        for name in Self.pipelines(in: folder) {
            do {
                guard let bytes = try StateFile(path: "\(folder)/\(Self.notificationsFile(name))").read() else {
                    continue
                }
                saved.notifications[name] = try DispatcherState(decoding: bytes)
            } catch {
                settings.logger.warning(
                    "Saved notifications can't be used.", metadata: ["pipeline": "\(name)", "reason": "\(error)"])
            }
        }
    }

    private static func pipelines(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix("notifications-"), name.hasSuffix(".state") else { continue }
            names.append(String(name.dropFirst("notifications-".count).dropLast(".state".count)))
        }
        return names
    }

    /// Keeps the alerts' states, what has not been delivered and what was pushed for the next run.
    func writeState() async {
        guard let folder = settings.dataFolder else { return }
        var alerts: [GroupID: [String: [ActiveAlerts.Active]]] = [:]
        for (id, group) in groups {
            for rule in await group.component.value.state().rules where !rule.active.isEmpty {
                alerts[id, default: [:]][rule.settings.name, default: []] += rule.active
            }
        }
        var files = [(Self.alertsFile, SavedAlerts.encode(alerts))]
        for (name, notifier) in notifiers {
            files.append((Self.notificationsFile(name), await notifier.component.value.state().encoded()))
        }
        // Without a gateway there is none to go on with: the file says so.
        let groups = await gateway?.savedGroups().bytes ?? []
        files.append((Self.pushedGroupsFile, groups))
        for (name, bytes) in files {
            do throws(StateFile.Failure) {
                try StateFile(path: "\(folder)/\(name)").write(bytes)
            } catch {
                settings.logger.error("State was not kept.", metadata: ["file": "\(name)", "reason": "\(error)"])
            }
        }
    }
}

/// The alerts of all rules as JSON.
private enum SavedAlerts {
    static func encode(_ alerts: [RunningGraph.GroupID: [String: [ActiveAlerts.Active]]]) -> [UInt8] {
        var items: [JSONValue] = []
        for (id, rules) in alerts {
            for (rule, active) in rules {
                items.append([
                    "pipeline": .string(id.pipeline), "file": .string(id.file), "group": .string(id.name),
                    "rule": .string(rule), "alerts": .array(active.map(encode)),
                ])
            }
        }
        let document: JSONValue = ["version": .integer(1), "rules": .array(items)]
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

    static func decode(
        _ bytes: [UInt8]
    ) throws(StateFile.Failure) -> [RunningGraph.GroupID: [String: [ActiveAlerts.Active]]] {
        let document: JSONValue
        do throws(JSONValue.SyntaxError) {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw StateFile.Failure(description: "damaged at byte \(error.offset)")
        }
        guard document["version"] == .integer(1), let items = document["rules"]?.items else {
            throw StateFile.Failure(description: "saved by another version of the program")
        }
        var result: [RunningGraph.GroupID: [String: [ActiveAlerts.Active]]] = [:]
        for item in items {
            guard let pipeline = item["pipeline"]?.string, let file = item["file"]?.string,
                let group = item["group"]?.string, let rule = item["rule"]?.string
            else { continue }
            let id = RunningGraph.GroupID(pipeline: pipeline, file: file, name: group)
            result[id, default: [:]][rule] = (item["alerts"]?.items ?? []).compactMap(decode)
        }
        return result
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
