import Actors
import Logging
package import Pipelines
package import PromQL
package import Server
import ServiceLifecycle
package import Streams
package import TestKit
import Transport
import YAML
import Foundation

/// The whole server in the test's process, on a free port of 127.0.0.1, with pipelines given as text.
package struct TestServer: Sendable {
    package let client: LoopbackClient
    package let graph: RunningGraph
    package let telemetry: Telemetry
    package let folder: TemporaryFolder
    /// What the bodies of all requests take now.
    package let bodies: BodyBudget

    package struct Options: Sendable {
        package var clock: any WallClock = SystemClock()
        package var prefix = ""
        /// How many batches may wait for the rules.
        package var batchesMax = 1024
        package var beforeRuleReads: (@Sendable () async -> Void)?
        /// How many batches of alerts may wait for the notification side.
        package var alertBatchesMax = 1024
        package var beforeAlerts: (@Sendable () async -> Void)?
        package var isSaved = false
        /// Where it runs; nil for a new folder.
        package var folder: TemporaryFolder?
        /// Whatever the test writes into the folder `pipelines` is loaded too.
        package var isFolder = false
        package var bodiesBytesMax = 256 << 20
        package var headDeadline = Duration.seconds(60)
        package var bodyDeadline = Duration.seconds(60)
        package var writeDeadline = Duration.seconds(60)
        package var lingerTime = Duration.seconds(5)
        package var queries = QueryLimits()
        package var language = LanguageFeatures()
        package var crossOrigin = CrossOrigin.any
        package init() {}
    }

    /// Runs the server around a test.
    package static func with<Result: Sendable>(
        _ pipeline: String, _ options: Options = Options(), _ test: @Sendable (TestServer) async throws -> Result
    ) async throws -> Result {
        let folder = try options.folder ?? TemporaryFolder()
        let file = try folder.write("pipelines/main.yaml", pipeline)
        let path = options.isFolder ? folder.path("pipelines") : file.path
        let load: @Sendable () throws -> Plan = {
            try PipelineLoader(environment: Environment([:]), language: options.language.parser).load([path])
        }
        let plan = try load()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let http = HTTPClient()
        try http.start()
        let telemetry = Telemetry()
        var settings = GraphSettings(
            clock: options.clock, telemetry: telemetry, logger: logger, http: http, connector: TCPConnector(),
            externalURL: "http://tocsin.test", dataFolder: options.isSaved ? folder.path("") : nil,
            batchesMax: options.batchesMax, alertBatchesMax: options.alertBatchesMax)
        settings.beforeRuleReads = options.beforeRuleReads
        settings.beforeAlerts = options.beforeAlerts
        settings.language = options.language
        let graph = RunningGraph(settings)
        let bound = BoundAddress()
        var server = HTTPServer.Settings(address: ListenAddress(host: "127.0.0.1", port: 0))
        server.headDeadline = options.headDeadline
        server.bodyDeadline = options.bodyDeadline
        server.writeDeadline = options.writeDeadline
        server.lingerTime = options.lingerTime
        server.streamPath = options.prefix + PushPaths.stream
        let configuration = ConfigStatus()
        let services = ServerServices(
            graph: graph, clock: options.clock, telemetry: telemetry, version: "test", routePrefix: options.prefix,
            flags: [.init("query.timeout", "2m")], configuration: configuration, queries: options.queries,
            crossOrigin: options.crossOrigin, bodiesBytesMax: options.bodiesBytesMax,
            reload: {
                do {
                    try await graph.reload(try load())
                    configuration.loaded(at: options.clock.now())
                } catch {
                    configuration.failed(at: options.clock.now())
                    throw error
                }
            })
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: GraphRun(graph: graph, plan: plan)),
                    .init(
                        service: ServerRun(
                            server: HTTPServer(
                                server, router: tocsinRouter(services, prefix: options.prefix),
                                telemetry: services.telemetry, bound: bound, logger: logger))),
                ], logger: logger))
        let result = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            guard let port = await bound.waitForPort(), await eventually({ graph.isReady }) else { throw NotReady() }
            let running = TestServer(
                client: LoopbackClient(port: port), graph: graph, telemetry: telemetry, folder: folder,
                bodies: services.bodies)
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await test(running)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            // Time may stand still, and then nothing that waits for it would end.
            if let clock = options.clock as? ManualClock {
                tasks.addTask {
                    while !Task.isCancelled {
                        clock.advance(by: .seconds(1))
                        await Task.yield()
                    }
                }
            }
            try await tasks.next()
            tasks.cancelAll()
            return try result.get()
        }
        await http.shutdown()
        return result
    }

    package struct NotReady: Error {}

    /// The value of a series of this server's own metrics, as `name{labels}` on its page.
    package func metric(_ series: String) -> Double? {
        for line in telemetry.exposition().split(separator: "\n") where line.hasPrefix(series + " ") {
            return Double(line.dropFirst(series.count + 1))
        }
        return nil
    }
}

private struct GraphRun: Service {
    let graph: RunningGraph
    let plan: Plan

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await graph.run(plan)
        } onGracefulShutdown: {
            graph.shutDown()
        }
    }
}

private struct ServerRun: Service {
    let server: HTTPServer
    func run() async throws { try await server.run() }
}
