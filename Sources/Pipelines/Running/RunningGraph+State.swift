import Actors
import Glibc
import Logging
import Sources
import Streams
import Synchronization

/// What an earlier run of the program left in the data folder.
struct SavedState: Sendable {
    var notifications: [String: DispatcherState] = [:]
    var alerts = SavedAlerts()
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
                saved.alerts = try SavedAlerts(bytes)
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
        // Without a gateway there is none to go on with: the file says so.
        let pushed = await gateway?.savedGroups().bytes ?? []
        _ = await write(await alertState() + [File(Self.pushedGroupsFile, pushed)])
    }

    /// Keeps the states of the alerts and of the notification sides whenever they have changed, until cancelled: an end
    /// that nobody has announced loses no more than `settings.stateInterval`, or than twenty times what keeping it takes.
    func keepState() async {
        guard settings.dataFolder != nil else { return }
        var kept: [String: [UInt8]] = [:]
        var pause = settings.stateInterval
        while (try? await settings.clock.sleep(for: pause)) != nil {
            // Neither while parts are exchanged nor after the state was written for good.
            await turn.begin()
            defer { turn.end() }
            if stopping.isOpen || Task.isCancelled { return }
            let start = ContinuousClock().now
            let changed = await alertState().filter { kept[$0.name] != $0.key }
            // What could not be written is tried again.
            let written = await write(changed)
            for file in changed { kept[file.name] = written.contains(file.name) ? file.key : nil }
            pause = max(settings.stateInterval, start.duration(to: ContinuousClock().now) * 20)
        }
    }

    private struct File: Sendable {
        var name: String
        var bytes: [UInt8]
        /// Equal as long as the content says the same.
        var key: [UInt8]

        init(_ name: String, _ bytes: [UInt8], key: [UInt8]? = nil) {
            self.name = name
            self.bytes = bytes
            self.key = key ?? bytes
        }
    }

    private func alertState() async -> [File] {
        var alerts = SavedAlerts(savedAt: settings.clock.now())
        for (id, group) in groups {
            for rule in await group.component.value.state().rules where !rule.active.isEmpty {
                let saved = SavedRule(name: rule.settings.name, labels: rule.settings.labels, active: rule.active)
                alerts.rules[id, default: []].append(saved)
            }
        }
        var files = [File(Self.alertsFile, alerts.bytes)]
        for (name, notifier) in notifiers {
            var state = await notifier.component.value.state()
            let bytes = state.encoded()
            state.savedAt = .distantPast
            files.append(File(Self.notificationsFile(name), bytes, key: state.encoded()))
        }
        return files
    }

    /// - Returns: the names of those that are safe.
    private func write(_ files: [File]) async -> Set<String> {
        guard let folder = settings.dataFolder else { return [] }
        let logger = settings.logger
        let written = Mutex<Set<String>>([])
        await settings.blocking {
            for file in files {
                do throws(StateFile.Failure) {
                    try StateFile(path: "\(folder)/\(file.name)").write(file.bytes)
                    written.withLock { _ = $0.insert(file.name) }
                } catch {
                    logger.error("State was not kept.", metadata: ["file": "\(file.name)", "reason": "\(error)"])
                }
            }
        }
        return written.withLock { $0 }
    }
}
