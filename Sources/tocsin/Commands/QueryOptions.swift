import ArgumentParser
import Server
import Streams
import YAML

/// Bounds on queries, under Prometheus's names.
struct QueryOptions: ParsableArguments {
    @Option(
        name: .customLong("query.max-concurrency"),
        help: ArgumentHelp("How many queries are evaluated at the same time.", valueName: "count"))
    var concurrencyMax = 20

    @Option(
        name: .customLong("query.max-samples"),
        help: ArgumentHelp("How many samples one query may hold.", valueName: "count"))
    var samplesMax = 50_000_000

    @Option(
        name: .customLong("query.timeout"),
        help: ArgumentHelp("How long a query may wait and be evaluated.", valueName: "duration"))
    var timeout = "2m"

    @Option(
        name: .customLong("query.max-answer-memory"),
        help: ArgumentHelp("Memory for all answers that clients have not read yet.", valueName: "size"),
        transform: { try Self.size($0) })
    var answerMemoryMax = ByteSize(bytes: QueryLimits().answersBytesMax)

    private static func size(_ text: String) throws -> ByteSize {
        guard let size = ByteSize(text) else {
            throw ValidationError("\(quoted(text)) is no size; write one such as 1GB")
        }
        guard size.bytes >= 1 << 20 else { throw ValidationError("less than 1MB is too little") }
        return size
    }

    func limits() throws -> QueryLimits {
        guard (1...1000).contains(concurrencyMax) else {
            throw ValidationError("--query.max-concurrency: \(concurrencyMax) is not from 1 to 1000")
        }
        guard samplesMax > 0 else { throw ValidationError("--query.max-samples: \(samplesMax) is not above 0") }
        var limits = QueryLimits()
        limits.concurrencyMax = concurrencyMax
        limits.samplesMax = samplesMax
        limits.answersBytesMax = answerMemoryMax.bytes
        do throws(Duration.TextError) {
            limits.timeout = try Duration.parse(prometheus: timeout)
        } catch {
            throw ValidationError("--query.timeout: \(error)")
        }
        guard limits.timeout > .zero else { throw ValidationError("--query.timeout: \(timeout) is not above 0") }
        return limits
    }
}
