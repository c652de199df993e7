import Actors
import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Sources
import Streams
import Transport

/// What the graph knows of itself, as Prometheus's API tells it: targets with the reason when they are down, and the
/// alerts that are pending or firing.
struct StatusRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.get("/api/v1/targets") { request, _ in await targets(request) }
        routes.get("/api/v1/alerts") { _, _ in await alerts() }
    }

    private static func success(_ data: JSONValue) -> Response {
        let document: JSONValue = ["status": "success", "data": data]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: document.bytes)))
    }

    /// `scrapePool=` asks for the targets of one job.
    private func targets(_ request: Request) async -> Response {
        let pool = request.uri.queryParameters["scrapePool"].map(String.init)
        let targets = await services.graph.targets.filter { pool == nil || $0.job == pool }
        return Self.success([
            "activeTargets": .array(targets.map(Self.target)), "droppedTargets": [],
            "droppedTargetCounts": [:],
        ])
    }

    private static func target(_ status: TargetStatus) -> JSONValue {
        [
            "discoveredLabels": .labels(status.target.discoveredLabels), "labels": .labels(status.target.labels),
            "scrapePool": .string(status.job), "scrapeUrl": .string(status.target.url.text),
            "globalUrl": .string(status.target.url.text), "lastError": .string(status.lastError),
            "lastScrape": .string(status.lastScrape?.rfc3339 ?? "0001-01-01T00:00:00Z"),
            "lastScrapeDuration": .number(formatFloat(status.lastDuration.inSeconds, .fixed)),
            "health": .string(status.health.rawValue),
            "scrapeInterval": .string(status.target.interval.prometheusText),
            "scrapeTimeout": .string(status.target.timeout.prometheusText),
        ]
    }

    private func alerts() async -> Response {
        let active = await services.graph.activeAlerts.sorted { $0.activeSince < $1.activeSince }
        return Self.success([
            "alerts": .array(
                active.map { alert in
                    [
                        "labels": .labels(alert.labels), "annotations": .labels(alert.annotations),
                        "state": .string(alert.state.rawValue), "activeAt": .string(alert.activeSince.rfc3339),
                        "value": .string(formatFloat(alert.value, .exponent)),
                    ]
                })
        ])
    }
}
