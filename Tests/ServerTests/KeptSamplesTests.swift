import Foundation
import ServerKit
import Streams
import TestKit
import Testing

@Suite struct KeptSamplesTests {
    @Test func `samples that lie ahead of the clock are set aside, and are there when it is right again`() async throws
    {
        let folder = try TemporaryFolder()
        func run<Result: Sendable>(
            at time: Timestamp, _ test: @Sendable (TestServer) async throws -> Result
        ) async throws -> Result {
            var options = TestServer.Options()
            options.folder = folder
            options.isSaved = true
            options.clock = ManualClock(at: time)
            return try await TestServer.with(pushPipeline, options, test)
        }
        let time = Timestamp(rfc3339: "2026-01-02T00:00:00Z") ?? .distantPast
        try await run(at: time) { server async throws in
            let taken = try await server.client.send("POST", "/api/v1/import/prometheus", text: "x 1\n")
            #expect((200..<300).contains(taken.status))
        }
        let (kept, aside) = (folder.path("samples.snapshot"), folder.path("samples.snapshot.unusable"))
        let before = try await run(at: time - .seconds(86400)) { try await $0.value("x") }
        #expect(before == nil)
        #expect(FileManager.default.fileExists(atPath: aside))
        try #require(rename(aside, kept) == 0)
        #expect(try await run(at: time) { try await $0.value("x") } == 1)
    }
}
