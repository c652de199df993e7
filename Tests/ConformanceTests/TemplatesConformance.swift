import Foundation
import Streams
import TestKit
import Testing

@testable import Templates

/// Go's templates, against the corpus of what Go, Prometheus and Alertmanager print.
@Suite struct TemplatesConformance {
    @Test(arguments: ["go-text", "go-html", "prometheus", "alertmanager", "defaults"])
    func `templates give what the peers give`(file: String) throws {
        guard let folder = try Conformance.url("templates") else { return }
        let corpus = try Corpus(folder)
        var report = Conformance.Report("templates/\(file)")
        for line in try String(contentsOf: folder.appending(path: "\(file).jsonl"), encoding: .utf8)
            .split(separator: "\n")
        {
            let testCase = try Corpus.Case(line)
            let outcome = corpus.run(testCase)
            if outcome == testCase.expected {
                report.pass()
            } else {
                report.fail(testCase.id, "\(testCase.template)\n  wanted \(testCase.expected)\n  got    \(outcome)")
            }
        }
        report.finish()
        #expect(report.failed == 0)
    }
}

/// The data of the corpus, and how its modes are run.
private struct Corpus {
    struct Case {
        let id: String
        let mode: String
        let data: String
        let template: String
        let expected: Outcome

        init(_ line: Substring) throws {
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "not an object")
            id = object["id"] as? String ?? ""
            mode = object["mode"] as? String ?? "default"
            data = object["data"] as? String ?? object["notification"] as? String ?? ""
            template = object["template"] as? String ?? ""
            expected =
                switch object["stage"] as? String {
                case "parse": .parseError("")
                case "exec": .executionError("")
                default: .output(object["output"] as? String ?? "")
                }
        }
    }

    /// Messages are informative only, so errors are equal when their stage is.
    enum Outcome: Equatable, CustomStringConvertible {
        case output(String)
        case parseError(String)
        case executionError(String)

        static func == (left: Outcome, right: Outcome) -> Bool {
            switch (left, right) {
            case (.output(let left), .output(let right)): left.utf8.elementsEqual(right.utf8)
            case (.parseError, .parseError), (.executionError, .executionError): true
            default: false
            }
        }

        var description: String {
            switch self {
            case .output(let text): text.debugDescription
            case .parseError(let message): "parse error \(message)"
            case .executionError(let message): "execution error \(message)"
            }
        }
    }

    private let data: [String: JSON]
    private let notifications: [String: JSON]
    private let queries: [String: JSON]
    private let externalURL: String
    private let now: Timestamp

    init(_ folder: URL) throws {
        let root = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: folder.appending(path: "data.json")))
        data = root["data"]?.object ?? [:]
        notifications = root["notifications"]?.object ?? [:]
        queries = root["queries"]?.object ?? [:]
        externalURL = root["external_url"]?.string ?? ""
        guard case .int(let milliseconds)? = root["now_ms"] else { throw CocoaError(.coderReadCorrupt) }
        now = Timestamp(milliseconds: Int64(milliseconds))
    }

    func run(_ testCase: Case) -> Outcome {
        do {
            return .output(try output(testCase))
        } catch let error as TemplateError {
            return error.stage == .parse ? .parseError("\(error)") : .executionError("\(error)")
        } catch {
            return .output("threw \(error)")
        }
    }

    private func output(_ testCase: Case) throws -> String {
        let value = data[testCase.data]?.value ?? .null
        switch testCase.mode {
        case "am-text", "am-html", "default":
            let templates = try NotificationTemplates(clock: ManualClock(at: now))
            let isHTML = testCase.mode == "am-html"
            if let notification = notifications[testCase.data]
                ?? (testCase.data == "notification" ? data["notification"] : nil)
            {
                return try templates.execute(testCase.template, html: isHTML, Self.notification(notification))
            }
            return try templates.execute(testCase.template, html: isHTML, on: value)
        case "text":
            var set = TemplateSet(functions: FunctionTables.plain)
            try set.add(testCase.template, name: "t")
            return try Executor(trees: set.trees, functions: set.functions).run("t", on: value)
        case "html":
            var set = TemplateSet(functions: FunctionTables.plain)
            try set.add(testCase.template, name: "t")
            let escaped = try set.escaped("t")
            return try Executor(trees: escaped.trees, functions: escaped.functions).run("t", on: value)
        case "prom-html":
            var set = TemplateSet(functions: FunctionTables.consoles)
            try set.add(testCase.template, name: "test")
            return try console(set.escaped("test"), value)
        case "prom":
            var set = TemplateSet(functions: FunctionTables.rules)
            try set.add(testCase.template, name: "test")
            return try console(set, value)
        default: return "no such mode: \(testCase.mode)"
        }
    }

    private static func notification(_ json: JSON) -> NotificationData {
        func labels(_ json: JSON?) -> [String: String] { json?.object?.mapValues(\.string) ?? [:] }
        func time(_ json: JSON?) -> Moment {
            (try? Layout.parse(json?.string ?? "", "2006-01-02T15:04:05Z07:00")) ?? .zero
        }
        var result = NotificationData()
        result.receiver = json["receiver"]?.string ?? ""
        result.isFiring = json["status"]?.string == "firing"
        result.alerts = (json["alerts"]?.array ?? []).map { alert in
            NotificationData.AlertData(
                isFiring: alert["status"]?.string == "firing", labels: labels(alert["labels"]),
                annotations: labels(alert["annotations"]), startsAt: time(alert["startsAt"]),
                endsAt: time(alert["endsAt"]), generatorURL: alert["generatorURL"]?.string ?? "",
                fingerprint: alert["fingerprint"]?.string ?? "")
        }
        result.groupLabels = labels(json["groupLabels"])
        result.commonLabels = labels(json["commonLabels"])
        result.commonAnnotations = labels(json["commonAnnotations"])
        result.routeLabels = labels(json["routeLabels"])
        result.externalURL = json["externalURL"]?.string ?? ""
        result.reason = json["notification_reason"]?.string ?? ""
        return result
    }

    private func console(_ set: TemplateSet, _ value: Value) throws -> String {
        var environment = Environment()
        environment.now = Moment(milliseconds: now.milliseconds)
        environment.externalURL = externalURL
        environment.pathPrefix = AnnotationTemplate.path(of: externalURL)
        while true {
            do {
                return try Executor(
                    trees: set.trees, functions: set.functions, environment: environment, missingKeyIsZero: true
                ).run("test", on: value)
            } catch let needed as QueryNeeded {
                environment.queries[needed.query] = answer(needed.query)
            }
        }
    }

    private func answer(_ query: String) -> QueryAnswer {
        guard let samples = queries[query]?.array else { return .failure("no such query: \(query)") }
        return .result(
            AnnotationTemplate.value(
                samples.map { sample in
                    QuerySample(
                        labels: LabelSet((sample["labels"]?.object ?? [:]).map { Label($0.key, $0.value.string) }),
                        value: sample["value"]?.double ?? .nan)
                }))
    }
}

/// JSON that tells integers from other numbers, as Go's `any` in this corpus does.
private enum JSON: Decodable {
    case null, bool(Bool), int(Int), double(Double), string(String), array([JSON]), object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    subscript(key: String) -> JSON? { object?[key] }
    var object: [String: JSON]? { if case .object(let members) = self { members } else { nil } }
    var array: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    var string: String { if case .string(let text) = self { text } else { "" } }
    var double: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// The value for templates; `$type` names types that JSON does not have.
    var value: Value {
        switch self {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .int(let number): return .int(number)
        case .double(let number): return .double(number)
        case .string(let text): return .string(text)
        case .array(let elements): return .plainList(elements.map(\.value))
        case .object(let members):
            let inner = members["value"] ?? .null
            switch members["$type"]?.string {
            case "time": return .time((try? Layout.parse(inner.string, "2006-01-02T15:04:05Z07:00")) ?? .zero)
            case "duration": return .duration(Int64(inner.double ?? 0))
            case "float": return .double(inner.double ?? 0)
            case "strings": return .strings(inner.array?.map(\.string) ?? [])
            case "stringmap": return .stringMap(inner.object?.mapValues(\.string) ?? [:])
            default: return .plainMap(members.mapValues(\.value))
            }
        }
    }
}
