import Foundation
import PromQL
import Streams
import TestKit
import Testing

/// The cases of `promql-parse/`: what Prometheus's parser and printer make of them.
@Suite struct PromQLParseConformance {
    private struct Valid: Decodable {
        var id: String
        var expr: String
        var type: String
        var canonical: String
        var pretty: String?
        var defaultError: String?

        enum CodingKeys: String, CodingKey {
            case id, expr, type, canonical, pretty
            case defaultError = "default_error"
        }
    }

    private struct Invalid: Decodable {
        struct Issue: Decodable {
            var msg: String
            var start: Int
            var end: Int
        }
        var id: String
        var expr: String
        var category: String
        var message: String
        var errors: [Issue]
    }

    private struct Series: Decodable {
        var id: String
        var line: String
        var ok: Bool
        var labels: [String: String]?
        var values: [String]?
        var error: String?
    }

    @Test func `every case of promql-parse is as Prometheus has it`() throws {
        guard let folder = try Conformance.url("promql-parse") else { return }
        var report = Conformance.Report("promql-parse")
        for example in try cases(Valid.self, folder.appending(path: "valid.jsonl")) {
            note(differences(example), example.id, &report)
        }
        var otherMessages = 0
        for example in try cases(Invalid.self, folder.appending(path: "invalid.jsonl")) {
            note(differences(example, &otherMessages), example.id, &report)
        }
        for example in try cases(Series.self, folder.appending(path: "series.jsonl")) {
            note(differences(example, &otherMessages), example.id, &report)
        }
        print("promql-parse: \(otherMessages) messages are worded differently")
        report.finish()
        #expect(report.failed == 0)
    }

    private func cases<Case: Decodable>(_ type: Case.Type, _ file: URL) throws -> [Case] {
        try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(type, from: Data($0))
        }
    }

    private func note(_ differences: [String], _ id: String, _ report: inout Conformance.Report) {
        if differences.isEmpty { report.pass() } else { report.fail(id, differences.joined(separator: "; ")) }
    }

    private func differences(_ example: Valid) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ ours: String, _ theirs: String) {
            if !ours.utf8.elementsEqual(theirs.utf8) {
                found.append("\(what) of \(example.expr) is \(ours), not \(theirs)")
            }
        }
        do throws(ParseError) {
            let expression = try PromQLParser.parse(example.expr, options: .everything)
            compare("type", expression.type.rawValue, example.type)
            compare("text", expression.description, example.canonical)
            compare("pretty text", expression.prettified(), example.pretty ?? example.canonical)
            let again = try PromQLParser.parse(example.canonical, options: .everything)
            compare("text, read again,", again.description, example.canonical)
        } catch {
            found.append("\(example.expr) is refused: \(error)")
        }
        do throws(ParseError) {
            _ = try PromQLParser.parse(example.expr)
            compare("error without features", "none", example.defaultError ?? "none")
        } catch {
            compare("error without features", error.description, example.defaultError ?? "none")
        }
        return found
    }

    private func differences(_ example: Invalid, _ otherMessages: inout Int) -> [String] {
        do throws(ParseError) {
            let expression = try PromQLParser.parse(example.expr, options: .everything)
            return ["\(example.expr) is taken as \(expression), not refused: \(example.message)"]
        } catch {
            var found: [String] = []
            if error.category.rawValue != example.category {
                found.append("\(example.expr): category \(error.category.rawValue), not \(example.category): \(error)")
            }
            if let first = example.errors.first, first.start != error.place.start {
                found.append("\(example.expr): starts at \(error.place.start), not \(first.start): \(error)")
            }
            if error.description != example.message {
                otherMessages += 1
                print("promql-parse: \(example.id): \(error), not \(example.message)")
            }
            return found
        }
    }

    private func differences(_ example: Series, _ otherMessages: inout Int) -> [String] {
        do throws(ParseError) {
            let series = try PromQLParser.parseSeriesNotation(example.line)
            guard example.ok else { return ["\(example.line) is taken, not refused: \(example.error ?? "")"] }
            let labels = Dictionary(uniqueKeysWithValues: series.labels.map { ($0.name, $0.value) })
            var found: [String] = []
            if labels != example.labels { found.append("\(example.line): labels \(series.labels)") }
            if series.values.map(\.description) != example.values ?? [] {
                found.append("\(example.line): values \(series.values)")
            }
            return found
        } catch {
            if error.description != example.error {
                otherMessages += 1
                print("promql-parse: \(example.id): \(error), not \(example.error ?? "accepted")")
            }
            return example.ok ? ["\(example.line) is refused: \(error)"] : []
        }
    }
}
