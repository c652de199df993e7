import Foundation
import PromQL
import ServerKit
import TestKit
import Testing

/// Experimental parts of PromQL are off, and on for rules and clients alike once their feature is enabled.
@Suite struct LanguageFeatureTests {
    private static let pipeline = """
        name: experiment
        evaluation: interval
        sources:
          - push: {}
        windows:
          - record: longest
            expr: max_of(1, 2) + absent(nothing)
        """

    private static let queries = [
        "max_of(1,2)", "limitk(1,up)", "up[5m]%20smoothed", "up%20%2B%20fill%20(0)%20up",
    ]

    @Test func `what is experimental is refused`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for query in Self.queries {
                let answer = try await server.client.get("/api/v1/query?query=\(query)")
                #expect(answer.status == 400, "\(query): \(answer.text)")
            }
        }
        await #expect(throws: (any Error).self) { try await TestServer.with(Self.pipeline) { _ async throws in } }
    }

    @Test func `what is enabled is there for clients, for rules, and told`() async throws {
        var options = TestServer.Options()
        options.language.parser = .everything
        try await TestServer.with(Self.pipeline, options) { server async throws in
            for query in Self.queries {
                let answer = try await server.client.get("/api/v1/query?query=\(query)")
                #expect(answer.status == 200, "\(query): \(answer.text)")
            }
            let features = try await server.client.data("features") as? [String: [String: Bool]]
            #expect(features?["promql_functions"]?["info"] == true)
            #expect(features?["promql_operators"]?["limitk"] == true)
            #expect(features?["promql"]?["smoothed"] == true)
        }
    }
}
