import Foundation
import ServerKit
import TestKit
import Testing
import YAML

@Suite struct PushgatewayConformance {
    /// What only another program in another language can answer.
    private static let unfit = [
        "own metrics are there": "go_goroutines and pushgateway_* are metrics of a Go program and of another server"
    ]

    @Test("Pushes are answered as a Pushgateway answers them", arguments: [("api", ""), ("no-check", "/pg")])
    func steps(name: String, prefix: String) async throws {
        guard let url = try Conformance.url("pushgateway/\(name).yaml") else { return }
        let steps = try Node.parse(String(contentsOf: url, encoding: .utf8))["steps"]?.items ?? []
        try #require(!steps.isEmpty)
        let checks = name == "api"
        var options = TestServer.Options()
        options.prefix = prefix
        let report = try await TestServer.with(
            """
            name: default
            sources:
              - push: {consistency_check: \(checks), admin_api: \(checks), expose: true}
            """, options
        ) { server in
            var report = Conformance.Report("pushgateway/\(name)")
            for step in steps {
                // Pushgateway takes its time; here a push is applied when it is answered.
                guard let path = step["path"]?.text else { continue }
                let title = step["name"]?.text ?? path
                if let reason = Self.unfit[title] {
                    report.skip(title, reason)
                    continue
                }
                let problem = try await PushgatewayStep(step, path: path).play(on: server.client)
                if let problem { report.fail(title, problem) } else { report.pass() }
            }
            return report
        }
        report.finish()
        #expect(report.failed == 0)
    }
}

/// One request of the corpus and what is expected of its answer.
private struct PushgatewayStep {
    private let step: Node
    private let path: String

    init(_ step: Node, path: String) {
        self.step = step
        self.path = path
    }

    /// What is wrong with the answer; nil: nothing.
    func play(on client: LoopbackClient) async throws -> String? {
        var headers: [String: String] = [:]
        for pair in step["headers"]?.textPairs ?? [] { headers[pair.key] = pair.value }
        var body = Array((step["body"]?.scalar?.text ?? "").utf8)
        if let text = step["body_b64"]?.text { body = Array(Data(base64Encoded: text) ?? Data()) }
        let answer = try await client.send(step["method"]?.text ?? "GET", path, headers: headers, body: body)
        return try StepExpectation(step["expect"]).problem(of: answer)
    }
}
