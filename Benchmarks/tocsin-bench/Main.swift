/// `tocsin-bench NAME [key=value ...]`: one benchmark, figures on standard output. Run it in release mode.
///
/// A benchmark is a file here with a `Benchmark` and a line in `all`.
@main struct Main {
    static let all: [Benchmark] = [
        evaluate, gorilla, parse, remoteWrite, ruleCycle, storageAppend, storageSelect, storageSnapshot, storageTrim,
        stream,
    ]

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, let benchmark = all.first(where: { $0.name == name }) else {
            print("usage: tocsin-bench NAME [key=value ...]")
            for benchmark in all { print("  \(benchmark.name)  \(benchmark.summary)") }
            return
        }
        try await run(benchmark, Options(arguments.dropFirst()))
    }

    /// Away from the main actor: every call of another actor would wake two threads.
    @concurrent private static func run(_ benchmark: Benchmark, _ options: Options) async throws {
        try await benchmark.run(options)
    }
}

struct Benchmark: Sendable {
    let name: String
    /// One line: what is measured, and the options with their defaults.
    let summary: String
    let run: @Sendable (Options) async throws -> Void
}

/// The `key=value` arguments.
struct Options: Sendable {
    private var values: [String: String] = [:]

    init(_ arguments: some Sequence<String>) {
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
    }

    func number(_ key: String, _ standard: Int) -> Int { values[key].flatMap { Int($0) } ?? standard }
}
