import ArgumentParser
import PromQL
import Streams
import YAML

struct TestPromQLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promql", abstract: "Runs test scripts of PromQL.",
        discussion: """
            Scripts load series, evaluate queries and state what comes out, in the language of Prometheus's own test
            scripts; all of PromQL is switched on. Exits with 1 if something else comes out.

            Example: tocsin test promql scripts/*.test
            """)

    @Argument(help: "Test scripts.")
    var files: [String]

    func run() async throws {
        var counts = (passed: 0, failed: 0, unread: 0)
        for file in files {
            guard let script = read(file) else {
                counts.unread += 1
                continue
            }
            var player = ScriptPlayer(settings: ScriptPlayer.scriptSettings)
            for outcome in await player.play(script) {
                switch outcome.verdict {
                case .passed: counts.passed += 1
                case .failed(let difference):
                    counts.failed += 1
                    standardOutput("\(file):\(outcome.line): \(difference)")
                }
            }
        }
        let unread = counts.unread > 0 ? ", \(counts.unread) files with errors" : ""
        standardOutput(
            "\(counts.passed + counts.failed) evals in \(files.count) files: \(counts.passed) passed, "
                + "\(counts.failed) failed\(unread)")
        if counts.failed + counts.unread > 0 { throw ExitCode(1) }
    }

    /// Nil when it can't be read, which is told.
    private func read(_ file: String) -> PromQLScript? {
        do throws(ConfigError) {
            let source = try SourceText(contentsOf: file)
            do throws(ScriptError) {
                return try PromQLScript(String(decoding: source.bytes, as: UTF8.self))
            } catch {
                standardOutput("\(file):\(error.line): \(error.problem)")
            }
        } catch {
            standardOutput("\(error)")
        }
        return nil
    }
}
