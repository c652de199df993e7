import ArgumentParser
import Server
import Streams

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

    func limits() throws -> QueryLimits {
        guard (1...1000).contains(concurrencyMax) else {
            throw ValidationError("--query.max-concurrency: \(concurrencyMax) is not from 1 to 1000")
        }
        guard samplesMax > 0 else { throw ValidationError("--query.max-samples: \(samplesMax) is not above 0") }
        var limits = QueryLimits()
        limits.concurrencyMax = concurrencyMax
        limits.samplesMax = samplesMax
        do throws(Duration.TextError) {
            limits.timeout = try Duration.parse(prometheus: timeout)
        } catch {
            throw ValidationError("--query.timeout: \(error)")
        }
        guard limits.timeout > .zero else { throw ValidationError("--query.timeout: \(timeout) is not above 0") }
        return limits
    }
}
