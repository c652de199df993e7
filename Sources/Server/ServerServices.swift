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
    /// What the program was started with, as `status/flags` shows it.
    package let flags: [Flag]
    package let configuration: ConfigStatus
    package let queries: QueryLimits
    package let crossOrigin: CrossOrigin
    let startTime: Timestamp
    /// Which series pushed bytes stand for; shared by all requests.
    let cache = SeriesCache()
    /// A bound for all requests together; each has its own besides.
    package let bodies: BodyBudget

    package struct Flag: Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        graph: RunningGraph, clock: any WallClock, telemetry: Telemetry,
        version: String = "", routePrefix: String = "", flags: [Flag] = [],
        configuration: ConfigStatus = ConfigStatus(), queries: QueryLimits = QueryLimits(),
        crossOrigin: CrossOrigin = .any, bodiesBytesMax: Int = 256 << 20,
        reload: @escaping @Sendable () async throws -> Void
    ) {
        self.flags = flags.map { Flag($0.name, Masked.userInfo($0.value)) }
        self.configuration = configuration
        self.queries = queries
        self.crossOrigin = crossOrigin
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
    private let stalls: Counter

    init(_ metrics: Telemetry) {
        self.metrics = metrics
        stalls = metrics.counter(
            "tocsin_http_stalled_total", help: "Connections that were closed since their clients read nothing.")
    }

    /// A client was cut off that did not read its answer.
    func stalled() { stalls.add() }

    /// How long a query waited for its turn and was evaluated.
    func queried(_ timings: QueryRunner.Timings) {
        metrics.histogram(
            "tocsin_query_duration_seconds", help: "How long queries of clients took, by phase.",
            labels: ["phase": "queue"]
        ).observe(timings.queued.inSeconds)
        metrics.histogram(
            "tocsin_query_duration_seconds", help: "How long queries of clients took, by phase.",
            labels: ["phase": "evaluation"]
        ).observe((timings.prepared + timings.evaluated).inSeconds)
    }

    struct QueryCounts: Sendable {
        var running: Int
        var waiting: Int
        var answerBytes: Int
    }

    /// How many queries there are, for every reading.
    func collectQueries(_ counts: @escaping @Sendable () -> QueryCounts) {
        metrics.collect { readings in
            let counts = counts()
            readings.append(
                .init(
                    "tocsin_queries_running", .gauge, help: "Queries of clients that are being evaluated.",
                    value: Double(counts.running)))
            readings.append(
                .init(
                    "tocsin_queries_waiting", .gauge, help: "Queries of clients that wait for their turn.",
                    value: Double(counts.waiting)))
            readings.append(
                .init(
                    "tocsin_query_answers_bytes", .gauge,
                    help: "Memory of answers that clients have not read to their ends.",
                    value: Double(counts.answerBytes)))
        }
    }

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
