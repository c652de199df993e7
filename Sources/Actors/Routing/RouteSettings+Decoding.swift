import Streams
package import YAML

extension RouteSettings {
    /// What a route may refer to.
    package struct KnownNames {
        package let receivers: Set<String>
        package let timeIntervals: Set<String>
        package init(receivers: Set<String>, timeIntervals: Set<String>) {
            self.receivers = receivers
            self.timeIntervals = timeIntervals
        }
    }

    /// A route and those below it. What is wrong is reported and left out.
    package init(_ node: Node, _ names: KnownNames, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a route", diagnostics)
        if node.isNull { diagnostics.report(.expected("a mapping (a route)", found: "nothing"), at: node) }
        receiver = reader.filled("receiver").flatMap {
            Format.reference(to: names.receivers, "receiver").decode($0, diagnostics)
        }
        groupBy = reader.optional("group_by", .groupBy)
        matchers =
            reader.value("match", .equalMatchers, default: [])
            + reader.value("match_re", .regexMatchers, default: [])
            + reader.list("matchers", of: .matcherList).flatMap(\.self)
        continues = reader.bool("continue", default: false)
        groupWait = reader.optional("group_wait", .duration())
        groupInterval = reader.optional("group_interval", .notZero("group_interval"))
        repeatInterval = reader.optional("repeat_interval", .notZero("repeat_interval"))
        let interval = Format<String>.reference(to: names.timeIntervals, "time interval")
        muteTimeIntervals = reader.list("mute_time_intervals", of: interval)
        activeTimeIntervals = reader.list("active_time_intervals", of: interval)
        labels = reader.value("labels", .labels, default: LabelSet())
        routes = reader.list("routes", of: Format { RouteSettings($0, names, $1) })
        reader.finish()
    }

    /// The root takes every alert and has to say where it goes.
    func checkRoot(_ node: Node, _ diagnostics: Diagnostics) {
        if node.entries != nil, node["receiver"]?.isNull ?? true {
            diagnostics.report(.invalid("root route must specify a default receiver"), at: node)
        }
        if !matchers.isEmpty {
            let place = ["matchers", "match", "match_re"].lazy.compactMap { node[$0] }.first ?? node
            diagnostics.report(.invalid("root route must not have any matchers; it takes every alert"), at: place)
        }
        if continues {
            diagnostics.report(.invalid("cannot have continue in root route"), at: node["continue"] ?? node)
        }
        for (key, isUsed) in [
            ("mute_time_intervals", !muteTimeIntervals.isEmpty),
            ("active_time_intervals", !activeTimeIntervals.isEmpty),
        ] where isUsed {
            let kind = key.hasPrefix("mute") ? "mute" : "active"
            diagnostics.report(.invalid("root route must not have any \(kind) time intervals"), at: node[key] ?? node)
        }
    }
}

extension InhibitRule {
    /// One entry of `inhibit_rules`; an empty one is a rule that inhibits nothing.
    package init?(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "an inhibition rule", diagnostics)
        func matchers(_ side: String) -> [Matcher] {
            reader.value("\(side)_match", .equalMatchers, default: [])
                + reader.value("\(side)_match_re", .regexMatchers, default: [])
                + reader.list("\(side)_matchers", of: .matcherList).flatMap(\.self)
        }
        self.init(
            name: reader.text("name", default: ""), sourceMatchers: matchers("source"),
            targetMatchers: matchers("target"), equal: reader.list("equal", of: .nonEmptyText))
        reader.finish()
    }
}

extension Format where Value == [Matcher] {
    /// One text of a `matchers` list; it may hold several, separated by commas.
    static var matcherList: Format {
        Format { node, diagnostics in
            guard let text = Format<String>.text.decode(node, diagnostics) else { return nil }
            do throws(MatcherError) {
                return try MatcherSyntax.fallback.parseList(text)
            } catch {
                diagnostics.report(.invalid(node.isFromEnvironment ? "bad matcher" : error.reason), at: node)
                return nil
            }
        }
    }

    /// The older `match`: label names to values.
    fileprivate static var equalMatchers: Format {
        .byName { name, value, _, _ in Matcher(name, equals: value) }
    }

    /// The older `match_re`: label names to expressions.
    fileprivate static var regexMatchers: Format {
        .byName { name, value, node, diagnostics in
            do throws(RegularExpression.SyntaxError) {
                // Alertmanager keeps the anchors in the value, and so they are part of group keys.
                return try Matcher(name, .matches, "^(?:\(value))$")
            } catch {
                diagnostics.report(
                    .invalid("invalid regular expression \(node.summary): \(error.reason)"), at: node)
                return nil
            }
        }
    }

    private static func byName(
        _ build: @escaping (_ name: String, _ value: String, Node, Diagnostics) -> Matcher?
    ) -> Format {
        Format { node, diagnostics in
            guard
                let entries = Format<[(key: Node, value: Located<String>)]>.mapping(
                    of: Format<String>.labelValue.located
                )
                .decode(node, diagnostics)
            else { return nil }
            return entries.compactMap { entry in
                let name = entry.key.scalar?.text ?? ""
                guard LabelSet.isLegacyLabelName(name) else {
                    diagnostics.report(
                        .invalid("invalid label name \(entry.key.summary); write it under matchers"), at: entry.key)
                    return nil
                }
                return build(name, entry.value.value, entry.value.node, diagnostics)
            }
        }
    }
}

extension Format where Value == RouteSettings.GroupBy {
    fileprivate static var groupBy: Format {
        Format { node, diagnostics in
            guard
                let names = Format<[Located<String>]>.list(of: Format<String>.nonEmptyText.located)
                    .decode(node, diagnostics)
            else { return nil }
            var seen: Set<String> = []
            for name in names where !seen.insert(name.value).inserted {
                diagnostics.report(.invalid("duplicated label \(quoted(name.value)) in group_by"), at: name.node)
            }
            guard seen.contains("...") else {
                return .labels(seen.sorted { $0.isBefore($1) })
            }
            if seen.count > 1 {
                diagnostics.report(
                    .conflict("cannot have wildcard group_by (`...`) and other labels at the same time"), at: node)
            }
            return .all
        }
    }
}

extension Format where Value == Duration {
    fileprivate static func notZero(_ key: String) -> Format {
        Format.duration().checked { $0 == .zero ? "\(key) cannot be zero" : nil }
    }
}

extension Format where Value == String {
    /// The name of something that is defined elsewhere in the file.
    fileprivate static func reference(to names: Set<String>, _ what: String) -> Format {
        Format { node, diagnostics in
            guard let name = Format.text.decode(node, diagnostics) else { return nil }
            if names.contains(name) { return name }
            let known =
                names.isEmpty ? "there is none" : "there are \(names.sorted().prefix(20).joined(separator: ", "))"
            diagnostics.report(.invalid("undefined \(what) \(node.summary) used in route; \(known)"), at: node)
            return nil
        }
    }
}
