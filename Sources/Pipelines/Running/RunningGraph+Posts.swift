package import Actors
import Streams

extension RunningGraph {
    /// Why alerts from outside were not taken, not a single one of them.
    package enum PostRefusal: Error, Sendable, Equatable {
        /// The graph is starting or shutting down.
        case notRunning
        /// The pipeline is not there, or has no way to a routing; with those that do. Without a name: none was named, and
        /// none is the default one.
        case noPipeline(String?, open: [String])
        /// Too many wait already.
        case full
    }

    /// An alert that was left out, by its place in what was posted.
    package struct InvalidPost: Sendable, Equatable {
        package var place: Int
        package var reason: PostedAlert.Invalid
    }

    /// Takes alerts from outside into a pipeline, those that are valid; never waits.
    ///
    /// Which way they go is looked up now: what is taken while a reload exchanges notification sides reaches the new one.
    /// - Parameters:
    ///   - pipeline: nil for the default one. A pipeline without a routing of its own hands them on as it does with those
    ///     of its rules, yet its own `resolve_timeout` holds for them.
    ///   - bytes: their size as they were sent, for the bound of the queue.
    /// - Returns: those that were left out.
    package nonisolated func post(
        _ posted: [PostedAlert], to pipeline: String?, bytes: Int
    ) throws(PostRefusal) -> [InvalidPost] {
        guard isReady else { throw .notRunning }
        var former: AlertEntrance?
        while let entrance = inboxes.entrance(pipeline) {
            // Closed for good, not exchanged: the graph is shutting down.
            if entrance.inbox === former?.inbox { throw .notRunning }
            if let invalid = try post(posted, entrance, bytes: bytes) { return invalid }
            former = entrance
        }
        throw .noPipeline(pipeline, open: inboxes.openPipelines)
    }

    /// Nil when the entrance is closed.
    private nonisolated func post(
        _ posted: [PostedAlert], _ entrance: AlertEntrance, bytes: Int
    ) throws(PostRefusal) -> [InvalidPost]? {
        let now = settings.clock.now()
        var alerts: [Alert] = []
        var invalid: [InvalidPost] = []
        for (place, alert) in posted.enumerated() {
            do throws(PostedAlert.Invalid) {
                alerts.append(try alert.alert(at: now, resolveTimeout: entrance.resolveTimeout))
            } catch {
                invalid.append(InvalidPost(place: place, reason: error))
            }
        }
        do throws(Edge<[Alert]>.SendError) {
            if !alerts.isEmpty { try entrance.inbox.trySend(alerts, bytes: bytes) }
        } catch {
            guard error == .full else { return nil }
            entrance.telemetry.refused.add(Double(posted.count))
            throw .full
        }
        let resolved = alerts.count { $0.isResolved(at: now) }
        entrance.telemetry.firing.add(Double(alerts.count - resolved))
        entrance.telemetry.resolved.add(Double(resolved))
        entrance.telemetry.invalid.add(Double(invalid.count))
        return invalid
    }
}
