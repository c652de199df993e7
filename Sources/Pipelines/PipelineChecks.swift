internal import Actors
internal import Streams
internal import YAML

/// What has to fit within one pipeline.
struct PipelineChecks {
    private let plan: PipelinePlan
    private let receiverNodes: [Node]
    private let diagnostics: Diagnostics

    /// - Parameter receiverNodes: those of `plan.receivers`, in the same order.
    init(_ plan: PipelinePlan, _ receiverNodes: [Node], _ diagnostics: Diagnostics) {
        self.plan = plan
        self.receiverNodes = receiverNodes
        self.diagnostics = diagnostics
    }

    func run() {
        receiversAreUnique()
        receiversAreReached()
        sourcesAreUnique()
        ownRulesAreUnique()
    }

    private func receiversAreUnique() {
        var seen: [String: Origin] = [:]
        for receiver in plan.receivers where !receiver.name.isEmpty {
            if let first = seen[receiver.name] {
                diagnostics.report(
                    .conflict("receiver \(quoted(receiver.name)) is already at \(first.location)"),
                    at: receiver.origin.location)
            }
            seen[receiver.name] = seen[receiver.name] ?? receiver.origin
        }
    }

    private func receiversAreReached() {
        guard let routing = plan.routing else {
            if let first = receiverNodes.first {
                diagnostics.report(
                    .conflict("no alert reaches these sinks: the pipeline has no \"routing\""), at: first)
            }
            return
        }
        let used = Set(RouteTree(routing.route).routes.map(\.receiver))
        for (receiver, node) in zip(plan.receivers, receiverNodes) where !used.contains(receiver.name) {
            diagnostics.note("no route leads to receiver \(quoted(receiver.name))", at: node)
        }
    }

    private func sourcesAreUnique() {
        var seen: [String: Origin] = [:]
        for source in plan.sources {
            if let first = seen[source.name] {
                diagnostics.report(
                    .conflict("source \(quoted(source.name)) is already at \(first.location)"),
                    at: source.origin.location)
            }
            seen[source.name] = seen[source.name] ?? source.origin
        }
    }

    /// Rule files may repeat themselves, as they may for Prometheus; a pipeline's own rules may not.
    private func ownRulesAreUnique() {
        struct Identity: Hashable {
            var kind: RuleSettings.Kind
            var labels: [Label]
        }
        guard let group = plan.ruleGroups.first(where: { $0.file == plan.file }) else { return }
        var seen: [Identity: Origin] = [:]
        for rule in group.rules {
            let identity = Identity(kind: rule.kind, labels: rule.labels)
            if let first = seen[identity] {
                diagnostics.report(
                    .conflict(
                        "rule \(quoted(rule.name)) with the same labels is already in line \(first.location.line)"),
                    at: rule.origin.location)
            }
            seen[identity] = seen[identity] ?? rule.origin
        }
    }
}
