import Actors
import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Streams

/// What Alertmanager's API v2 tells of alerts, receivers and the server. `pipeline=` asks for one pipeline's; without it the
/// answers have those of all.
struct AlertmanagerRoutes: Sendable {
    let services: ServerServices
    /// Lists of many alerts take memory.
    private let running = RunningQueries(max: 8)

    init(services: ServerServices) { self.services = services }

    func add(to routes: RouteTable) {
        routes.get("/api/v2/alerts") { request, _ in
            await AlertmanagerAnswer.of(services) { try await alerts(request) }
        }
        routes.get("/api/v2/receivers") { request, _ in
            await AlertmanagerAnswer.of(services) { try await receivers(request) }
        }
        routes.get("/api/v2/status") { request, _ in
            await AlertmanagerAnswer.of(services) { try await status(request) }
        }
    }

    // MARK: alerts

    /// What a request asks for.
    private struct Filter {
        let matchers: [Matcher]
        let receiver: RegularExpression?
        let active: Bool
        let inhibited: Bool

        init(_ parameters: RequestParameters) throws(HTTPFailure) {
            do throws(MatcherError) {
                var matchers: [Matcher] = []
                for text in parameters.all("filter") { matchers += try MatcherSyntax.fallback.parseList(text) }
                self.matchers = matchers
            } catch {
                throw HTTPFailure(.badRequest, "bad filter: \(error.reason)")
            }
            do throws(RegularExpression.SyntaxError) {
                receiver = try parameters["receiver"].map { text throws(RegularExpression.SyntaxError) in
                    try RegularExpression(text)
                }
            } catch {
                throw HTTPFailure(.badRequest, "failed to parse receiver param: \(error)")
            }
            // What is no boolean counts as false, as there.
            func flag(_ name: String) -> Bool { parameters[name].map(Self.trueTexts.contains) ?? true }
            active = flag("active")
            inhibited = flag("inhibited")
        }

        private static let trueTexts: Set<String> = [
            "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled",
        ]

        func accepts(_ shown: ShownAlert) -> Bool {
            if let receiver, !shown.receivers.contains(where: receiver.matches) { return false }
            return shown.inhibitedBy == nil ? active : inhibited
        }
    }

    /// Nothing is silenced and nothing unprocessed, so `silenced=` and `unprocessed=` leave nothing out.
    private func alerts(_ request: Request) async throws -> Response {
        let parameters = try await RequestParameters(request, in: services.bodies)
        let filter = try Filter(parameters)
        let dispatchers = await services.graph.dispatchers(of: parameters["pipeline"])
        guard running.enter() else {
            throw HTTPFailure(.serviceUnavailable, "too many such requests at a time", retryAfter: .seconds(1))
        }
        defer { running.leave() }
        let now = services.clock.now()
        let shown = dispatchers.flatMap { $0.shownAlerts(filter.matchers, at: now) }.filter(filter.accepts)
        return AlertmanagerAnswer.json(.array(shown.map(Self.json)))
    }

    private static func json(_ shown: ShownAlert) -> JSONValue {
        let alert = shown.alert
        let inhibitedBy = shown.inhibitedBy.map { [JSONValue.string($0.description)] } ?? []
        return [
            "annotations": .labels(alert.annotations),
            // An alert of a rule has none while it fires.
            "endsAt": .string(alert.endsAt.map(time) ?? "0001-01-01T00:00:00.000Z"),
            "fingerprint": .string(alert.fingerprint.description),
            "receivers": .array(shown.receivers.map { ["name": .string($0)] }),
            "startsAt": .string(time(alert.startsAt)),
            "status": [
                "inhibitedBy": .array(inhibitedBy), "mutedBy": [], "silencedBy": [],
                "state": .string(inhibitedBy.isEmpty ? "active" : "suppressed"),
            ],
            "updatedAt": .string(time(alert.updatedAt)), "generatorURL": .string(alert.generatorURL),
            "labels": .labels(alert.labels),
        ]
    }

    /// With all three digits of a millisecond.
    private static func time(_ time: Timestamp) -> String {
        var text = time.rfc3339
        text.removeLast()
        let digits = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
        if digits == 0 { text += "." }
        return text + String(repeating: "0", count: 3 - digits) + "Z"
    }

    // MARK: receivers and status

    private func receivers(_ request: Request) async throws -> Response {
        let asked = try await RequestParameters(request, in: services.bodies)["pipeline"]
        let plans = await services.graph.currentPlan.pipelines.filter { asked == nil || $0.name == asked }
        var seen: Set<String> = []
        let names = plans.flatMap(\.receivers).map(\.name).filter { seen.insert($0).inserted }
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
            "uptime": .string(Self.time(services.startTime)),
            "versionInfo": [
                "branch": unknown, "buildDate": unknown, "buildUser": unknown, "goVersion": unknown,
                "revision": unknown, "version": .string(services.version),
            ],
        ])
    }
}
