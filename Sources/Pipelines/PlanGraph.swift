internal import Actors
internal import Sinks
internal import Streams

/// The dataflow graph of a plan, from sources to sinks, to be drawn.
///
/// A pipeline's own rules are a node each, a group of a rule file is one; an arrow between rules is a recorded series that
/// the other reads.
package struct PlanGraph: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case source, store, window, rule, alerts, route, receiver, sink
    }

    package struct Node: Sendable {
        package let id: String
        package let kind: Kind
        package let title: String
        package let detail: String
        /// The pipeline that it belongs to; nil for what all share.
        package let pipeline: String?
    }

    package struct Edge: Hashable, Sendable {
        package let from: String
        package let to: String
    }

    package private(set) var nodes: [Node] = []
    package private(set) var edges: [Edge] = []

    package init(_ plan: Plan) {
        let store = add(.store, "series", "one shared store", nil)
        var rules: [RuleNode] = []
        var alerts: [String: String] = [:]
        for pipeline in plan.pipelines {
            for source in pipeline.sources {
                connect(add(.source, source.name, "", pipeline.name), store)
            }
            rules += addRules(pipeline)
            alerts[pipeline.name] = addRouting(pipeline)
        }
        let recorders = rules.flatMap { rule in rule.records.map { ($0, rule.id) } }
        for rule in rules {
            connectInputs(of: rule, recorders, store)
            if rule.raisesAlerts, let router = plan.router(of: rule.pipeline), let target = alerts[router.name] {
                connect(rule.id, target)
            }
        }
    }

    private mutating func add(_ kind: Kind, _ title: String, _ detail: String, _ pipeline: String?) -> String {
        let id = "n\(nodes.count)"
        nodes.append(Node(id: id, kind: kind, title: title, detail: detail, pipeline: pipeline))
        return id
    }

    private mutating func connect(_ from: String, _ to: String) {
        let edge = Edge(from: from, to: to)
        if !edges.contains(edge) { edges.append(edge) }
    }

    // MARK: rules

    private struct RuleNode {
        let id: String
        let pipeline: String
        let records: [String]
        let reads: Set<String>
        let readsAny: Bool
        let raisesAlerts: Bool
    }

    private mutating func addRules(_ pipeline: PipelinePlan) -> [RuleNode] {
        pipeline.ruleGroups.flatMap { group in
            group.file == pipeline.file
                ? group.rules.map { addRule($0, pipeline.name) } : [addGroup(group, pipeline.name)]
        }
    }

    private mutating func addRule(_ rule: RuleSettings, _ pipeline: String) -> RuleNode {
        let hold = rule.holdDuration > .zero ? "for \(rule.holdDuration.prometheusText)" : ""
        let id = add(rule.isAlert ? .rule : .window, rule.name, hold, pipeline)
        return node(id, [rule], pipeline)
    }

    private mutating func addGroup(_ group: RuleGroupSettings, _ pipeline: String) -> RuleNode {
        let alerts = group.rules.count { $0.isAlert }
        let detail = "\(group.rules.count - alerts) recorded, \(alerts) alerts"
        return node(add(alerts > 0 ? .rule : .window, group.name, detail, pipeline), group.rules, pipeline)
    }

    private func node(_ id: String, _ rules: [RuleSettings], _ pipeline: String) -> RuleNode {
        let inputs = rules.map { MetricNames(of: $0.expression) }
        return RuleNode(
            id: id, pipeline: pipeline, records: rules.filter { !$0.isAlert }.map(\.name),
            reads: inputs.reduce(into: []) { $0.formUnion($1.names) }, readsAny: inputs.contains(where: \.readsAny),
            raisesAlerts: rules.contains(where: \.isAlert))
    }

    private mutating func connectInputs(of rule: RuleNode, _ recorders: [(name: String, id: String)], _ store: String) {
        var fromStore = rule.readsAny
        for name in rule.reads.sorted() {
            let makers = recorders.filter { $0.name == name && $0.id != rule.id }
            for maker in makers { connect(maker.id, rule.id) }
            if makers.isEmpty { fromStore = fromStore || !rule.records.contains(name) }
        }
        if fromStore { connect(store, rule.id) }
    }

    // MARK: routing

    /// - Returns: the node that takes the pipeline's alerts.
    private mutating func addRouting(_ pipeline: PipelinePlan) -> String? {
        guard let routing = pipeline.routing else { return nil }
        let alerts = add(.alerts, "alerts", "dedupe, inhibit", pipeline.name)
        var receivers: [String: String] = [:]
        for receiver in pipeline.receivers {
            let id = add(.receiver, receiver.name, "", pipeline.name)
            receivers[receiver.name] = id
            for sink in receiver.sinks { connect(id, add(.sink, sink.integration, "", pipeline.name)) }
        }
        let tree = RouteTree(routing.route)
        var ids: [String] = []
        for route in tree.routes {
            let title = route.matchers.isEmpty ? "all" : route.matchers.alertmanagerText
            let id = add(.route, title, Self.describe(route.groupBy), pipeline.name)
            ids.append(id)
            if let receiver = receivers[route.receiver] { connect(id, receiver) }
        }
        if let root = ids.first { connect(alerts, root) }
        for route in tree.routes {
            for child in route.children { connect(ids[route.index], ids[child]) }
        }
        return alerts
    }

    private static func describe(_ groupBy: RouteSettings.GroupBy) -> String {
        switch groupBy {
        case .labels(let names): names.isEmpty ? "one group" : "by " + names.joined(separator: ", ")
        case .all: "by all labels"
        }
    }
}
