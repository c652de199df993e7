package import Actors
import Streams

extension RunningGraph {
    /// Why a silence was not made, changed or ended.
    package enum SilenceRefusal: Error, Sendable, Equatable {
        /// The graph is starting or shutting down.
        case notRunning
        /// The pipeline is not there, or has no way to a routing; with those that do. Without a name: none was named, and
        /// none is the default one.
        case noPipeline(String?, open: [String])
        case refused(SilenceError)
    }

    /// Makes or changes a silence of the notification side that takes a pipeline's alerts.
    /// - Parameter pipeline: nil: the one that has the silence already, else the default one.
    /// - Returns: its id, which is another than the draft's where a new one had to take its place.
    package func set(
        _ draft: SilenceDraft, in pipeline: String?
    ) async throws(SilenceRefusal) -> String {
        try await beginChange()
        defer { turn.end() }
        var name = pipeline
        if name == nil, !draft.id.isEmpty { name = await holder(of: draft.id) }
        let notifier = try notifier(of: name)
        do throws(SilenceError) { return try await notifier.set(draft) } catch { throw .refused(error) }
    }

    /// Ends a silence.
    /// - Parameter pipeline: nil: of whichever it is.
    package func expire(silence id: String, in pipeline: String?) async throws(SilenceRefusal) {
        try await beginChange()
        defer { turn.end() }
        var name = pipeline
        if name == nil { name = await holder(of: id) }
        guard let name else { throw .refused(.notFound) }
        let notifier = try notifier(of: name)
        do throws(SilenceError) { try await notifier.expire(silence: id) } catch { throw .refused(error) }
    }

    /// The silences that hold for a pipeline's alerts, in no order.
    /// - Parameter pipeline: nil: those of all.
    package func silences(of pipeline: String?) async -> [Silence] {
        guard let pipeline else { return await dispatchers(of: nil).flatMap(\.silences.all) }
        // One that takes no alerts has none.
        guard let notifier = try? notifier(of: pipeline) else { return [] }
        return Array(await notifier.snapshot().silences.all)
    }

    /// Waits while a reload exchanges notification sides, so that nothing is told to one whose state was read already.
    private func beginChange() async throws(SilenceRefusal) {
        guard isReady else { throw .notRunning }
        await turn.begin()
        guard isReady else {
            turn.end()
            throw .notRunning
        }
    }

    /// - Parameter pipeline: nil: the default one.
    private func notifier(of pipeline: String?) throws(SilenceRefusal) -> Notifier {
        let name = (pipeline ?? plan.defaultPipeline?.name).flatMap {
            plan[$0] == nil ? nil : plan.router(of: $0)?.name
        }
        guard let notifier = name.flatMap({ notifiers[$0]?.component.value }) else {
            throw .noPipeline(pipeline, open: inboxes.openPipelines)
        }
        return notifier
    }

    /// The pipeline whose notification side has the silence.
    private func holder(of id: String) async -> String? {
        for (name, notifier) in notifiers where await notifier.component.value.snapshot().silences[id] != nil {
            return name
        }
        return nil
    }
}
