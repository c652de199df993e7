package import YAML

/// How the alerts of a pipeline are routed and muted: the keys of alertmanager.yml that lie between `global` and
/// `receivers`.
package struct RoutingSettings: Hashable, Sendable {
    package var route: RouteSettings
    package var inhibitRules: [InhibitRule]
    /// Those of `time_intervals` and of the older `mute_time_intervals`, by name.
    package var timeIntervals: [String: [RecurringInterval]]

    package init(
        route: RouteSettings, inhibitRules: [InhibitRule] = [], timeIntervals: [String: [RecurringInterval]] = [:]
    ) {
        self.route = route
        self.inhibitRules = inhibitRules
        self.timeIntervals = timeIntervals
    }
}

extension RoutingSettings {
    /// Reads `route`, `inhibit_rules`, `time_intervals` and `mute_time_intervals` from a mapping that may have other keys
    /// as well: the `routing` of a pipeline, or an alertmanager.yml as a whole.
    /// - Parameter receivers: the names that a route may have as its receiver.
    package init(_ reader: MappingReader, receivers: Set<String>) {
        let diagnostics = reader.diagnostics
        timeIntervals = [:]
        for key in ["mute_time_intervals", "time_intervals"] {
            for named in reader.list(key, of: .nested(NamedTimeIntervals.init)) {
                if timeIntervals[named.name] != nil {
                    diagnostics.report(.conflict("time interval \"\(named.name)\" is not unique"), at: named.node)
                }
                timeIntervals[named.name] = named.intervals
            }
        }
        inhibitRules = []
        if let list = reader.node("inhibit_rules") {
            let rules = Format<[InhibitRule]>.list(of: .nested(InhibitRule.init)).decode(list, diagnostics)
            inhibitRules = rules ?? []
        }
        let names = RouteSettings.KnownNames(receivers: receivers, timeIntervals: Set(timeIntervals.keys))
        route = RouteSettings()
        if let node = reader.node("route") {
            route = RouteSettings(node, names, diagnostics)
            route.checkRoot(node, diagnostics)
        } else {
            reader.report(.invalid("no route provided; write route: {receiver: NAME}"), at: "route")
        }
    }

    private struct NamedTimeIntervals {
        let name: String
        let node: Node
        let intervals: [RecurringInterval]

        init?(_ node: Node, _ diagnostics: Diagnostics) {
            let reader = MappingReader(node, "a time interval", diagnostics)
            let name = reader.required("name", .nonEmptyText)
            intervals = reader.list("time_intervals", of: .nested(RecurringInterval.init))
            reader.finish()
            guard let name else { return nil }
            self.name = name
            self.node = reader.node("name") ?? node
        }
    }
}
