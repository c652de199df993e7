package import Logging
import PromQL
package import Streams

/// A rule group that runs: evaluates its rules in order, on its interval and, when streaming, as soon as their input
/// changes or a deadline of one of their alerts passes.
///
/// - Emits: recorded series, `ALERTS` and `ALERTS_FOR_STATE` to the ingest; alerts and transitions to the outputs.
/// - Holds: the active alerts and the written series of its rules; of its input only which rules are dirty.
/// - Waits: for shards while it reads and writes, for room on the notification side.
/// - Ends: when cancelled; `retire` then ends what it wrote, `state` is what a successor goes on from.
package actor RuleGroupOperator<Reader: SeriesReader> {
    package nonisolated let settings: RuleGroupSettings
    let context: RuleContext<Reader>
    let interval: Duration
    let queryOffset: Duration
    let logger: Logger
    let telemetry: RuleTelemetry
    private nonisolated let inbox = GroupInbox()
    private let timer: DeadlineTimer
    var rules: [RuleRuntime]
    var ids = SeriesIDs()
    private(set) var nextTick: Timestamp
    /// Evaluations of one group have rising times, so that what they write does.
    private var lastTime = Timestamp.distantPast
    /// What rules of a predecessor wrote that are gone: marked stale when this group has been evaluated.
    var leftSeries: [LabelSet] = []

    /// - Throws: when an expression or a template can't be prepared; loading has checked them, so this is rare.
    package init(_ settings: RuleGroupSettings, context: RuleContext<Reader>, logger: Logger) throws {
        self.settings = settings
        self.context = context
        var logger = logger
        logger[metadataKey: "pipeline"] = "\(context.pipeline)"
        logger[metadataKey: "rule_group"] = "\(settings.name)"
        self.logger = logger
        interval = settings.interval ?? context.interval
        queryOffset = settings.queryOffset ?? context.queryOffset
        telemetry = RuleTelemetry(
            context.telemetry, settings, pipeline: context.pipeline, interval: settings.interval ?? context.interval)
        rules = try settings.rules.enumerated().map { place, rule in
            let ordinal = settings.rules[..<place].count { $0.name == rule.name && $0.labels == rule.labels }
            return try RuleRuntime(rule, ordinal: ordinal, interest: context.dispatch.newInterest())
        }
        timer = DeadlineTimer(clock: context.clock)
        nextTick = Self.tick(after: context.clock.now(), every: interval, phase: Self.phase(of: settings, interval))
    }

    /// Has all evaluations come after a time: that at which a group ended whose series this one may go on with.
    package func begin(after time: Timestamp) { lastTime = max(lastTime, time) }

    /// What storage has to tell this group of; none when it is evaluated on its interval only.
    package func nodes() -> [RuleNode] {
        guard context.mode == .streaming else { return [] }
        return rules.enumerated().map { place, rule in
            RuleNode(
                interest: rule.interest, inbox: inbox, place: place, selectors: rule.selectors, outputs: rule.outputs)
        }
    }

    /// Evaluates until cancelled.
    package func run() async {
        arm()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [timer, inbox] in await timer.run { inbox.wake() } }
            group.addTask { await self.evaluateWork() }
            await group.next()
            group.cancelAll()
        }
        // Closed first: what a batch in flight would add now would be read by nobody.
        inbox.close()
        for ticket in inbox.drain() { ticket.evaluated() }
    }

    private func evaluateWork() async {
        while let work = await inbox.next() {
            note(work)
            let now = context.clock.now()
            if context.mode == .interval || !isAhead(of: now) {
                if now >= nextTick { await tick(at: now) }
                let later = context.clock.now()
                if context.mode == .streaming, !isAhead(of: later) { await evaluateDue(at: later) }
            }
            for ticket in work.tickets { ticket.evaluated() }
            arm()
        }
    }

    private func note(_ work: GroupInbox.Work) {
        let now = context.clock.now()
        for (place, series) in work.dirty where rules.indices.contains(place) {
            rules[place].pending = rules[place].pending.map { GroupInbox.merged($0, series) } ?? series
            // What comes from a clock ahead of ours is seen when our time reaches it.
            if work.maxTimestamp > now { rules[place].expect(series, at: work.maxTimestamp) }
        }
    }

    /// Has every rule looked at as soon as the group runs: what came before it did not reach its inbox.
    package func evaluateAtOnce() {
        guard context.mode == .streaming else { return }
        inbox.add(rules.indices.map { ($0, .all) }, at: .distantPast, ticket: nil)
    }

    /// Tells every firing alert again: its pipeline's notification side is another one now.
    package func tellAgain() {
        for place in rules.indices { rules[place].alerts.tellAgain() }
        inbox.add(rules.indices.map { ($0, .all) }, at: .distantPast, ticket: nil)
    }

    private func arm() {
        let deadlines = context.mode == .streaming ? rules.compactMap(\.nextDeadline) : []
        let next = min(nextTick, deadlines.min() ?? .distantFuture)
        // Evaluated in this millisecond already: what came since waits for the next one.
        timer.set(isAhead(of: context.clock.now()) ? max(next, lastTime + .milliseconds(1)) : next)
    }

    /// Evaluates all rules once, in order, as at an interval of that time: for whoever plays time himself, in place of
    /// `run`. Times have to rise from call to call.
    /// - Returns: why rules failed, by their place in the group.
    package func evaluate(at time: Timestamp) async -> [(place: Int, reason: String)] {
        for place in rules.indices { await evaluate(place, .all, at: time, isTick: true) }
        return rules.enumerated().compactMap { place, rule in rule.lastError.map { (place, $0) } }
    }

    // MARK: time

    /// When a group's interval begins is the same after a restart, spread over groups, and that of Prometheus.
    private static func phase(of settings: RuleGroupSettings, _ interval: Duration) -> Duration {
        let identity: LabelSet = ["file": settings.file, "name": settings.name]
        let period = UInt64(max(1, interval.wholeMilliseconds)) * 1_000_000
        return .milliseconds(Int64(identity.stableHash % period / 1_000_000))
    }

    private static func tick(after now: Timestamp, every interval: Duration, phase: Duration) -> Timestamp {
        let period = interval.wholeMilliseconds
        let since = now.milliseconds - phase.wholeMilliseconds
        let periods = since / period + (since % period >= 0 ? 1 : 0)
        return Timestamp(milliseconds: periods * period + phase.wholeMilliseconds)
    }

    private func tick(at now: Timestamp) async {
        let start = ContinuousClock().now
        var scheduled = nextTick
        var missed = 0
        while scheduled + interval <= now {
            scheduled = scheduled + interval
            missed += 1
        }
        nextTick = scheduled + interval
        let time = context.mode == .interval ? scheduled : next(now)
        for place in rules.indices {
            // A cancelled group leaves the rest to its successor.
            if Task.isCancelled { return }
            rules[place].pending = nil
            await evaluate(place, .all, at: time, isTick: true)
        }
        lastTime = max(lastTime, time)
        telemetry.iterated(
            at: time, took: start.duration(to: ContinuousClock().now),
            rules: rules.reduce(.zero) { $0 + $1.lastDuration }, samples: rules.reduce(0) { $0 + $1.lastSamples },
            missed: missed)
        await endLeftSeries(at: time)
    }

    /// Times rise from evaluation to evaluation and don't run ahead of the clock; one that was set back is followed by the
    /// least steps that rise.
    private func next(_ now: Timestamp) -> Timestamp { max(now, lastTime + .milliseconds(1)) }

    private func isAhead(of now: Timestamp) -> Bool { now <= lastTime && lastTime - now < .seconds(5) }

    /// Looks at the rules whose input changed or whose deadline has passed.
    private func evaluateDue(at now: Timestamp) async {
        let time = next(now)
        var evaluated = false
        for place in rules.indices {
            if Task.isCancelled { return }
            rules[place].admitAhead(at: time)
            if let deadline = rules[place].alertDeadline, deadline <= time {
                rules[place].pending = nil
                await evaluate(place, .all, at: time, isTick: false)
                evaluated = true
                continue
            }
            guard let pending = rules[place].pending, rules[place].notBefore <= time else { continue }
            rules[place].pending = nil
            if case .some(let ids) = pending, mayLookAtSome(of: rules[place]) {
                await evaluate(place, .some(ids), at: time, isTick: false)
            } else {
                await evaluate(place, .all, at: time, isTick: false)
                // At most a twentieth of a core for one rule between two intervals.
                rules[place].notBefore = max(
                    rules[place].notBefore, time + max(.milliseconds(1), rules[place].lastDuration * 20))
            }
            evaluated = true
        }
        guard evaluated else { return }
        lastTime = time
        await endLeftSeries(at: time)
    }

    /// Whether what the unchanged series gave can't matter: it does where results are counted, or could coincide.
    private func mayLookAtSome(of rule: RuleRuntime) -> Bool {
        rule.isElementWise && settings.limit == 0 && rule.lastError == nil
            && (rule.settings.isAlert || rule.labels.isEmpty)
    }
}
