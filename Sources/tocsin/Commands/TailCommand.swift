import Actors
import ArgumentParser
import Streams
import Transport
import UnixSignals

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Prints the alert stream of a server, a line each time an alert changes its state.",
        discussion: """
            Connects again when the connection breaks, and goes on where it ended. Ends with Ctrl-C; exits with 1 if there \
            is nobody to listen to at the beginning.

            Example: tocsin tail --filter 'severity="critical"' --filter 'job_name=~"llm-.*"'
            """)

    @OptionGroup var server: ServerOptions

    @Option(
        help: ArgumentHelp(
            "Only alerts whose labels match, as amtool writes it; may be repeated.", valueName: "matcher"))
    var filter: [String] = []

    @Flag(help: "Prints the events as the server sends them, a JSON object a line.")
    var json = false

    @Option(
        help: ArgumentHelp("Goes on after this event, as far as the server still has what came then.", valueName: "id"))
    var after: String?

    func run() async throws {
        let query = filter.map { "filter=\(URLString.encoded($0))" }.joined(separator: "&")
        let url = try server.url("/api/v1/stream/alerts" + (query.isEmpty ? "" : "?\(query)"))
        let line = AlertLine(terminal: Terminal())
        let request = HTTPRequest(.get, url)
        try await untilInterrupted { [json, after] in
            var follower = StreamFollower(request, after: after ?? "") { event in
                standardOutput(json ? event.data : line.text(event))
            }
            try await follower.follow()
        }
    }
}

/// Listens to a stream for as long as its server is willing, over as many connections as that takes.
private struct StreamFollower {
    private let request: HTTPRequest
    private let receive: (ServerSentEvent) -> Void
    private let connector = TCPConnector()
    private let random = RandomSource()
    private var lastEventID: String

    init(_ request: HTTPRequest, after id: String, receive: @escaping (ServerSentEvent) -> Void) {
        self.request = request
        self.receive = receive
        lastEventID = id
    }

    /// Throws when the first connection fails, or when the server refuses for a reason that will not pass.
    mutating func follow() async throws {
        var pause: Duration?
        var backoff = Self.backoff(from: nil)
        while true {
            let problem: String
            do {
                let connection = try await EventStreamConnection.open(
                    request, lastEventID: lastEventID, over: connector)
                if pause != nil { standardError("connected again") }
                let reason = await read(connection)
                await connection.close()
                backoff = Self.backoff(from: connection.retry)
                problem = reason
            } catch let refusal as EventStreamConnection.Refusal {
                let text = refusal.status == 404 ? "no alert stream is there" : Terminal.plain(refusal.text)
                let isPassing = refusal.status == 429 || refusal.status >= 500
                guard pause != nil, isPassing else {
                    throw TailFailure("\(request.url.peer) answers \(refusal.status): \(text)")
                }
                problem = "\(refusal.status) \(text)"
            } catch {
                if pause == nil { throw TailFailure("\(error)") }
                problem = "\(error)"
            }
            try Task.checkCancellation()
            let next = backoff.next(random)
            pause = next
            standardError(
                "\(problem); connecting again in \(Duration.milliseconds(next.wholeMilliseconds).prometheusText)")
            try await Task.sleep(for: next)
        }
    }

    /// Why the connection is over.
    private mutating func read(_ connection: EventStreamConnection) async -> String {
        defer { lastEventID = connection.lastEventID }
        do throws(TransportError) {
            while let events = try await connection.next() {
                for event in events { receive(event) }
            }
            return "the server has ended the stream"
        } catch {
            return "\(error)"
        }
    }

    private static func backoff(from first: Duration?) -> Backoff {
        let first = min(max(first ?? .seconds(1), .milliseconds(100)), .seconds(30))
        return Backoff(.init(first: first, factor: 2, longest: .seconds(30), spread: 0.2))
    }
}

struct TailFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs `body` until it ends, or until SIGINT or SIGTERM, which end it quietly.
func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return }
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        try await group.next()
    }
}
