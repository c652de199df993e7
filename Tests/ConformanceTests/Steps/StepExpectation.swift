import Foundation
import Streams
import TestKit
import YAML

/// What a step of the corpus expects of an answer or of a run, and whether it came so.
struct StepExpectation {
    private let expected: Node?
    /// Fills in what earlier steps have saved.
    private let fill: (String) throws -> String

    init(_ expected: Node?, fill: @escaping (String) throws -> String = { $0 }) {
        self.expected = expected
        self.fill = fill
    }

    /// What is wrong with the answer; nil: nothing.
    func problem(of answer: LoopbackAnswer) throws -> String? {
        let status = Int(expected?["status"]?.text ?? "200")
        if answer.status != status { return "status \(answer.status): \(answer.text.prefix(200))" }
        for (name, value) in expected?["headers"]?.textPairs ?? [] {
            let got = answer.headers[name.lowercased()] ?? ""
            guard try fits(value, got) else { return "header \(name) is \(got)" }
        }
        let texts = try problem(of: answer.text, whole: "text", pattern: "text_re", has: "has", lacks: "lacks")
        if let texts { return texts }
        let lines = answer.text.components(separatedBy: "\n")
        for line in expected?["lines"]?.texts ?? [] where !lines.contains(line) { return "has no line \(line)" }
        return try problem(ofJSON: answer.body)
    }

    /// What is wrong with a run of a program; nil: nothing.
    func problem(of outcome: Outcome) throws -> String? {
        let status = Int32(expected?["exit"]?.text ?? "0")
        if outcome.status != status { return "exit \(outcome.status): \(outcome.output.prefix(200)) \(outcome.errors)" }
        let texts = try problem(
            of: outcome.output, whole: "stdout", pattern: "stdout_re", has: "stdout_has", lacks: "stdout_lacks",
            isWhole: true)
        if let texts { return texts }
        for text in try filled("stderr_has") where !outcome.errors.contains(text) {
            return "standard error lacks \(text): \(outcome.errors)"
        }
        return try problem(ofJSON: outcome.bytes)
    }

    private func problem(
        of text: String, whole: String, pattern: String, has: String, lacks: String, isWhole: Bool = false
    ) throws -> String? {
        if let wanted = try expected?[whole]?.scalar.map({ try fill($0.text) }), text != wanted {
            return "text is \(text)"
        }
        if let pattern = try expected?[pattern]?.text.map(fill) {
            let regex = try Regex(pattern)
            let isFound =
                isWhole
                ? text.wholeMatch(of: regex.dotMatchesNewlines()) != nil : text.firstMatch(of: regex) != nil
            if !isFound { return "the text does not match: \(text)" }
        }
        for wanted in try filled(has) where !text.contains(wanted) { return "lacks \(wanted): \(text.prefix(500))" }
        for unwanted in try filled(lacks) where text.contains(unwanted) { return "has \(unwanted)" }
        return nil
    }

    private func filled(_ key: String) throws -> [String] { try (expected?[key]?.texts ?? []).map(fill) }

    private func problem(ofJSON bytes: [UInt8]) throws -> String? {
        guard let wanted = expected?["json"] else { return nil }
        return try difference(wanted, JSONValue(parsing: bytes), at: "")
    }

    /// Objects by the keys that are listed, lists whole and in order.
    private func difference(_ wanted: Node, _ got: JSONValue, at place: String) throws -> String? {
        if let entries = wanted.entries {
            guard case .object = got else { return "\(place): no object" }
            for entry in entries {
                let key = entry.key.scalar?.text ?? ""
                guard let value = got[key] else { return "\(place).\(key): not there" }
                if let problem = try difference(entry.value, value, at: "\(place).\(key)") { return problem }
            }
            return nil
        }
        if let items = wanted.items {
            guard let list = got.items, list.count == items.count else { return "\(place): \(got.text)" }
            for (index, (item, value)) in zip(items, list).enumerated() {
                if let problem = try difference(item, value, at: "\(place)[\(index)]") { return problem }
            }
            return nil
        }
        let text = got.string ?? got.text
        return try fits(wanted.scalar?.text ?? "", text) ? nil : "\(place): \(text)"
    }

    private func fits(_ wanted: String, _ got: String) throws -> Bool {
        let wanted = try fill(wanted)
        if wanted.hasPrefix("~~") { return wanted.dropFirst() == got }
        guard wanted.hasPrefix("~") else { return wanted == got }
        return try got.wholeMatch(of: Regex(String(wanted.dropFirst())).dotMatchesNewlines()) != nil
    }
}
