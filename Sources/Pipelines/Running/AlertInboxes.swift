import Actors
import Streams
import Synchronization

/// Which inbox takes the alerts of which pipeline, now. Rules look it up at each send, so that a reload may exchange the
/// notification side of a pipeline while its rules run on.
final class AlertInboxes: Sendable {
    private let inboxes = Mutex<[String: Edge<[Alert]>]>([:])
    private let entrances = Mutex(Entrances())
    private let deliveries = Mutex<[Edge<Delivery>]>([])

    subscript(pipeline: String) -> Edge<[Alert]>? { inboxes.withLock { $0[pipeline] } }

    private struct Entrances {
        var byPipeline: [String: AlertEntrance] = [:]
        var standard: String?
    }

    /// - Parameters:
    ///   - entrances: where alerts from outside come in, by pipeline.
    ///   - standard: the pipeline that those enter which name none.
    ///   - deliveries: the edges to the sinks that lie behind the inboxes.
    func replaceAll(
        _ new: [String: Edge<[Alert]>], entrances: [String: AlertEntrance], standard: String?,
        deliveries: [Edge<Delivery>]
    ) {
        inboxes.withLock { $0 = new }
        self.entrances.withLock { $0 = Entrances(byPipeline: entrances, standard: standard) }
        self.deliveries.withLock { $0 = deliveries }
    }

    /// Each once: several pipelines may share one.
    var all: [Edge<[Alert]>] {
        var seen: Set<ObjectIdentifier> = []
        return inboxes.withLock { Array($0.values) }.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// - Parameter pipeline: nil for the one that alerts enter which name none.
    func entrance(_ pipeline: String?) -> AlertEntrance? {
        entrances.withLock { entrances in
            (pipeline ?? entrances.standard).flatMap { entrances.byPipeline[$0] }
        }
    }

    /// The pipelines that take alerts from outside, sorted.
    var openPipelines: [String] { entrances.withLock { $0.byPipeline.keys.sorted() } }

    /// The edges to the sinks, for their counters.
    var deliveryEdges: [Edge<Delivery>] { deliveries.withLock { $0 } }

    /// Hands alerts to the pipeline's notification side, and waits for room there. When that side was exchanged in the
    /// meantime its successor gets them.
    func send(_ alerts: [Alert], of pipeline: String) async {
        while let inbox = self[pipeline] {
            do throws(Edge<[Alert]>.SendError) {
                return try await inbox.send(alerts)
            } catch {
                // Closed for good, not exchanged: the graph is shutting down.
                if error == .closed, let next = self[pipeline], next !== inbox { continue }
                return
            }
        }
    }
}
