import Foundation
import Sinks
import Streams
import TestKit
import Testing

@Suite struct FileSinkTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func deliver(_ settings: String, _ count: Int = 1) async throws -> DeliveryError? {
        try await SinkBench.run { bench in
            let sink = try bench.sink(FileSink.self, settings)
            do throws(DeliveryError) {
                for number in 0..<count { try await sink.deliver(SinkBench.group { $0.id = "n\(number)" }) }
                return nil
            } catch {
                return error
            }
        }
    }

    private func lines(_ name: String) throws -> [JSONValue] {
        let text = try String(contentsOf: URL(filePath: folder.path(name)), encoding: .utf8)
        #expect(text.hasSuffix("\n"))
        return try text.split(separator: "\n").map { try JSONValue(parsing: $0.utf8) }
    }

    @Test func `each notification is a line`() async throws {
        #expect(try await deliver("{path: '\(folder.path("a"))', max_alerts: 1, sync: true}", 3) == nil)
        let lines = try lines("a")
        #expect(lines.map { $0["id"]?.string } == ["n0", "n1", "n2"])
        #expect(lines[0].texts("time", "receiver", "version") == ["2026-01-01T00:00:00Z", "team", "4"])
        #expect(lines[0]["alerts"]?.items?.count == 1 && lines[0]["truncatedAlerts"] == 1)
    }

    @Test func `what was cut off in mid-line does not take the next line with it`() async throws {
        try folder.write("a", "{\"half\":")
        #expect(try await deliver("path: '\(folder.path("a"))'") == nil)
        let text = try String(contentsOf: URL(filePath: folder.path("a")), encoding: .utf8)
        #expect(text.hasPrefix("{\"half\":\n{\"id\":\"n0\""))
    }

    @Test func `many at a time do not mix`() async throws {
        try await SinkBench.run { bench in
            let sinks = try (0..<2).map { _ in try bench.sink(FileSink.self, "path: '\(folder.path("a"))'") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask { try await sinks[number % 2].deliver(SinkBench.group { $0.id = "n\(number)" }) }
                }
                try await group.waitForAll()
            }
        }
        #expect(Set(try lines("a").compactMap { $0["id"]?.string }).count == 40)
    }

    @Test func `what can't be written is refused, and a full disk is an outage`() async throws {
        #expect(
            try await deliver("path: '\(folder.path("nowhere/a"))'")
                == .refused(reason: "can't write \(folder.path("nowhere/a")): no such file or directory"))
        guard case .refused? = try await deliver("path: '\(folder.path(""))'") else {
            Issue.record("a folder was written to")
            return
        }
        #expect(try await deliver("path: /dev/full") == .refused(reason: "can't write /dev/full: not a file"))
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(FileSink.self, "{}", ["1:1: key \"path\" is missing in a file config"])
        try expectErrors(FileSink.self, "{path: ''}", ["1:8: must not be empty"])
        try expectErrors(FileSink.self, "{path: a, timeout: 1s}", ["1:11: unknown key \"timeout\""])
    }
}
