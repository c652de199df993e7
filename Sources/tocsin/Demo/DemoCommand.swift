import Actors
import ArgumentParser
import Hummingbird
import Logging
import NIOCore
import Server
import ServiceLifecycle
import Streams
import Transport
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Trains simulated jobs that get into trouble, and catches the mails that come of it.",
        discussion: """
            Every other job is exposed for scraping, where pipelines/training.yml looks for it; the others are pushed. \
            Beside it run, in terminals of their own:

              tocsin run pipelines
              tocsin tail

            Scenarios: \(Scenario.allCases.map(\.rawValue).joined(separator: ", ")).

            Example: tocsin demo --speed 20 --scenario fails --scenario nan
            """)

    @OptionGroup var server: ServerOptions

    @Option(
        help: ArgumentHelp("How much faster than real time the jobs train; alerts keep real time.", valueName: "factor")
    )
    var speed = 1.0

    @Option(help: ArgumentHelp("A job of this kind; may be repeated. Without: one of each.", valueName: "name"))
    var scenario: [Scenario] = []

    @Option(help: ArgumentHelp("Where jobs can be scraped.", valueName: "host:port"))
    var listen = "127.0.0.1:9191"

    @Option(help: ArgumentHelp("Where mails are caught.", valueName: "host:port"))
    var mail = "127.0.0.1:2525"

    @Flag(help: "Only catches mails.")
    var mailOnly = false

    @Option(help: ArgumentHelp("Where mails are kept.", valueName: "folder"))
    var mailFolder = "demo-mails"

    @OptionGroup var logging: LogOptions

    func validate() throws {
        guard speed > 0, speed <= 1000 else { throw ValidationError("--speed is a number above 0, up to 1000") }
        guard scenario.count <= 100 else { throw ValidationError("--scenario: at most 100 jobs") }
        for (option, text) in [("listen", listen), ("mail", mail)] where ListenAddress(text) == nil {
            throw ValidationError("--\(option): '\(text)' is not an address; write host:port")
        }
    }

    func run() async throws {
        let clock = SystemClock()
        let terminal = Terminal()
        let box = MailBox(folder: mailFolder, clock: clock, terminal: terminal)
        try box.makeFolder()
        let catcher = MailCatcher(address: try address(mail), receive: box.receive)
        if mailOnly {
            standardOutput("Mails to \(mail) are caught: shown here, kept in \(mailFolder). Ctrl-C ends it.")
            return try await serve([MailService(catcher: catcher)])
        }
        let client = HTTPClient()
        try client.start()
        let fleet = JobFleet(
            scenario.isEmpty ? Scenario.allCases : scenario, speed: speed, clock: clock, seed: 1)
        standardOutput(await introduction(fleet, terminal))
        let pusher = GroupPusher(client: client, server: server, fleet: fleet, interval: .seconds(1))
        do {
            try await serve([
                MailService(catcher: catcher), ExpositionService(server: exposition(of: fleet)),
                PushService(pusher: pusher),
            ])
        } catch {
            await client.shutdown()
            throw error
        }
        await pusher.finish()
        await client.shutdown()
    }

    private func address(_ text: String) throws -> ListenAddress {
        guard let address = ListenAddress(text) else { throw ValidationError("'\(text)' is not an address") }
        return address
    }

    private func exposition(of fleet: JobFleet) throws -> HTTPServer {
        let router = Router(context: ServerContext.self)
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: await fleet.scraped())))
        }
        return HTTPServer(
            .init(address: try address(listen)), router: router, bound: BoundAddress(),
            logger: logging.quiet(logging.logger()))
    }

    private func serve(_ services: [any Service]) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logging.quiet(logging.logger()))
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func introduction(_ fleet: JobFleet, _ terminal: Terminal) async -> String {
        let jobs = await fleet.descriptions
        let pace = speed == 1 ? "" : " at \(formatFloat(speed, .general)) times their speed"
        var lines = [
            terminal.styled("\(jobs.count == 1 ? "A training job" : "\(jobs.count) training jobs")\(pace):", .bold), "",
        ]
        let width = (jobs.map(\.name.count).max() ?? 0) + 2
        lines.append(
            terminal.styled(
                "  " + "id".padded(to: 10) + "name".padded(to: width) + "gets there".padded(to: 12)
                    + "what becomes of it, and the alert",
                .dim))
        for job in jobs {
            let way = (job.isPushed ? "pushed" : "scraped").padded(to: 12)
            lines.append("  " + job.id.padded(to: 10) + job.name.padded(to: width) + way + job.scenario.story)
            lines.append(
                String(repeating: " ", count: 24 + width)
                    + terminal.styled("alert: \(job.scenario.alerts)", job.scenario == .healthy ? .dim : .yellow))
        }
        lines += [
            "",
            "Scraped from http://\(listen)/metrics, pushed to \((try? server.url("/"))?.text ?? "").",
            "Mails to \(mail) are caught: shown here, kept in \(mailFolder). Ctrl-C ends it.", "",
            "In other terminals:  tocsin run pipelines", "                     tocsin tail", "",
        ]
        return lines.joined(separator: "\n")
    }
}

private struct MailService: Service {
    let catcher: MailCatcher

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await catcher.run() }
        } catch is CancellationError {
            // That is how it ends.
        } catch let error as IOError {
            throw ListenFailure(catcher.address, error)
        }
    }
}

private struct ExpositionService: Service {
    let server: HTTPServer
    func run() async throws { try await server.run() }
}

private struct PushService: Service {
    let pusher: GroupPusher

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await pusher.run() }
        } catch is CancellationError {
            // That is how it ends.
        }
    }
}
