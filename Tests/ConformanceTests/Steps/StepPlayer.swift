import Foundation
import Streams
import TestKit
import YAML

/// Plays the steps of a file of the corpus against a program that runs: requests, and runs of a tool.
final class StepPlayer {
    private let client: LoopbackClient
    private let folder: TemporaryFolder
    private let tool: String
    private var saved: [String: String]

    struct Unknown: Error {
        var name: String
    }

    /// - Parameter files: written to the folder in which the tool works.
    init(_ client: LoopbackClient, tool: String, files: Node?) throws {
        self.client = client
        self.tool = tool
        folder = try TemporaryFolder()
        saved = ["url": "http://127.0.0.1:\(client.port)"]
        for entry in files?.entries ?? [] {
            try folder.write("work/" + (entry.key.text ?? ""), entry.value.scalar?.text ?? "")
        }
        try folder.write("work/.keep", "")
    }

    /// What went otherwise than expected; nil: nothing.
    func play(_ step: Node) async throws -> String? {
        let expectation = StepExpectation(step["expect"], fill: fill)
        if let arguments = step["run"]?.texts {
            let outcome = try await run(arguments.map(fill), input: fill(step["stdin"]?.text ?? ""))
            if let name = step["save"]?.text {
                saved[name] = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            return try expectation.problem(of: outcome)
        }
        let answer = try await request(step)
        for (name, path) in step["save"]?.textPairs ?? [] {
            saved[name] = try JSONValue(parsing: answer.body)[path]?.string
        }
        return try expectation.problem(of: answer)
    }

    private func request(_ step: Node) async throws -> LoopbackAnswer {
        var headers: [String: String] = [:]
        for pair in step["headers"]?.textPairs ?? [] { headers[pair.key] = pair.value }
        var body = Array((try step["body"]?.scalar.map { try fill($0.text) } ?? "").utf8)
        if let document = step["json"] {
            body = try json(document).bytes
            headers["Content-Type"] = headers["Content-Type"] ?? "application/json"
        }
        return try await client.send(
            step["method"]?.text ?? "GET", fill(step["path"]?.text ?? ""), headers: headers, body: body)
    }

    private func run(_ arguments: [String], input: String) async throws -> Outcome {
        let file = try folder.write("input", input)
        // In its folder, with its own home, and with the input.
        return try await Outcome(
            of: "sh",
            ["-c", "cd \"$0\" && input=$1 && shift && exec \"$@\" < \"$input\"", folder.path("work"), file.path]
                + [tool] + arguments, environment: ["HOME": folder.path("")])
    }

    private func json(_ node: Node) throws -> JSONValue {
        if let entries = node.entries {
            return .object(try entries.map { .init(try fill($0.key.scalar?.text ?? ""), try json($0.value)) })
        }
        if let items = node.items { return .array(try items.map(json)) }
        let text = node.scalar?.text ?? ""
        if node.scalar?.style == .plain {
            if node.isNull { return .null }
            if ["true", "false"].contains(text) { return .bool(text == "true") }
            if let number = Int64(text) { return .integer(number) }
        }
        return .string(try fill(text))
    }

    /// Puts times (`<<now+60>>`) and what was saved into a text.
    private func fill(_ text: String) throws -> String {
        try text.replacing(/<<([a-z0-9_+-]+)>>/) { match in
            let name = String(match.1)
            if name.hasPrefix("now") {
                let seconds = Int64(name.dropFirst(3)) ?? 0
                let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
                return (now + .seconds(seconds)).rfc3339
            }
            guard let value = saved[name] else { throw Unknown(name: name) }
            return value
        }
    }
}
