import Actors
import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Streams

/// What Alertmanager's API v2 tells of alerts, groups, receivers and the server. `pipeline=` asks for one pipeline's;
/// without it the answers have those of all.
struct AlertmanagerRoutes: Sendable {
    let services: ServerServices
    /// Lists of many alerts take memory.
    private let running = RunningQueries(max: 8)

    init(services: ServerServices) { self.services = services }

    func add(to routes: RouteTable) {
        routes.get("/api/v2/alerts") { request, _ in
            await AlertmanagerAnswer.of(services) { try await alerts(request) }
        }
        routes.get("/api/v2/alerts/groups") { request, _ in
            await AlertmanagerAnswer.of(services) { try await groups(request) }
        }
        routes.get("/api/v2/receivers") { request, _ in
            await AlertmanagerAnswer.of(services) { try await receivers(request) }
        }
        routes.get("/api/v2/status") { request, _ in
            await AlertmanagerAnswer.of(services) { try await status(request) }
        }
    }

    // MARK: alerts

    /// Every alert was looked at when it came, so `unprocessed=` leaves nothing out.
    private func alerts(_ request: Request) async throws -> Response {
        let parameters = try await RequestParameters(request, in: services.bodies)
        let filter = try AlertmanagerFilter(parameters)
        return try await listing(parameters) { dispatcher, now in
            dispatcher.shownAlerts(filter.matchers, at: now).filter { shown in
                filter.takes(shown) && shown.receivers.contains(where: filter.takes(receiver:))
            }.map { Self.json($0) }
        }
    }

    private func groups(_ request: Request) async throws -> Response {
        let parameters = try await RequestParameters(request, in: services.bodies)
        let filter = try AlertmanagerFilter(parameters)
        return try await listing(parameters) { dispatcher, now in
            dispatcher.shownGroups(
                filter.matchers, at: now, receivers: filter.takes(receiver:), alerts: filter.takes
            ).filter { filter.muted || $0.mutedBy.isEmpty }.map(Self.json)
        }
    }

    private func listing(
        _ parameters: RequestParameters, _ list: (Dispatcher, Timestamp) -> [JSONValue]
    ) async throws -> Response {
        let dispatchers = await services.graph.dispatchers(of: parameters["pipeline"])
        guard running.enter() else {
            throw HTTPFailure(.serviceUnavailable, "too many such requests at a time", retryAfter: .seconds(1))
        }
        defer { running.leave() }
        let now = services.clock.now()
        return AlertmanagerAnswer.json(.array(dispatchers.flatMap { list($0, now) }))
    }

    private static func json(_ shown: ShownAlert, mutedBy: [String] = []) -> JSONValue {
        let alert = shown.alert
        let isSuppressed = shown.isSuppressed || !mutedBy.isEmpty
        return [
            "annotations": .labels(alert.annotations),
            // An alert of a rule has none while it fires.
            "endsAt": alert.endsAt.map(AlertmanagerAnswer.time) ?? "0001-01-01T00:00:00.000Z",
            "fingerprint": .string(alert.fingerprint.description),
            "receivers": .array(shown.receivers.map { ["name": .string($0)] }),
            "startsAt": AlertmanagerAnswer.time(alert.startsAt),
            "status": [
                "inhibitedBy": .array(shown.inhibitedBy.map { [.string($0.description)] } ?? []),
                "mutedBy": .array(mutedBy.map { .string($0) }),
                "silencedBy": .array(shown.silencedBy.map { .string($0) }),
                "state": isSuppressed ? "suppressed" : "active",
            ],
            "updatedAt": AlertmanagerAnswer.time(alert.updatedAt), "generatorURL": .string(alert.generatorURL),
            "labels": .labels(alert.labels),
        ]
    }

    private static func json(_ group: ShownGroup) -> JSONValue {
        [
            "alerts": .array(group.alerts.map { json($0, mutedBy: group.mutedBy) }),
            "labels": .labels(group.labels), "receiver": ["name": .string(group.receiver)],
            "routeLabels": .labels(group.routeLabels),
        ]
    }

    // MARK: receivers and status

    private func receivers(_ request: Request) async throws -> Response {
        let parameters = try await RequestParameters(request, in: services.bodies)
        let filter = try AlertmanagerFilter(parameters)
        let asked = parameters["pipeline"]
        let plans = await services.graph.currentPlan.pipelines.filter { asked == nil || $0.name == asked }
        var seen: Set<String> = []
        let names = plans.flatMap(\.receivers).map(\.name).filter {
            filter.takes(receiver: $0) && seen.insert($0).inserted
        }
        return AlertmanagerAnswer.json(.array(names.map { ["name": .string($0)] }))
    }

    /// The configuration is that of the pipeline that alerts enter unless they name another; without its secrets, as it
    /// has no sinks' settings at all.
    private func status(_ request: Request) async throws -> Response {
        let plan = await services.graph.currentPlan
        let name = try await RequestParameters(request, in: services.bodies)["pipeline"] ?? Plan.defaultName
        let shown = plan.router(of: name) ?? plan.pipelines.first { $0.routing != nil }
        let unknown: JSONValue = ""
        return AlertmanagerAnswer.json([
            "cluster": ["status": "disabled", "peers": []],
            "config": ["original": .string(shown.map(AlertmanagerConfigText.of) ?? "")],
            "uptime": AlertmanagerAnswer.time(services.startTime),
            "versionInfo": [
                "branch": unknown, "buildDate": unknown, "buildUser": unknown, "goVersion": unknown,
                "revision": unknown, "version": .string(services.version),
            ],
        ])
    }
}
