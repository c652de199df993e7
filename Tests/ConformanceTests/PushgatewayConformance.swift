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
        return try problem(of: answer)
    }

    private func problem(of answer: LoopbackAnswer) throws -> String? {
        let expected = step["expect"]
        let status = Int(expected?["status"]?.text ?? "200")
        if answer.status != status { return "status \(answer.status): \(answer.text.prefix(200))" }
        for (name, value) in expected?["headers"]?.textPairs ?? [] {
            let got = answer.headers[name.lowercased()] ?? ""
            guard try Self.fits(value, got) else { return "header \(name) is \(got)" }
        }
        if let text = expected?["text"]?.scalar?.text, answer.text != text { return "text is \(answer.text)" }
        if let pattern = expected?["text_re"]?.text, try answer.text.firstMatch(of: Regex(pattern)) == nil {
            return "the text does not match"
        }
        for text in expected?["has"]?.texts ?? [] where !answer.text.contains(text) { return "lacks \(text)" }
        for text in expected?["lacks"]?.texts ?? [] where answer.text.contains(text) { return "has \(text)" }
        let lines = answer.text.components(separatedBy: "\n")
        for line in expected?["lines"]?.texts ?? [] where !lines.contains(line) { return "has no line \(line)" }
        if let json = expected?["json"] {
            return try Self.difference(json, JSONSerialization.jsonObject(with: Data(answer.body)), at: "")
        }
        return nil
    }

    private static func fits(_ wanted: String, _ got: String) throws -> Bool {
        guard wanted.hasPrefix("~") else { return wanted == got }
        return try got.wholeMatch(of: Regex(String(wanted.dropFirst())).dotMatchesNewlines()) != nil
    }

    /// Objects by the keys that are listed, lists whole and in order.
    private static func difference(_ wanted: Node, _ got: Any, at place: String) throws -> String? {
        if let entries = wanted.entries {
            guard let object = got as? [String: Any] else { return "\(place): no object" }
            for entry in entries {
                let key = entry.key.scalar?.text ?? ""
                guard let value = object[key] else { return "\(place).\(key): not there" }
                if let problem = try difference(entry.value, value, at: "\(place).\(key)") { return problem }
            }
            return nil
        }
        if let items = wanted.items {
            guard let list = got as? [Any], list.count == items.count else { return "\(place): \(got)" }
            for (index, (item, value)) in zip(items, list).enumerated() {
                if let problem = try difference(item, value, at: "\(place)[\(index)]") { return problem }
            }
            return nil
        }
        return try fits(wanted.scalar?.text ?? "", "\(got)") ? nil : "\(place): \(got)"
    }
}
