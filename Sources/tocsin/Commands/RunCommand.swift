import Actors
import ArgumentParser
import Glibc
import Logging
import NIOCore
import NIOPosix
import Pipelines
import Server
import ServiceLifecycle
import Storage
import Streams
import Synchronization
import Transport
import UnixSignals
import YAML

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs pipelines until told to stop.",
        discussion: """
            SIGHUP and POST /-/reload read the files again; SIGTERM stops taking samples, evaluates what came, and sends
            or keeps what is queued.

            Example: tocsin run pipelines --listen 127.0.0.1:9190 --data data --env-file .env
            """)

    @OptionGroup var pipelines: RunnableOptions

    @Option(help: ArgumentHelp("Where to listen; :PORT alone listens on all addresses.", valueName: "host:port"))
    var listen = "127.0.0.1:9190"

    @Option(help: ArgumentHelp("Where state is kept over a restart.", valueName: "folder"))
    var data = "data"

    @Option(help: ArgumentHelp("Under which URL users reach this server, for links.", valueName: "url"))
    var externalURL: String?

    @Option(help: ArgumentHelp("Under which path everything is served, such as /tocsin.", valueName: "path"))
    var routePrefix = "/"

    @Flag(help: "Let receivers run programs (command_configs).")
    var allowCommands = false

    @OptionGroup var storage: StorageOptions

    @OptionGroup var queries: QueryOptions

    @OptionGroup var web: WebOptions

    @OptionGroup var silences: SilenceOptions

    @OptionGroup var logging: LogOptions

    func run() async throws {
        guard let address = ListenAddress(listen) else {
            throw ValidationError("'\(listen)' is not an address; write host:port, such as 127.0.0.1:9190")
        }
        guard let prefix = RoutePrefix(routePrefix)?.text else {
            throw ValidationError("'\(routePrefix)' is not a path; write one such as /tocsin")
        }
        let limits = try queries.limits()
        // Wrong ones are told before anything is begun.
        _ = (try silences.limits(), try silences.dispatchDelay())
        let logger = logging.logger()
        // Which port a free one will be is not known yet.
        let known = address.port == 0 ? [:] : ["TOCSIN_LISTEN": "\(address)"]
        let plan: Plan
        do throws(ConfigErrors) {
            plan = try pipelines.load(extra: known)
        } catch {
            for line in ErrorListing.lines(error) { standardError(line) }
            throw ExitCode(1)
        }
        for notice in plan.notices { logger.notice("\(notice)") }
        let folder: DataFolder
        do throws(DataFolder.Unusable) {
            folder = try DataFolder.take(data)
        } catch {
            standardError("\(error)")
            throw ExitCode(1)
        }
        OpenFiles.raiseLimit()
        let client = HTTPClient()
        try client.start()
        try await serve(plan, at: address, under: prefix, limits, client, logger) {
            try pipelines.load(extra: known)
        }
        await client.shutdown()
        _ = consume folder
    }

    private func serve(
        _ plan: Plan, at address: ListenAddress, under prefix: String, _ limits: QueryLimits, _ client: HTTPClient,
        _ logger: Logger, load: @escaping @Sendable () throws -> Plan
    ) async throws {
        let clock = SystemClock()
        let telemetry = Telemetry()
        ProcessReadings.collect(into: telemetry, version: Tocsin.version)
        var graphSettings = GraphSettings(
            clock: clock, telemetry: telemetry, logger: logger, http: client, connector: TCPConnector(),
            storage: storage.settings, externalURL: externalURL ?? "http://\(address)\(prefix)", dataFolder: data)
        graphSettings.allowsCommands = allowCommands
        graphSettings.silences = try silences.limits()
        graphSettings.dispatchDelay = try silences.dispatchDelay()
        graphSettings.blocking = { work in
            // The pool lives as long as the program.
            try? await NIOThreadPool.singleton.runIfActive { work() }
        }
        graphSettings.language = pipelines.language.features
        let stateThread = NIOThreadPool(numberOfThreads: 1)
        stateThread.start()
        graphSettings.stateBlocking = { work in
            // It lives as long as the program.
            try? await stateThread.runIfActive { work() }
        }
        let graph = RunningGraph(graphSettings)
        let loading = ConfigStatus()
        loading.loaded(at: clock.now())
        let reload: @Sendable () async throws -> Void = {
            do {
                try await graph.reload(try load())
                loading.loaded(at: clock.now())
                logger.info("Pipelines were reloaded.")
            } catch {
                loading.failed(at: clock.now())
                Self.tell(error, logger)
                throw error
            }
        }
        let bound = BoundAddress()
        let services = ServerServices(
            graph: graph, clock: clock, telemetry: telemetry, version: Tocsin.version, routePrefix: prefix,
            flags: flags(at: address, under: prefix, graph), configuration: loading, queries: limits,
            crossOrigin: web.crossOrigin, reload: reload)
        var settings = HTTPServer.Settings(address: address)
        settings.streamPath = prefix + PushPaths.stream
        let server = HTTPServer(
            settings, router: tocsinRouter(services, prefix: prefix), telemetry: services.telemetry, bound: bound,
            logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: GraphService(graph: graph, plan: plan)),
                .init(service: ServerService(server: server)),
                .init(service: AnnounceService(bound: bound, host: address.host, logger: logger)),
                .init(service: ReloadService(reload: reload)),
                .init(service: LastResort(logger: logger)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logging.quiet(logger))
        configuration.maximumGracefulShutdownDuration = .seconds(25)
        try await ServiceGroup(configuration: configuration).run()
        logger.info("Stopped.")
    }

    /// Why a reload changed nothing: a line for each error of the files.
    private static func tell(_ error: any Error, _ logger: Logger) {
        let sentence: Logger.Message = "Pipelines were not reloaded; what ran before runs on."
        guard let errors = (error as? ConfigErrors)?.errors else {
            logger.error(sentence, metadata: ["reason": "\(error)"])
            return
        }
        logger.error(sentence, metadata: ["errors": "\(errors.count)"])
        for error in errors.prefix(100) {
            logger.error(
                "A pipeline has an error.", metadata: ["place": "\(error.location)", "reason": "\(error.problem)"])
        }
    }
}

extension RunCommand {
    /// What it was started with, under the names of Prometheus's flags.
    private func flags(
        at address: ListenAddress, under prefix: String, _ graph: RunningGraph
    ) -> [ServerServices.Flag] {
        let retention = graph.store.settings.retention.prometheusText
        return [
            .init("config.file", pipelines.allPaths.joined(separator: " ")),
            .init("enable-feature", pipelines.language.names.joined(separator: ",")),
            .init("log.level", "\(logging.logger().logLevel)"), .init("query.lookback-delta", "5m"),
            .init("query.max-concurrency", "\(queries.concurrencyMax)"),
            .init("query.max-samples", "\(queries.samplesMax)"), .init("query.timeout", queries.timeout),
            .init("storage.tsdb.path", data), .init("storage.tsdb.retention.time", retention),
            .init("web.cors.origin", web.crossOrigin.pattern), .init("web.enable-admin-api", "false"),
            .init("web.enable-lifecycle", "true"),
            .init("web.enable-remote-write-receiver", "true"), .init("web.external-url", graph.externalURL),
            .init("web.listen-address", "\(address)"), .init("web.route-prefix", prefix.isEmpty ? "/" : prefix),
        ]
    }
}

/// The graph: ends by draining.
private struct GraphService: Service {
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

private struct ServerService: Service {
    let server: HTTPServer
    func run() async throws { try await server.run() }
}

/// Says where the server listens, once it does.
private struct AnnounceService: Service {
    let bound: BoundAddress
    let host: String
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            guard let port = await bound.waitForPort() else { return }
            logger.info("Listening.", metadata: ["address": "\(ListenAddress(host: host, port: port))"])
            // A service that returns before its turn would end the others.
            await Latch().wait()
        }
    }
}

/// Ends a shutdown that hangs: a disk or a network file system that does not answer keeps a thread for ever, and no
/// cancellation gets it back.
private struct LastResort: Service {
    let logger: Logger

    private static let shutdownMax = TimeAmount.seconds(30)

    func run() async throws {
        // The last service is told of a shutdown first.
        await cancelWhenGracefulShutdown { await Latch().wait() }
        MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: Self.shutdownMax) {
            logger.error("The shutdown hangs; what was not kept by now is lost.")
            // Without what would be done at a proper end, which might hang too.
            _exit(1)
        }
    }
}

/// SIGHUP.
private struct ReloadService: Service {
    let reload: @Sendable () async throws -> Void

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            // It has been logged, and what ran before runs on.
            try? await reload()
        }
    }
}
