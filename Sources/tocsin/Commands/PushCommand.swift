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
            in for as long as it runs. With --job all of the input is one push to the group of that job, as to a \
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
        while let piece = try await input.read(max: 1 << 20, within: nil) {
            body += piece
            guard body.count <= Self.groupBytesMax else {
                throw PushFailure("the input is longer than \(Self.groupBytesMax) bytes: stream it, without --job")
            }
        }
        try await send(HTTPRequest(replace ? .put : .post, url, body: body), linesBefore: 0, over: client)
    }

    // MARK: a stream

    private static let batchBytes = 1 << 20
    private static let batchDuration = Duration.seconds(1)

    private func stream(over client: HTTPClient) async throws {
        let query = labels.map { "extra_label=" + URLString.encoded("\($0.name)=\($0.value)") }.joined(separator: "&")
        let url = try server.url("/api/v1/import/prometheus" + (query.isEmpty ? "" : "?\(query)"))
        let input = StandardInput()
        var lines = LineBatches(bytesMax: 16 << 20)
        while let piece = try await input.read(max: Self.batchBytes, within: Self.batchDuration) {
            guard let batch = try lines.take(piece) else { continue }
            try await send(HTTPRequest(.post, url, body: batch.bytes), linesBefore: batch.linesBefore, over: client)
        }
        if let batch = lines.rest() {
            try await send(HTTPRequest(.post, url, body: batch.bytes), linesBefore: batch.linesBefore, over: client)
        }
    }

    // MARK: common

    /// Sends until the server has taken it; a server that is busy says how long to wait.
    private func send(_ request: HTTPRequest, linesBefore: Int, over client: HTTPClient) async throws {
        var request = request
        request.timeout = .seconds(60)
        request.headers.append(HTTPField("Content-Type", "text/plain; version=0.0.4"))
        while true {
            let response: HTTPResponse
            do throws(TransportError) { response = try await client.send(request) } catch {
                throw PushFailure("\(error)")
            }
            switch response.status {
            case 200..<300: return
            case 429, 503:
                let pause = response.retryAfter(now: SystemClock().now()) ?? .seconds(1)
                standardError("\(Self.words(of: response)); sending it again in \(pause.prometheusText)")
                try await Task.sleep(for: max(pause, .milliseconds(100)))
            default:
                let words = LineNumbers.moved(Self.words(of: response), by: linesBefore)
                throw PushFailure(
                    linesBefore == 0
                        ? words : "\(words) (of lines \(linesBefore + 1) and later; those before were taken)")
            }
        }
    }

    private static func words(of response: HTTPResponse) -> String {
        let text = Terminal.plain(response.body.text())
        let words = String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        return words.isEmpty ? "the server answers \(response.status)" : words
    }
}

struct PushFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Cuts an input into whole lines, and counts them.
struct LineBatches {
    struct Batch {
        var bytes: [UInt8]
        /// Lines of the input before this batch.
        var linesBefore: Int
    }

    let bytesMax: Int
    private var held: [UInt8] = []
    private var lines = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// The lines that are whole now; nil when there is none.
    mutating func take(_ piece: [UInt8]) throws(PushFailure) -> Batch? {
        guard let end = piece.lastIndex(of: UInt8(ascii: "\n")) else {
            held += piece
            guard held.count <= bytesMax else {
                throw PushFailure("line \(lines + 1) is longer than \(bytesMax) bytes")
            }
            return nil
        }
        let batch = Batch(bytes: held + piece[...end], linesBefore: lines)
        held = Array(piece[(end + 1)...])
        lines += batch.bytes.count { $0 == UInt8(ascii: "\n") }
        return batch
    }

    /// The last line, where the input does not end with a line feed.
    mutating func rest() -> Batch? {
        if held.isEmpty { return nil }
        defer { held = [] }
        return Batch(bytes: held + [UInt8(ascii: "\n")], linesBefore: lines)
    }
}

/// The server counts the lines of a batch, users those of their input.
enum LineNumbers {
    /// `line 3: ...` becomes `line 1003: ...` for an offset of 1000; a text without a line stays as it is.
    static func moved(_ text: String, by offset: Int) -> String {
        guard text.hasPrefix("line ") else { return text }
        let digits = text.dropFirst(5).prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return text }
        let (line, overflow) = number.addingReportingOverflow(offset)
        return overflow ? text : "line \(line)" + text.dropFirst(5 + digits.count)
    }
}
