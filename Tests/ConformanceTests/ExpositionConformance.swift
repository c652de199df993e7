import Foundation
import Sources
import Streams
import TestKit
import Testing

/// What Prometheus's lenient parsers give for the same text (`ok`, `entries`), and what the strict reader of pushes says
/// (`strict_ok`).
@Suite struct ExpositionConformance {
    @Test(arguments: ["text", "openmetrics"])
    func `expositions are read as Prometheus reads them`(_ file: String) throws {
        guard let url = try Conformance.url("exposition/\(file).jsonl") else { return }
        var report = Conformance.Report("exposition/\(file)")
        let format: ExpositionFormat = file == "text" ? .text : .openMetrics
        for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
            let example = try #require(try Self.decode(line) as? [String: Any])
            let id = try #require(example["id"] as? String)
            let options = example["options"] as? [String: Bool] ?? [:]
            if options["nhcb"] == true {
                report.skip(id, "native histograms with custom buckets are not supported yet")
                continue
            }
            let input = try Self.input(example)
            let differences =
                Self.lenient(input, format, options, example)
                + (format == .text && example["strict_ok"] != nil ? Self.strict(input, example) : [])
            differences.isEmpty ? report.pass() : report.fail(id, differences.joined(separator: "; "))
        }
        report.finish()
        #expect(report.failed == 0)
    }

    /// JSONSerialization loses digits of long numbers; JSONDecoder does not.
    private static func decode(_ line: some StringProtocol) throws -> Any {
        try JSONDecoder().decode(AnyJSON.self, from: Data(line.utf8)).value
    }

    private struct AnyJSON: Decodable {
        let value: Any

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let bool = try? container.decode(Bool.self) {
                value = bool
            } else if let number = try? container.decode(Int64.self) {
                value = number
            } else if let number = try? container.decode(Double.self) {
                value = number
            } else if let string = try? container.decode(String.self) {
                value = string
            } else if let list = try? container.decode([AnyJSON].self) {
                value = list.map(\.value)
            } else {
                value = try container.decode([String: AnyJSON].self).mapValues(\.value)
            }
        }
    }

    private static func input(_ example: [String: Any]) throws -> [UInt8] {
        if let text = example["input"] as? String { return Array(text.utf8) }
        let encoded = try #require(example["input_b64"] as? String)
        return Array(try #require(Data(base64Encoded: encoded)))
    }

    private static func lenient(
        _ input: [UInt8], _ format: ExpositionFormat, _ options: [String: Bool], _ example: [String: Any]
    ) -> [String] {
        var readerOptions = ExpositionReader.Options()
        readerOptions.skipsCreatedLines = options["skip_st"] == true
        readerOptions.addsTypeAndUnit = options["type_unit"] == true
        var entries: [[String: Any]] = []
        var failure: ExpositionError?
        input.withUnsafeBytes { bytes in
            var reader = ExpositionReader(bytes, as: format, options: readerOptions)
            do throws(ExpositionError) {
                while let kind = try reader.next() {
                    entries.append(contentsOf: describe(reader.entry(kind)))
                }
            } catch {
                failure = error
            }
        }
        var differences: [String] = []
        let wanted = example["entries"] as? [[String: Any]] ?? []
        for index in 0..<max(wanted.count, entries.count) {
            let want = index < wanted.count ? text(wanted[index]) : "nothing"
            let got = index < entries.count ? text(entries[index]) : "nothing"
            if want != got {
                differences.append("entry \(index): want \(want), got \(got)")
                break
            }
        }
        if example["ok"] as? Bool != (failure == nil) {
            differences.append("want ok \(example["ok"] ?? ""), got \(failure.map { "\($0)" } ?? "no error")")
        }
        if let failure, let category = (example["error"] as? [String: Any])?["category"] as? String,
            failure.kind.rawValue != category
        {
            differences.append("want an error of \(category), got \(failure.kind): \(failure)")
        }
        return differences
    }

    private static func strict(_ input: [UInt8], _ example: [String: Any]) -> [String] {
        var failure: ExpositionError?
        input.withUnsafeBytes { bytes in
            do throws(ExpositionError) { _ = try StrictExposition.parse(bytes) } catch { failure = error }
        }
        if example["strict_ok"] as? Bool == (failure == nil) { return [] }
        return [
            "strictly: want \(example["strict_error"] as? String ?? "no error"), got \(failure.map { "\($0)" } ?? "none")"
        ]
    }

    private static func describe(_ entry: ExpositionEntry) -> [[String: Any]] {
        switch entry {
        case .comment(let text): return [["kind": "comment", "text": text]]
        case .metadata(let metadata):
            switch metadata.fact {
            case .type(let type): return [["kind": "type", "name": metadata.family, "type": type.rawValue]]
            case .help(let help): return [["kind": "help", "name": metadata.family, "help": help]]
            case .unit(let unit): return [["kind": "unit", "name": metadata.family, "unit": unit]]
            }
        case .series(let sample):
            var result: [String: Any] = [
                "kind": "series", "labels": labels(sample.labels), "value": number(sample.value),
            ]
            result["timestamp_ms"] = sample.timestamp
            result["start_timestamp_ms"] = sample.startTimestamp
            if !sample.exemplars.isEmpty {
                result["exemplars"] = sample.exemplars.map { exemplar -> [String: Any] in
                    var result: [String: Any] = ["labels": labels(exemplar.labels), "value": number(exemplar.value)]
                    result["timestamp_ms"] = exemplar.timestamp
                    return result
                }
            }
            return [result]
        }
    }

    private static func labels(_ labels: [Label]) -> [String: String] {
        Dictionary(labels.map { ($0.name, $0.value) }) { $1 }
    }

    private static func number(_ value: Double) -> Any {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value
    }

    private static func text(_ entry: [String: Any]) -> String {
        func text(_ value: Any) -> String {
            switch value {
            case let map as [String: Any]:
                "{" + map.sorted { $0.key < $1.key }.map { "\($0.key): \(text($0.value))" }.joined(separator: ", ")
                    + "}"
            case let list as [Any]: "[" + list.map { text($0) }.joined(separator: ", ") + "]"
            case let number as Int64: "\(Double(number))"
            case let number as Double: "\(number)"
            case let string as String: quoted(string)
            default: "\(value)"
            }
        }
        return text(entry)
    }
}
