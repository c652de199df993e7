import Actors
import Pipelines
import Streams

/// The routing of a pipeline as the text of an alertmanager.yml, for tools that read it from the status: `amtool config`.
/// Of receivers it has the names only.
enum AlertmanagerConfigText {
    static func of(_ plan: PipelinePlan) -> String {
        var lines = ["global:", "  resolve_timeout: \(plan.global.resolveTimeout.prometheusText)"]
        if let routing = plan.routing {
            lines.append("route:")
            lines += route(routing.route).map { "  " + $0 }
            lines += list("inhibit_rules", routing.inhibitRules.map(inhibitRule))
            lines += list("time_intervals", routing.timeIntervals.sorted { $0.key < $1.key }.map(timeInterval))
        }
        lines += list("receivers", plan.receivers.map { ["name: \(scalar($0.name))"] })
        lines += plan.templates.isEmpty ? ["templates: []"] : list("templates", plan.templates.map { [scalar($0)] })
        return lines.joined(separator: "\n") + "\n"
    }

    private static func route(_ route: RouteSettings) -> [String] {
        var lines: [String] = []
        if let receiver = route.receiver { lines.append("receiver: \(scalar(receiver))") }
        switch route.groupBy {
        case .all?: lines += ["group_by:", "- '...'"]
        case .labels(let names)?: lines += list("group_by", names.map { [scalar($0)] })
        case nil: break
        }
        lines += list("matchers", route.matchers.map { [scalar($0.alertmanagerText)] })
        lines += list("mute_time_intervals", route.muteTimeIntervals.map { [scalar($0)] })
        lines += list("active_time_intervals", route.activeTimeIntervals.map { [scalar($0)] })
        lines.append("continue: \(route.continues)")
        lines += list("routes", route.routes.map(Self.route))
        for (key, value) in [
            ("group_wait", route.groupWait), ("group_interval", route.groupInterval),
            ("repeat_interval", route.repeatInterval),
        ] {
            if let value { lines.append("\(key): \(value.prometheusText)") }
        }
        return lines
    }

    private static func inhibitRule(_ rule: InhibitRule) -> [String] {
        var lines = rule.name.isEmpty ? [] : ["name: \(scalar(rule.name))"]
        lines += list("source_matchers", rule.sourceMatchers.map { [scalar($0.alertmanagerText)] })
        lines += list("target_matchers", rule.targetMatchers.map { [scalar($0.alertmanagerText)] })
        lines += list("equal", rule.equal.map { [scalar($0)] })
        return lines.isEmpty ? ["{}"] : lines
    }

    private static func timeInterval(_ name: String, _ intervals: [RecurringInterval]) -> [String] {
        ["name: \(scalar(name))"] + list("time_intervals", intervals.map(interval))
    }

    private static let weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

    private static func interval(_ interval: RecurringInterval) -> [String] {
        var lines = list(
            "times",
            (interval.times ?? []).map { times in
                ["start_time: \(clock(times.lowerBound))", "end_time: \(clock(times.upperBound))"]
            })
        func range(_ first: some Any, _ last: some Any) -> [String] { ["'\(first):\(last)'"] }
        lines += list(
            "weekdays", (interval.weekdays ?? []).map { range(weekdays[$0.lowerBound], weekdays[$0.upperBound]) })
        lines += list("days_of_month", (interval.daysOfMonth ?? []).map { range($0.first, $0.last) })
        lines += list("months", (interval.months ?? []).map { range($0.lowerBound, $0.upperBound) })
        lines += list("years", (interval.years ?? []).map { range($0.lowerBound, $0.upperBound) })
        if let location = interval.location { lines.append("location: \(scalar(location.name))") }
        return lines.isEmpty ? ["{}"] : lines
    }

    /// Minutes since midnight as `'09:30'`.
    private static func clock(_ minutes: Int) -> String {
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "'\(padded(minutes / 60)):\(padded(minutes % 60))'"
    }

    /// Nothing where there are no items.
    private static func list(_ key: String, _ items: [[String]]) -> [String] {
        guard !items.isEmpty else { return [] }
        return ["\(key):"]
            + items.flatMap { lines in lines.enumerated().map { ($0 == 0 ? "- " : "  ") + $1 } }
    }

    private static let reserved: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

    /// Plain where that can't be taken for anything else, otherwise in double quotes, with the escapes of JSON.
    private static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "#") }
            && text.utf8.first.map { $0 == UInt8(ascii: "_") || (0x41...0x5A).contains($0 & 0xDF) } == true
            && text.utf8.last != UInt8(ascii: " ") && !reserved.contains(text.lowercased())
        return isPlain ? text : JSONValue.string(text).text
    }
}
