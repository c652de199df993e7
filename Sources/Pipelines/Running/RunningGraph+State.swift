import Actors
import Logging
import Sources
import Storage
import Streams

/// What an earlier run of the program left in the data folder.
struct SavedState: Sendable {
    /// When that run was last known to be well.
    var savedAt = Timestamp.distantPast
    var tables = StateTables()
    var rules: [RuleGroupPlace: [SavedRule]] = [:]
    var pushedGroups: SavedGroups?
    /// Pipelines that have taken what was theirs.
    var taken: Set<String> = []
    var unreadable = 0

    /// What the notification side of a pipeline knew; nil when nothing is left of it, or it was asked for before.
    mutating func notifications(of pipeline: String) -> DispatcherState? {
        guard taken.insert(pipeline).inserted else { return nil }
        let state = DispatcherState(tables, pipeline: pipeline, savedAt: savedAt, unreadable: &unreadable)
        return state.isEmpty ? nil : state
    }
}

extension RunningGraph {
    private static let stateFile = "state.db"
    private static let pushedGroupsFile = "pushed-groups.jsonl"

    /// Opens the state and reads what the last run left. What can't be read is told and left out: running without it beats
    /// not running.
    /// - Throws: where there is a state that must not be touched, or none can be kept.
    func openState() async throws(StateStore.OpenFailure) {
        guard let folder = settings.dataFolder else { return }
        readPushedGroups(folder)
        let logger = settings.logger
        let opened = try await StateStore.open(
            "\(folder)/\(Self.stateFile)", at: settings.clock.now(), blocking: settings.stateBlocking,
            telemetry: settings.telemetry
        ) { reason in
            if let reason {
                logger.error("State can't be kept; it waits in memory.", metadata: ["reason": "\(reason)"])
            } else {
                logger.info("State is kept again.")
            }
        }
        state = opened.store
        if let damage = opened.damage {
            logger.error("The state of the last run can't be used.", metadata: ["reason": "\(damage)"])
        }
        saved.savedAt = opened.savedAt ?? settings.clock.now()
        saved.tables = opened.tables
        saved.rules = SavedRule.read(opened.tables, unreadable: &saved.unreadable)
        if saved.unreadable > 0 {
            logger.warning(
                "Some of the state can't be read and is left out.", metadata: ["rows": "\(saved.unreadable)"])
        }
    }

    private func readPushedGroups(_ folder: String) {
        do {
            if let bytes = try StateFile(path: "\(folder)/\(Self.pushedGroupsFile)").read() {
                saved.pushedGroups = try SavedGroups(bytes)
            }
        } catch {
            settings.logger.warning("Saved pushed groups can't be used.", metadata: ["reason": "\(error)"])
        }
    }

    /// Notes from time to time that the program is well, until cancelled: how long it was away counts for nothing.
    func beat() async {
        guard let state else { return }
        // Ends by cancellation.
        while (try? await settings.clock.sleep(for: settings.stateInterval)) != nil {
            await state.beat(at: settings.clock.now())
        }
    }

    /// Keeps what was pushed for the next run, and closes the state.
    func closeState() async {
        await writePushedGroups()
        await state?.close(at: settings.clock.now())
    }

    private func writePushedGroups() async {
        guard let folder = settings.dataFolder else { return }
        // Without a gateway there is none to go on with: the file says so.
        let bytes = await gateway?.savedGroups().bytes ?? []
        let logger = settings.logger
        await settings.blocking {
            do throws(StateFile.Failure) {
                try StateFile(path: "\(folder)/\(Self.pushedGroupsFile)").write(bytes)
            } catch {
                logger.error("Pushed groups were not kept.", metadata: ["reason": "\(error)"])
            }
        }
    }
}
