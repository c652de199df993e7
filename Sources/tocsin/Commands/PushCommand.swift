import Actors
import ArgumentParser
import Sources
import Streams
import Transport

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Sends metrics in the text format from standard input to a server.",
        discussion: """
            Without --job the lines are streamed as they come, every second or every MiB: a program's output can be piped \
            in for as long as it runs. Lines without a time get that of their arrival. What the server refuses is told on \
            standard error and the stream goes on; while nobody answers, it waits and tries again. With --job all of the input is one push to the group of that job, as to a \
            Pushgateway: it stays until it is replaced or deleted.

            Example: train.py | tocsin push --label host=gpu-7
            Example: echo 'training_loss 0.3' | tocsin push --job nightly --label job_id=17
            """)

    @OptionGroup var server: ServerOptions

    @Option(help: ArgumentHelp("Pushes to the group of this job.", valueName: "name"))
    var job: String?

    @Option(
        help: ArgumentHelp(
            "With --job: a label that the group is known by, too. Without: laid over every series. May be repeated.",
            valueName: "name=value"))
    var label: [String] = []

    @Flag(help: "With --job: replaces all of the group, not only the metrics that come.")
    var replace = false

    func validate() throws {
        for text in label where !(text.firstIndex(of: "=").map { $0 > text.startIndex } ?? false) {
            throw ValidationError("--label \(quoted(text)) is not name=value")
        }
        if replace, job == nil { throw ValidationError("--replace needs --job") }
        if job == "" { throw ValidationError("--job is empty") }
    }

    func run() async throws {
        let client = HTTPClient()
        try client.start()
        do {
            if let job {
                try await push(to: job, over: client)
            } else {
                try await stream(over: client)
            }
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }

    private var labels: [(name: String, value: String)] {
        label.map { text in
            let equals = text.firstIndex(of: "=") ?? text.endIndex
            return (String(text[..<equals]), String(text[equals...].dropFirst()))
        }
    }

    // MARK: a group

    /// As much as one push may be; whoever has more streams it.
    private static let groupBytesMax = 64 << 20

    private func push(to job: String, over client: HTTPClient) async throws {
        var groupLabels = Dictionary(labels.map { ($0.name, $0.value) }) { _, last in last }
        groupLabels["job"] = job
        let url = try server.url(GroupingKey(labels: groupLabels).path)
        let input = StandardInput()
        var body: [UInt8] = []
        var isEnd = false
        while !isEnd {
            let reading = try await input.read(max: 1 << 20, within: nil)
            isEnd = reading.isEnd
            for piece in reading.pieces { body += piece.bytes }
            guard body.count <= Self.groupBytesMax else {
                throw PushFailure("the input is longer than \(Self.groupBytesMax) bytes: stream it, without --job")
            }
        }
        var request = HTTPRequest(replace ? .put : .post, url, body: body)
        request.timeout = .seconds(60)
        request.headers.append(Self.textFormat)
        while true {
            let response: HTTPResponse
            do throws(TransportError) { response = try await client.send(request) } catch {
                throw PushFailure("\(error)")
            }
            switch response.status {
            case 200..<300: return
            case 429, 503:
                let pause = response.retryAfter(now: SystemClock().now()) ?? .seconds(1)
                standardError("\(response.words); sending it again in \(pause.prometheusText)")
                try await Task.sleep(for: max(pause, .milliseconds(100)))
            default: throw PushFailure(response.words)
            }
        }
    }

    static let textFormat = HTTPField("Content-Type", "text/plain; version=0.0.4")

    // MARK: a stream

    private func stream(over client: HTTPClient) async throws {
        let query = labels.map { "extra_label=" + URLString.encoded("\($0.name)=\($0.value)") }.joined(separator: "&")
        let url = try server.url("/api/v1/import/prometheus" + (query.isEmpty ? "" : "?\(query)"))
        var stream = PushStream(client, to: url)
        try await stream.run(StandardInput())
    }
}

struct PushFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension HTTPResponse {
    /// What the server says, fit for a terminal.
    var words: String {
        let text = Terminal.plain(body.text())
        let words = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        return words.isEmpty ? "the server answers \(status)" : words
    }
}
