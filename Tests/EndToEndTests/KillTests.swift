import Foundation
import TestKit
import Testing

/// The short form of `Benchmarks/kill_storm.py`, which says what is wrong.
@Suite struct KillTests {
    @Test func `whoever is told of alerts hears neither less nor more when the server is killed again and again`()
        async throws
    {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let outcome = try await TocsinProcess.outcome(
            of: TestProcess.python,
            [
                root.appending(path: "Benchmarks/kill_storm.py").standardized.path, "--binary", TocsinProcess.program,
                "--kills", "6", "--jobs", "6", "--seed", "7",
            ])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("as if nothing had happened"))
    }
}
