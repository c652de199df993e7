package import Streams
import Synchronization

/// The edge from ingest to the rules: knows which rule reads which series, hands out permits for batches, and puts what a
/// batch touched into the inboxes of the groups that read it.
package final class RuleDispatch: Sendable {
    private struct Node: Sendable {
        let rule: RuleNode
        /// Rules whose output is input of this rule and the other way round, itself among them where it reads what it
        /// writes: their output does not trigger it, or it would never rest. Its group's interval does.
        let cycle: Set<InterestID>
    }

    private struct Table: Sendable {
        var nodes: [InterestID: Node] = [:]
        /// Nodes that ask for one metric name, by that name; most do.
        var byName: [String: [(node: Node, matchers: [Matcher])]] = [:]
        var anyName: [(node: Node, matchers: [Matcher])] = []
    }

    package let gate: EvaluationGate
    private let table = Mutex(Table())
    private let nextInterest = Atomic<UInt32>(1)

    package init(capacity: Int) { gate = EvaluationGate(capacity: capacity) }

    /// Ids that were not used before, so that a late message about a rule of an earlier plan means nothing.
    func newInterest() -> InterestID {
        InterestID(rawValue: nextInterest.wrappingAdd(1, ordering: .relaxed).oldValue)
    }

    /// Replaces all rules. Storage has to resolve its series' interests anew after this.
    package func replace(_ rules: [RuleNode]) {
        var new = Table()
        let cycles = RuleNode.cycles(of: rules)
        for rule in rules {
            let node = Node(rule: rule, cycle: cycles[rule.interest] ?? [])
            new.nodes[rule.interest] = node
            for matchers in rule.selectors {
                if let name = matchers.first(where: { $0.name == LabelSet.metricName && $0.op == .equal })?.value {
                    new.byName[name, default: []].append((node, matchers))
                } else {
                    new.anyName.append((node, matchers))
                }
            }
        }
        table.withLock { $0 = new }
    }
}

extension RuleDispatch: InterestResolver {
    package func interests(in labels: LabelSet) -> [InterestID] {
        let (named, unnamed) = table.withLock { ($0.byName[labels.name ?? ""] ?? [], $0.anyName) }
        var result: [InterestID] = []
        for (node, matchers) in named where matchers.accept(labels) && !result.contains(node.rule.interest) {
            result.append(node.rule.interest)
        }
        for (node, matchers) in unnamed where matchers.accept(labels) && !result.contains(node.rule.interest) {
            result.append(node.rule.interest)
        }
        return result
    }
}

extension RuleDispatch: ChangeListener {
    /// The token of what rules write themselves; batches from outside have 0.
    private static let outside: UInt64 = 0

    package func reserve(patience: Duration) async throws(IngestError) -> Reservation {
        if let origin = RuleOrigin.current { return Reservation(token: UInt64(origin.rawValue)) }
        try await gate.acquire(patience: patience)
        return Reservation(token: Self.outside)
    }

    package func deliver(_ touched: Touched, _ reservation: Reservation) {
        let origin = reservation.token == Self.outside ? nil : InterestID(rawValue: UInt32(reservation.token))
        var inboxes: [ObjectIdentifier: (inbox: GroupInbox, dirty: [(rule: Int, series: Touched.Series)])] = [:]
        table.withLock { table in
            for (interest, series) in touched.interests {
                guard let node = table.nodes[interest] else { continue }
                if let origin, node.cycle.contains(origin) { continue }
                let inbox = node.rule.inbox
                inboxes[ObjectIdentifier(inbox), default: (inbox, [])].dirty.append((node.rule.place, series))
            }
        }
        var ticket: PermitTicket?
        if origin == nil {
            if inboxes.isEmpty {
                gate.release()
            } else {
                ticket = PermitTicket(groups: inboxes.count, gate: gate)
            }
        }
        for (inbox, dirty) in inboxes.values { inbox.add(dirty, at: touched.maxTimestamp, ticket: ticket) }
    }
}
