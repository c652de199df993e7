import Glibc
import HTTPTypes
import Pipelines
import PromQL
import Storage
import Streams

/// What the server tells of itself: the endpoints under `status/`, `features` and `notifications`, and those that are
/// switched off.
struct StatusRoutes: Sendable {
    let services: ServerServices
    let runner: QueryRunner

    /// The version of Prometheus whose API this is; clients decide by it what they may ask for.
    static let compatibleVersion = "3.14.0"

    func add(to routes: RouteTable) {
        routes.api("status/buildinfo", services) { _ in buildInfo() }
        routes.api("status/runtimeinfo", services) { _ in runtimeInfo() }
        routes.api("status/flags", services) { _ in
            APIAnswer(.object(services.flags.map { .init($0.name, .string($0.value)) }))
        }
        routes.api("status/config", services) { _ in
            APIAnswer(["yaml": .string(await services.graph.currentPlan.configuration)])
        }
        routes.api("status/tsdb", services) { request in
            let status = StoreStatus(services)
            let limit = try status.limit(request.parameters)
            return try await runner.read(on: request.channel) { _ in await status.answer(limit) }
        }
        // Nothing but the head is kept, and nothing is replayed.
        routes.api("status/tsdb/blocks", services) { _ in APIAnswer(["blocks": []]) }
        routes.api("status/walreplay", services) { _ in APIAnswer(["min": 0, "max": 0, "current": 0]) }
        routes.api("status/self_metrics", services) {
            try SelfMetrics.answer($0.parameters, services.telemetry.metrics)
        }
        routes.api("features", services) { _ in APIAnswer(Features(services.graph.language).json) }
        routes.api("notifications", services) { _ in notifications() }
        // Clients that are told so ask `notifications` from time to time.
        routes.api("notifications/live", services) { _ in APIAnswer(.none) }
        routes.get("/api/v1/openapi.yaml") { _, _ in
            ManagementRoutes.text(
                APIDescription.yaml(version: services.version, prefix: services.routePrefix),
                type: "application/yaml; charset=utf-8")
        }
        for name in ["delete_series", "clean_tombstones", "snapshot"] {
            routes.api("admin/tsdb/\(name)", methods: [.post, .put], services) { _ in
                throw APIFailure.disabled("admin APIs disabled")
            }
        }
    }

    private func buildInfo() -> APIAnswer {
        APIAnswer([
            "version": .string(Self.compatibleVersion), "revision": .string(services.version), "branch": "tocsin",
            "buildUser": "", "buildDate": "", "goVersion": "", "application": "tocsin",
            "applicationVersion": .string(services.version),
        ])
    }

    private func runtimeInfo() -> APIAnswer {
        let configuration = services.configuration.reading
        return APIAnswer([
            "startTime": .string(services.startTime.rfc3339), "CWD": .string(Self.workingFolder),
            "hostname": .string(Self.hostName), "serverTime": .string(services.clock.now().rfc3339),
            "reloadConfigSuccess": .bool(configuration.isGood),
            "lastConfigTime": .string((configuration.loadedAt ?? services.startTime).rfc3339), "corruptionCount": 0,
            "goroutineCount": .integer(Int64(Self.threadCount)),
            "GOMAXPROCS": .integer(Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            "GOMEMLIMIT": .integer(Int64(services.graph.store.settings.memoryBytesMax)), "GOGC": "", "GODEBUG": "",
            "storageRetention": .string(services.graph.store.settings.retention.prometheusText),
        ])
    }

    private static var workingFolder: String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }

    private static var hostName: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static var threadCount: Int {
        guard let folder = opendir("/proc/self/task") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) { count += entry.pointee.d_name.0 == CChar(UInt8(ascii: ".")) ? 0 : 1 }
        return count
    }

    private func notifications() -> APIAnswer {
        var texts: [(String, Timestamp)] = []
        let configuration = services.configuration.reading
        if !configuration.isGood {
            texts.append(("Configuration reload has failed.", configuration.failedAt ?? services.startTime))
        }
        if !services.graph.isReady {
            texts.append(("Tocsin is starting or shutting down.", services.startTime))
        }
        return APIAnswer(
            .array(texts.map { ["text": .string($0), "date": .string($1.rfc3339), "active": .bool(true)] }))
    }
}
