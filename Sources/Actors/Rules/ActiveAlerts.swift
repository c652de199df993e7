package import Streams

/// The alerts of one alerting rule, as a value: told what the expression gave at a time, it says what changed.
///
/// The life of an alert is Prometheus's (rules/alerting.go): pending until it has been active for `for`, then firing; what
/// is gone is resolved, after `keep_firing_for` where that is set.
package struct ActiveAlerts: Sendable {
    /// One result of the expression with the rule's labels and annotations filled in.
    package struct Candidate: Sendable {
        /// The expression's own labels without the metric name: tells which input the alert came from.
        package var source: LabelSet
        /// With `alertname` and the rule's labels.
        package var labels: LabelSet
        package var annotations: LabelSet
        package var value: Double

        package init(source: LabelSet, labels: LabelSet, annotations: LabelSet, value: Double) {
            self.source = source
            self.labels = labels
            self.annotations = annotations
            self.value = value
        }
    }

    package struct Active: Sendable, Hashable {
        package var source: LabelSet
        package var labels: LabelSet
        package var annotations: LabelSet
        package var value: Double
        package var state: AlertState
        package var activeSince: Timestamp
        package var firedAt: Timestamp?
        /// Since when the expression gives nothing while `keep_firing_for` holds the alert.
        package var keptSince: Timestamp?
        package var lastSent: Timestamp?
        /// Its annotations have changed since it was told.
        package var isOutdated: Bool
        /// From an earlier run: until then its absence means only that its samples have not come again yet.
        package var restoredUntil: Timestamp?

        package init(
            source: LabelSet, labels: LabelSet, annotations: LabelSet, value: Double, state: AlertState,
            activeSince: Timestamp, firedAt: Timestamp? = nil, keptSince: Timestamp? = nil, lastSent: Timestamp? = nil,
            isOutdated: Bool = false, restoredUntil: Timestamp? = nil
        ) {
            self.source = source
            self.labels = labels
            self.annotations = annotations
            self.value = value
            self.state = state
            self.activeSince = activeSince
            self.firedAt = firedAt
            self.keptSince = keptSince
            self.lastSent = lastSent
            self.isOutdated = isOutdated
            self.restoredUntil = restoredUntil
        }

        fileprivate mutating func markUntold() {
            isOutdated = true
            lastSent = nil
        }
    }

    /// What was looked at: everything, or only what came from these inputs.
    package enum Scope: Sendable {
        case all
        case sources(Set<LabelSet>)

        func covers(_ source: LabelSet) -> Bool {
            switch self {
            case .all: true
            case .sources(let sources): sources.contains(source)
            }
        }

        /// Whether a sample of just that input was looked at: then there was one.
        func names(_ source: LabelSet) -> Bool {
            if case .sources(let sources) = self { sources.contains(source) } else { false }
        }
    }

    package struct Change: Sendable, Hashable {
        package var alert: Active
        package var from: AlertState
        package var to: AlertState
    }

    package struct Outcome: Sendable {
        /// In order of their labels' first appearance; a step from inactive over pending to firing at once is one change.
        package var changes: [Change] = []
        /// Firing alerts whose annotations changed, and that are due to be told again.
        package var updated: [Active] = []
        /// The limit was passed by that many alerts: all have ended.
        package var exceeding: Int?
    }

    package enum EvaluationFailure: Error, Sendable, Equatable, CustomStringConvertible {
        case duplicate(LabelSet)

        package var description: String {
            switch self {
            case .duplicate: "vector contains metrics with the same labelset after applying alert labels"
            }
        }
    }

    package let holdDuration: Duration
    package let keepFiringFor: Duration
    /// How often a firing alert whose annotations change is told again (Prometheus's resend delay).
    package let resendDelay: Duration
    package private(set) var active: [LabelSet: Active] = [:]
    /// Those whose life took a step since this was asked for, ended ones included.
    private var stepped: Set<LabelSet> = []

    package init(holdDuration: Duration, keepFiringFor: Duration, resendDelay: Duration = .seconds(60)) {
        self.holdDuration = holdDuration
        self.keepFiringFor = keepFiringFor
        self.resendDelay = resendDelay
    }

    /// Takes over the alerts of the same rule before a reload, or of an earlier run of the program.
    /// - Parameter until: the samples of an earlier run are gone; until then their absence ends no alert.
    package mutating func restore(_ alerts: [Active], until: Timestamp? = nil) {
        for var alert in alerts where alert.state != .inactive {
            if let until {
                alert.restoredUntil = until
                // The notification side gives alerts of an earlier run a grace: told again, they live on.
                if alert.state == .firing { alert.markUntold() }
                stepped.insert(alert.labels)
            }
            active[alert.labels] = alert
        }
    }

    /// The alerts whose life took a step since this was asked for the last time, by their labels; nil for those that ended.
    package mutating func takeStepped() -> [(labels: LabelSet, alert: Active?)] {
        defer { stepped = [] }
        return stepped.map { ($0, active[$0]) }
    }

    /// Has every firing alert told again at the next evaluation: whoever hears of them is somebody else now.
    package mutating func tellAgain() {
        for (labels, alert) in active where alert.state == .firing { active[labels]?.markUntold() }
    }

    /// Settles the result of an evaluation at `time`.
    /// - Parameter limit: at most that many alerts, 0 for any number; beyond it all alerts end, as in Prometheus.
    /// - Throws: when two results have the same labels; then nothing has changed.
    package mutating func settle(
        _ candidates: [Candidate], scope: Scope, at time: Timestamp, limit: Int = 0
    ) throws(EvaluationFailure) -> Outcome {
        var seen = Set<LabelSet>(minimumCapacity: candidates.count)
        for candidate in candidates {
            // An alert of an input that was not looked at counts as well.
            let isTaken = active[candidate.labels].map { !scope.covers($0.source) } ?? false
            guard !isTaken, seen.insert(candidate.labels).inserted else { throw .duplicate(candidate.labels) }
        }
        var outcome = Outcome()
        let before = limit > 0 ? active : [:]
        endAbsent(seen, scope: scope, at: time, into: &outcome)
        for candidate in candidates { admit(candidate, at: time, into: &outcome) }
        guard limit > 0, active.count > limit else { return outcome }
        let found = active.count
        stepped.formUnion(active.keys)
        stepped.formUnion(before.keys)
        active.removeAll()
        return Outcome(changes: before.values.map(Self.end), exceeding: found)
    }

    private static func end(_ alert: Active) -> Change {
        var ended = alert
        ended.state = .inactive
        return Change(alert: ended, from: alert.state, to: .inactive)
    }

    private mutating func admit(_ candidate: Candidate, at time: Timestamp, into outcome: inout Outcome) {
        var alert: Active
        let before: AlertState
        if let known = active[candidate.labels] {
            alert = known
            before = known.state
            let changed = known.annotations != candidate.annotations
            alert.annotations = candidate.annotations
            alert.value = candidate.value
            alert.source = candidate.source
            alert.keptSince = nil
            alert.restoredUntil = nil
            alert.isOutdated = before == .firing && (known.isOutdated || changed)
            if alert.isOutdated, due(known, at: time) {
                alert.isOutdated = false
                alert.lastSent = time
                outcome.updated.append(alert)
            }
        } else {
            before = .inactive
            alert = Active(
                source: candidate.source, labels: candidate.labels, annotations: candidate.annotations,
                value: candidate.value, state: .pending, activeSince: time)
        }
        if alert.state == .pending, time - alert.activeSince >= holdDuration {
            alert.state = .firing
            alert.firedAt = time
            alert.lastSent = time
            alert.isOutdated = false
        } else if alert.state == .firing, time - alert.activeSince < holdDuration {
            // `for` is longer now.
            alert.state = .pending
        }
        if alert.state != before || active[candidate.labels]?.keptSince != nil { stepped.insert(candidate.labels) }
        active[candidate.labels] = alert
        guard alert.state != before else { return }
        outcome.changes.append(Change(alert: alert, from: before, to: alert.state))
        // Who hears of its end is told when it fired.
        if before == .firing {
            active[candidate.labels]?.firedAt = nil
            active[candidate.labels]?.lastSent = nil
        }
    }

    private func due(_ alert: Active, at time: Timestamp) -> Bool {
        alert.lastSent.map { time - $0 >= resendDelay } ?? true
    }

    private mutating func endAbsent(
        _ present: Set<LabelSet>, scope: Scope, at time: Timestamp, into outcome: inout Outcome
    ) {
        for (labels, alert) in active where !present.contains(labels) && scope.covers(alert.source) {
            if let until = alert.restoredUntil, time < until, alert.keptSince == nil, !scope.names(alert.source) {
                continue
            }
            if alert.state == .firing, keepFiringFor > .zero {
                let since = alert.keptSince ?? time
                if time - since < keepFiringFor {
                    if alert.keptSince == nil { stepped.insert(labels) }
                    active[labels]?.keptSince = since
                    active[labels]?.restoredUntil = nil
                    continue
                }
            }
            active[labels] = nil
            stepped.insert(labels)
            outcome.changes.append(Self.end(alert))
        }
    }

    /// When time alone will change something next: a pending alert turns firing, a kept or restored one ends, one that is
    /// outdated may be told again.
    package var nextDeadline: Timestamp? { active.values.lazy.compactMap(deadline).min() }

    private func deadline(of alert: Active) -> Timestamp? {
        if alert.keptSince == nil, let until = alert.restoredUntil { return until }
        switch alert.state {
        case .pending: return alert.activeSince + holdDuration
        case .firing:
            if let since = alert.keptSince { return since + keepFiringFor }
            return alert.isOutdated ? alert.lastSent.map { $0 + resendDelay } : nil
        case .inactive: return nil
        }
    }
}
