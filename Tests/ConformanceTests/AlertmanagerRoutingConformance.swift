import Actors
import Foundation
import Streams
import TestKit
import Testing
import YAML

@Suite struct AlertmanagerRoutingConformance {
    @Test func `label sets take the routes that Alertmanager sends them`() throws {
        guard let url = try Conformance.url("alertmanager/routing.yaml") else { return }
        var report = Conformance.Report("routing")
        for tree in try Node.parse(try String(contentsOf: url, encoding: .utf8)).items ?? [] {
            let id = tree["id"]?.text ?? ""
            let routes = RouteTree(try routing(tree["config"]?.text ?? "").route)
            for (index, example) in (tree["cases"]?.items ?? []).enumerated() {
                let labels = LabelSet((example["labels"]?.textPairs ?? []).map { Label($0.key, $0.value) })
                let found = routes.match(labels)
                let got = found.map(Self.described)
                let want = (example["routes"]?.items ?? []).map(Self.described)
                let receivers = example["receivers"]?.texts ?? []
                if got == want, found.map(\.receiver) == receivers {
                    report.pass()
                } else {
                    report.fail("\(id)/\(index)", "want \(receivers) \(want), got \(got)")
                }
            }
        }
        report.finish()
        #expect(report.failed == 0)
    }

    private static func described(_ route: Route) -> String {
        let (names, isAll): ([String], Bool) =
            switch route.groupBy {
            case .all: ([], true)
            case .labels(let names): (names, false)
            }
        return described([
            route.receiver, route.key, route.id, "\(names)", "\(isAll)", route.groupWait.prometheusText,
            route.groupInterval.prometheusText, route.repeatInterval.prometheusText, "\(route.muteTimeIntervals)",
            "\(route.activeTimeIntervals)",
        ])
    }

    private static func described(_ node: Node) -> String {
        func text(_ key: String) -> String { node[key]?.text ?? "" }
        return described([
            text("receiver"), text("key"), text("id"), "\(node["group_by"]?.texts ?? [])",
            "\(text("group_by_all") == "true")", text("group_wait"), text("group_interval"), text("repeat_interval"),
            "\(node["mute_time_intervals"]?.texts ?? [])", "\(node["active_time_intervals"]?.texts ?? [])",
        ])
    }

    private static func described(_ parts: [String]) -> String { parts.joined(separator: " ") }

    @Test func `instants lie in time intervals as in Alertmanager`() throws {
        guard let url = try Conformance.url("alertmanager/time-intervals.yaml") else { return }
        var report = Conformance.Report("time-intervals")
        for example in try Node.parse(try String(contentsOf: url, encoding: .utf8)).items ?? [] {
            let id = example["id"]?.text ?? ""
            let diagnostics = Diagnostics()
            let intervals = try Self.intervals(example["time_intervals"]?.text ?? "", diagnostics)
            let problems = diagnostics.errors.map { "\($0.problem)" }.joined(separator: "; ")
            guard example["error"] == nil else {
                problems.isEmpty ? report.fail(id, "want an error") : report.pass()
                continue
            }
            guard problems.isEmpty else {
                report.fail(id, problems)
                continue
            }
            let canonical = try Self.intervals(example["canonical"]?.text ?? "", diagnostics)
            if canonical != intervals { report.fail(id, "the canonical form means something else") }
            for instant in example["cases"]?.items ?? [] {
                let text = instant["time"]?.text ?? ""
                let date = try #require(ISO8601DateFormatter().date(from: text))
                let time = Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
                let want = instant["in"]?.text == "true"
                intervals.contain(time) == want ? report.pass() : report.fail("\(id) \(text)", "want \(want)")
            }
        }
        report.finish()
        #expect(report.failed == 0)
    }

    private static func intervals(_ text: String, _ diagnostics: Diagnostics) throws -> [RecurringInterval] {
        let node = try Node.parse(text)
        return (node.items ?? []).compactMap { RecurringInterval($0, diagnostics) }
    }
}

/// The routing of an alertmanager.yml.
func routing(_ text: String) throws -> RoutingSettings {
    let diagnostics = Diagnostics()
    let node = try Node.parse(text)
    let reader = MappingReader(node, "a configuration", diagnostics)
    let receivers = (reader.node("receivers")?.items ?? []).compactMap { $0["name"]?.text }
    let routing = RoutingSettings(reader, receivers: Set(receivers))
    reader.ignore("global", "templates")
    reader.finish()
    try diagnostics.check()
    return routing
}
