package import Pipelines
import HTTPTypes
import Sources
package import Streams
import Synchronization

/// What the routes work on.
package struct ServerServices: Sendable {
    package let graph: RunningGraph
    package let clock: any WallClock
    package let telemetry: ServerTelemetry
    /// Loads the pipelines anew. Throws with all that is wrong; the running graph is untouched then.
    package let reload: @Sendable () async throws -> Void
    package let version: String
    package let routePrefix: String
    let startTime: Timestamp
    /// Which series pushed bytes stand for; shared by all requests.
    let cache = SeriesCache()
    /// A bound for all requests together; each has its own besides.
    package let bodies: BodyBudget

    package init(
        graph: RunningGraph, clock: any WallClock, telemetry: Telemetry,
        version: String = "", routePrefix: String = "",
        bodiesBytesMax: Int = 256 << 20, reload: @escaping @Sendable () async throws -> Void
    ) {
        self.graph = graph
        self.clock = clock
        self.telemetry = ServerTelemetry(telemetry)
        self.reload = reload
        self.version = version
        self.routePrefix = routePrefix
        startTime = clock.now()
        bodies = BodyBudget(bytesMax: bodiesBytesMax)
    }

    /// - Throws: 404 when no pipeline takes pushes.
    func gateway() throws(HTTPFailure) -> PushGateway {
        guard let gateway = graph.gateway else {
            throw HTTPFailure(.notFound, "no pipeline takes pushes: add \"- push: {}\" to the sources of one")
        }
        return gateway
    }
}

/// What the server counts.
package final class ServerTelemetry: Sendable {
    let metrics: Telemetry
    private let refusals = Mutex<[Int: Counter]>([:])

    init(_ metrics: Telemetry) { self.metrics = metrics }

    /// A request was answered with an error.
    func refused(status: Int) {
        let counter = refusals.withLock { refusals in
            let counter =
                refusals[status]
                ?? metrics.counter(
                    "tocsin_http_refused_total", help: "Requests that were answered with an error, by status.",
                    labels: ["status": "\(status)"])
            refusals[status] = counter
            return counter
        }
        counter.add()
    }
}
