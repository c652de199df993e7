import ArgumentParser
import Glibc

/// The command line. Exit codes: 0 done, 1 the thing asked about is bad, 2 wrong usage.
@main
struct Tocsin: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "tocsin",
        abstract:
            "Watches machine-learning training and tells the right people, within milliseconds, when something is wrong.",
        discussion: """
            Example: tocsin run pipelines --listen 127.0.0.1:9190 --env-file .env
            """,
        version: "tocsin version \(version)",
        subcommands: [
            RunCommand.self, CheckCommand.self, TestCommand.self, GraphCommand.self, TailCommand.self,
            PushCommand.self, AlertCommand.self, SilenceCommand.self,
            DemoCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code == .success {
                print(text)
                Glibc.exit(0)
            }
            if !text.isEmpty { standardError(text) }
            // The parser's own code for wrong usage is that of sysexits.h.
            Glibc.exit(code == .validationFailure ? 2 : 1)
        }
    }
}

/// Writes a line for people, apart from what a command prints as its result.
func standardError(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    // Where nobody reads it there is nobody to tell.
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
