import Actors
import Streams
import Transport

/// Standard input as a stream of pushes: every second or every MiB its whole lines are one request.
///
/// What the server refuses is told and left behind. While nobody answers, or the server is busy, the same lines are sent
/// again, and nothing more is read: who writes the input waits then.
struct PushStream {
    private static let batchBytes = 1 << 20
    private static let batchDuration = Duration.seconds(1)
    private static let lineBytesMax = 16 << 20
    /// How long the last lines are tried when nobody answers.
    private static let patienceAtEnd = Duration.seconds(30)

    private let client: HTTPClient
    private let url: URLString
    private let random = RandomSource()
    private var lines = LineBatches(bytesMax: Self.lineBytesMax)
    private var refusals = 0
    private var lastWarning = ""

    init(_ client: HTTPClient, to url: URLString) {
        self.client = client
        self.url = url
    }

    /// Returns when all of the input was taken.
    /// - Throws: at its end, when some was not.
    mutating func run(_ input: StandardInput) async throws {
        var isEnd = false
        while !isEnd {
            let reading = try await input.read(max: Self.batchBytes, within: Self.batchDuration)
            isEnd = reading.isEnd
            if let batch = try lines.take(reading) { try await send(batch, isLast: isEnd) }
        }
        if refusals > 0 {
            throw PushFailure(
                refusals == 1 ? "one batch of lines was refused" : "\(refusals) batches of lines were refused")
        }
    }

    private mutating func send(_ batch: LineBatches.Batch, isLast: Bool) async throws {
        var request = HTTPRequest(.post, url, body: batch.bytes)
        request.timeout = .seconds(60)
        request.headers.append(PushCommand.textFormat)
        var backoff = Backoff(.init(first: .milliseconds(500), factor: 2, longest: .seconds(15), spread: 0.3))
        let start = ContinuousClock.now
        while true {
            let problem: String
            var pause = backoff.next(random)
            do throws(TransportError) {
                let response = try await client.send(request)
                switch response.status {
                case 200..<300:
                    lastWarning = ""
                    return
                case 408, 429, 500...:
                    problem = response.words
                    pause = max(.milliseconds(100), response.retryAfter(now: SystemClock().now()) ?? pause)
                default: return refuse(batch, response.words)
                }
            } catch {
                guard error.isPassing else { throw PushFailure("\(error)") }
                problem = "\(error)"
            }
            guard !isLast || start.duration(to: .now) + pause < Self.patienceAtEnd else { throw PushFailure(problem) }
            warn("\(problem); trying again")
            try await Task.sleep(for: pause)
        }
    }

    private mutating func refuse(_ batch: LineBatches.Batch, _ words: String) {
        refusals += 1
        let moved = LineNumbers.moved(words, by: batch.linesBefore)
        let last = batch.linesBefore + batch.lineCount
        warn("refused, of lines \(batch.linesBefore + 1) to \(last): \(moved)")
    }

    /// What is said again and again is said once.
    private mutating func warn(_ text: String) {
        if text != lastWarning { standardError(text) }
        lastWarning = text
    }
}

extension TransportError {
    /// Whether it may be gone at the next try.
    fileprivate var isPassing: Bool {
        switch self {
        case .resolve, .connect, .timeout, .protocol: true
        default: false
        }
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
