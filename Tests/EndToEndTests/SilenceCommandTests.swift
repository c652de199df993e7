import Foundation
import TestKit
import Testing

/// `tocsin alert` and `tocsin silence` against a server.
@Suite struct SilenceCommandTests {
    @Test func `alerts are posted, silenced and listed from the command line`() async throws {
        let tocsin = try TocsinProcess(
            "name: default\nrouting: {route: {receiver: nobody}}\nsinks: [{name: nobody}]\n", in: TemporaryFolder())
        let port = try await tocsin.client().port
        func run(_ arguments: String...) async throws -> Outcome {
            try await TocsinProcess.outcome(arguments + ["--server", "http://127.0.0.1:\(port)"])
        }
        let added = try await run("alert", "add", "DiskFull", "node=n 1", "--annotation", "summary=is full")
        #expect(added.status == 0, "\(added.errors)")
        let isActive = await eventually {
            (try? await run("alert", "query", "DiskFull", "--active").output.contains("is full")) == true
        }
        #expect(isActive)
        let made = try await run(
            "silence", "add", "DiskFull", "node=~n.*", "--comment", "disks\u{1B}[31m", "--author", "ana")
        #expect(made.status == 0, "\(made.errors)")
        let id = String(made.output.dropLast())
        #expect(id.utf8.count == 36)
        let listed = try await run("silence", "query", "DiskFull").output
        #expect(listed.contains("\(id)  alertname=\"DiskFull\" node=~\"n.*\"  active") && !listed.contains("\u{1B}"))
        #expect(try await run("alert", "query", "node=n 1").output.contains("suppressed"))
        #expect(try await !run("alert", "query", "--active").output.contains("DiskFull"))
        let saved = try tocsin.folder.write("silences.json", await run("silence", "query", "--json").output)
        #expect(try await run("silence", "expire", id).status == 0)
        #expect(try await run("silence", "query", "--expired", "--quiet").output == id + "\n")
        #expect(try await run("silence", "import", saved.path).output.utf8.count == 37)
        #expect(try await run("alert", "query").output.contains("suppressed"))

        #expect(try await run("silence", "add", "a=~.*", "--comment", "all").status == 1)
        #expect(try await run("silence", "add", "a=~.*", "--comment", "all", "--confirm").status == 0)
        #expect(try await run("silence", "expire", "x").status == 1)
        #expect(try await run("silence", "add", "a", "b", "--comment", "c").status == 2)
        #expect(await tocsin.terminate() == 0)
    }
}
