import CCoverage
import Foundation
import FuzzKit
import Glibc
import Synchronization
import TestKit

/// `tocsin-fuzz parse|evaluate [--seconds N] [--seed S] [--corpus DIR] [--findings DIR] [--memory MIB]`, or
/// `tocsin-fuzz parse|evaluate FILE...` to feed single inputs.
///
/// An input is written to `DIR/TARGET-SEED.running` before it is tried, so that it is there after a crash. Exit status: 0
/// nothing found, 1 a finding, 2 wrong usage.
@main struct Main {
    static func main() async {
        let options = Options(CommandLine.arguments.dropFirst())
        do {
            try await run(options)
        } catch {
            say("tocsin-fuzz: \(error)")
            exit(2)
        }
    }

    @concurrent private static func run(_ options: Options) async throws {
        guard let target = FuzzTargets.named(options.target) else { Options.usage() }
        let watchdog = Watchdog(memoryMax: options.memory << 20)
        watchdog.start()
        if !options.files.isEmpty {
            for file in options.files {
                let input = [UInt8](try Data(contentsOf: URL(filePath: file)))
                watchdog.begin()
                try await target.check(input)
                watchdog.end()
                say("\(file): nothing found")
            }
            return
        }
        try FileManager.default.createDirectory(atPath: options.findings, withIntermediateDirectories: true)
        let running = "\(options.findings)/\(options.target)-\(options.seed).running"
        var session = Session(
            target: target, corpus: try Corpus(folder: URL(filePath: options.corpus)), seed: options.seed,
            journal: try Journal(running), watchdog: watchdog)
        say("\(options.target): seed \(options.seed), \(options.seconds) s; what crashes it is in \(running)")
        let isClean = await session.run(for: .seconds(options.seconds), findings: options.findings)
        unlink(running)
        exit(isClean ? 0 : 1)
    }
}

/// A run over one target.
struct Session {
    private let target: any FuzzTarget
    private var corpus: Corpus
    private var mutator: Mutator
    private let seed: UInt64
    private let journal: Journal
    private let watchdog: Watchdog
    private var executions = 0
    private var findings = 0

    init(target: any FuzzTarget, corpus: Corpus, seed: UInt64, journal: Journal, watchdog: Watchdog) {
        self.target = target
        self.corpus = corpus
        self.seed = seed
        self.journal = journal
        self.watchdog = watchdog
        mutator = Mutator(seed: seed)
    }

    /// Whether nothing was found.
    mutating func run(for duration: Duration, findings folder: String) async -> Bool {
        let given = corpus.inputs
        for input in given { _ = await isNew(input, folder) }
        say("  \(given.count) inputs of the corpus take \(edges)")
        let end = ContinuousClock.now + duration
        var report = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end, findings < 20 {
            let input = mutator.input(from: corpus)
            // What goes where nothing went before is worth changing again.
            if await isNew(input, folder) { corpus.add(input) }
            if ContinuousClock.now > report {
                report = report + .seconds(60)
                say("  \(summary)")
            }
        }
        say("  \(summary), \(findings) findings")
        return findings == 0
    }

    private var edges: String {
        coverage_total() == 0 ? "no edges that are counted" : "\(coverage_taken()) of \(coverage_total()) edges"
    }

    private var summary: String {
        let memory = ((try? ResidentMemory.bytes()) ?? 0) >> 20
        return "\(executions) executions, \(edges), \(corpus.inputs.count) inputs, \(memory) MiB"
    }

    /// Tries an input; whether it took an edge for the first time.
    private mutating func isNew(_ input: [UInt8], _ folder: String) async -> Bool {
        journal.write(input)
        let before = coverage_taken()
        watchdog.begin()
        coverage_count(1)
        do throws(FuzzFinding) {
            try await target.check(input)
        } catch {
            findings += 1
            let file = "\(folder)/\(target.name)-\(seed)-\(findings).input"
            _ = FileManager.default.createFile(atPath: file, contents: Data(input))
            say("  FINDING: \(error)\n    \(String(decoding: input, as: UTF8.self))\n    in \(file)")
        }
        coverage_count(0)
        watchdog.end()
        executions += 1
        return coverage_taken() > before
    }
}

/// The file with the input that is being tried.
struct Journal {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        if descriptor < 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }

    func write(_ input: [UInt8]) {
        ftruncate(descriptor, off_t(input.count))
        _ = input.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }
}

/// Prints a line at once: what was said before a crash should be seen.
func say(_ text: String) {
    print(text)
    fflush(nil)
}
