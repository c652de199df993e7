import Foundation
import TestKit
import Testing

/// The commands of README.md and of the guide that are marked `<!-- run -->` do what they say, against the built program.
@Suite(.serialized) struct ShellExampleTests {
    struct NotListening: Error { let output: [String] }

    /// A server on a free port with the pipelines that ship, and that port.
    private func start(_ folder: TemporaryFolder) async throws -> (server: TestProcess, port: String) {
        let server = try TestProcess(
            "sh",
            [
                "-c", "exec \"$0\" run \"$1\" --listen 127.0.0.1:0 --data \"$2\" 2>&1", BuiltProgram.path,
                Repository.root.appending(path: "pipelines").path, folder.path("data"),
            ],
            // Nobody is there to take a mail or to be scraped.
            environment: [
                "SMTP_SMARTHOST": "127.0.0.1:9", "TRAINING_TARGET": "127.0.0.1:9",
            ])
        var output: [String] = []
        while let line = await server.line() {
            output.append(line)
            if let port = line.firstMatch(of: #/Listening\. address=127\.0\.0\.1:(\d+)/#)?.1 {
                return (server, String(port))
            }
        }
        throw NotListening(output: output)
    }

    @Test func `commands in the guide work`() async throws {
        let blocks = try Repository.documents().flatMap(FencedBlock.all).filter {
            $0.language == "sh" && $0.marks.contains("run")
        }
        #expect(blocks.count > 5)
        let folder = try TemporaryFolder()
        // Makes curl fail where a server answers with an error, and give up in the end.
        try folder.write(".curlrc", "fail\nsilent\nshow-error\nmax-time = 60\n")
        let (server, port) = try await start(folder)
        defer { server.stop() }
        // The server answers before all pipelines run.
        let ready = "curl --retry 30 --retry-delay 1 --retry-all-errors http://127.0.0.1:9190/-/ready\n"
        for block in blocks {
            let script = (ready + block.text).replacing("127.0.0.1:9190", with: "127.0.0.1:\(port)")
            let shell = try TestProcess(
                "bash", ["-c", "set -eu -o pipefail; { \(script)\n} 2>&1; echo; echo \"done with it\""],
                environment: ["HOME": folder.path("")])
            var output: [String] = []
            while let line = await shell.line() { output.append(line) }
            #expect(output.last == "done with it", "\(block.file):\(block.line) says \(output.joined(separator: "\n"))")
        }
    }
}
