import Logging
import PromQL
import Streams
import Transport

extension RuleGroupOperator {
    /// Evaluates one rule and carries out what follows: samples, alerts, transitions. A rule that fails is noted as
    /// unhealthy, and the group goes on.
    func evaluate(_ place: Int, _ extent: Touched.Series, at time: Timestamp, isTick: Bool) async {
        let start = ContinuousClock().now
        var failure: String?
        do {
            let result = try await result(of: rules[place], extent, at: time)
            try await carryOut(result, of: place, at: time, isTick: isTick)
        } catch {
            if Task.isCancelled { return }
            failure = "\(error)"
        }
        let duration = start.duration(to: ContinuousClock().now)
        telemetry.evaluated(took: duration, failed: failure != nil)
        if let failure {
            rules[place].lastSamples = 0
            if rules[place].lastError != failure {
                logger.warning(
                    "Rule evaluation failed.",
                    metadata: ["rule": "\(rules[place].settings.name)", "reason": "\(failure)"])
            }
        } else if rules[place].lastError != nil {
            logger.info("Rule evaluation works again.", metadata: ["rule": "\(rules[place].settings.name)"])
        }
        rules[place].lastError = failure
        // A deadline that the failed evaluation was to settle waits for the next interval, or it would be due for ever.
        rules[place].deadlineNotBefore = failure == nil ? .distantPast : nextTick
        rules[place].lastEvaluation = time
        rules[place].lastDuration = duration
    }

    struct Result: Sendable {
        var samples: [VectorSample]
        var scope: ActiveAlerts.Scope
    }

    struct WrongType: Error, CustomStringConvertible {
        var description: String { "the rule's result is neither a vector nor a scalar" }
    }

    /// A subquery without a step has that of the pipeline, whatever the group's interval is, as in Prometheus.
    private var evaluationSettings: EvaluationSettings {
        var settings = context.evaluation
        settings.subqueryStep = context.interval
        return settings
    }

    private func result(of rule: RuleRuntime, _ extent: Touched.Series, at time: Timestamp) async throws -> Result {
        var settings = evaluationSettings
        let watch: SourceWatch<Reader>
        if case .some(let ids) = extent {
            settings.only = Set(ids)
            watch = SourceWatch(context.reader, isWatching: true)
        } else {
            watch = SourceWatch(context.reader, isWatching: false)
        }
        let value = try await Evaluator(reader: watch, settings: settings)
            .instant(rule.prepared, at: time - queryOffset).value
        let samples: [VectorSample]
        switch value {
        case .vector(let vector): samples = vector
        case .scalar(let value, let at): samples = [VectorSample(labels: LabelSet(), value: value, timestamp: at)]
        case .string, .matrix: throw WrongType()
        }
        if case .some = extent { return Result(samples: samples, scope: .sources(watch.sources)) }
        return Result(samples: samples, scope: .all)
    }

    private func carryOut(_ result: Result, of place: Int, at time: Timestamp, isTick: Bool) async throws {
        switch rules[place].settings.kind {
        case .record(let name):
            try await record(result, as: name, of: place, at: time, isTick: isTick)
        case .alert(let name):
            try await alert(result, as: name, of: place, at: time, isTick: isTick)
        }
    }

    // MARK: recording

    struct LimitExceeded: Error, CustomStringConvertible {
        var limit: Int
        var found: Int
        var what: String
        var description: String { "exceeded limit of \(limit) with \(found) \(what)" }
    }

    struct RecordFailure: Error, CustomStringConvertible {
        var description: String
    }

    private func record(
        _ result: Result, as name: String, of place: Int, at time: Timestamp, isTick: Bool
    ) async throws {
        let extra = rules[place].labels
        var current: [LabelSet: [WrittenSeries.Entry]] = [:]
        var seen: Set<LabelSet> = []
        for sample in result.samples {
            let source = sample.labels.removing(CollectionOfOne(LabelSet.metricName))
            var labels = source
            labels[LabelSet.metricName] = name
            for (name, template) in extra { labels[name] = template.text }
            guard seen.insert(labels).inserted else {
                throw RecordFailure(
                    description: "vector contains metrics with the same labelset after applying rule labels")
            }
            current[source, default: []].append((labels, WrittenSeries.Value(sample)))
        }
        let limit = settings.limit
        if limit > 0, result.samples.count > limit {
            throw LimitExceeded(limit: limit, found: result.samples.count, what: "series")
        }
        rules[place].lastSamples = result.samples.count
        let entries = rules[place].written.settle(current, scope: result.scope, onlyChanges: !isTick)
        try await append(entries, at: time, by: place)
    }

    // MARK: alerting

    private func alert(
        _ result: Result, as name: String, of place: Int, at time: Timestamp, isTick: Bool
    ) async throws {
        var candidates: [ActiveAlerts.Candidate] = []
        candidates.reserveCapacity(result.samples.count)
        for sample in result.samples { candidates.append(await candidate(sample, as: name, of: place, at: time)) }
        // A group that was stopped meanwhile leaves this to its successor: a change that is settled is told.
        try Task.checkCancellation()
        // No waiting between here and the end of the settling: the alerts change as one.
        let outcome = try rules[place].alerts.settle(
            candidates, scope: result.scope, at: time, limit: settings.limit)
        // For Prometheus a failed evaluation leaves the series as they are; the next one that works ends them.
        let isLeft = outcome.exceeding != nil && context.mode == .interval
        let scope = outcome.exceeding == nil ? result.scope : .all
        let entries = isLeft ? [] : written(for: outcome, of: place, scope: scope, isTick: isTick)
        rules[place].lastSamples = 2 * rules[place].alerts.active.count
        // Handed over before anybody is told, so kept before as well: the journal keeps the order.
        let ticket = keepStepped(of: place)
        publish(outcome.changes, of: place, at: time)
        let isTold = await notify(outcome, of: place, at: time)
        // Who is told keeps what it hears before it goes on, and with it this.
        if let ticket, !isTold { await context.outputs.journal?.flush(ticket) }
        try await append(entries, at: time, by: place)
        if let found = outcome.exceeding { throw LimitExceeded(limit: settings.limit, found: found, what: "alerts") }
    }

    private func candidate(
        _ sample: VectorSample, as name: String, of place: Int, at time: Timestamp
    ) async -> ActiveAlerts.Candidate {
        let rule = rules[place]
        let source = sample.labels.removing(CollectionOfOne(LabelSet.metricName))
        let data = RuleTemplateData(
            sample: sample, externalLabels: context.externalLabels, externalURL: context.externalURL, time: time,
            reader: context.reader, language: context.language,
            evaluation: evaluationSettings)
        var labels = source
        for (name, template) in rule.labels { labels[name] = await template.expand(data, telemetry) }
        labels["alertname"] = name
        var annotations: [Label] = []
        for (name, template) in rule.annotations {
            annotations.append(Label(name, await template.expand(data, telemetry)))
        }
        return ActiveAlerts.Candidate(
            source: source, labels: labels, annotations: LabelSet(annotations),
            // As Prometheus has it: an alert's value is a float.
            value: sample.histogram == nil ? sample.value : 0)
    }

    /// `ALERTS` and `ALERTS_FOR_STATE` of what is active, as far as it was looked at.
    private func written(
        for outcome: ActiveAlerts.Outcome, of place: Int, scope: ActiveAlerts.Scope, isTick: Bool
    ) -> [WrittenSeries.Entry] {
        var current: [LabelSet: [WrittenSeries.Entry]] = [:]
        for alert in rules[place].alerts.active.values where scope.covers(alert.source) {
            var state = alert.labels
            state[LabelSet.metricName] = "ALERTS"
            state["alertstate"] = alert.state.rawValue
            var since = alert.labels
            since[LabelSet.metricName] = "ALERTS_FOR_STATE"
            current[alert.source, default: []] += [
                (state, .float(1)), (since, .float(alert.activeSince.seconds.rounded(.down))),
            ]
        }
        return rules[place].written.settle(current, scope: scope, onlyChanges: !isTick)
    }

    private func publish(_ changes: [ActiveAlerts.Change], of place: Int, at time: Timestamp) {
        if changes.isEmpty { return }
        let rule = rules[place].settings.name
        context.outputs.publish(
            changes.map { change in
                AlertTransition(
                    time: time, pipeline: context.pipeline, group: settings.name, rule: rule, from: change.from,
                    to: change.to, labels: change.alert.labels, annotations: change.alert.annotations,
                    value: change.alert.value, activeSince: change.alert.activeSince)
            })
    }

    /// - Returns: whether there was something to tell.
    private func notify(_ outcome: ActiveAlerts.Outcome, of place: Int, at time: Timestamp) async -> Bool {
        let rule = rules[place].settings
        var alerts: [Alert] = []
        for change in outcome.changes {
            switch (change.from, change.to) {
            case (_, .firing): alerts.append(notice(change.alert, of: rule, endsAt: nil, at: time))
            case (.firing, _): alerts.append(notice(change.alert, of: rule, endsAt: time, at: time))
            default: break
            }
        }
        alerts += outcome.updated.map { notice($0, of: rule, endsAt: nil, at: time) }
        if !alerts.isEmpty { await context.outputs.notify(alerts) }
        return !alerts.isEmpty
    }

    /// What the notification side is told of an alert. Its source is the answer to the rule's expression, now.
    func notice(
        _ alert: ActiveAlerts.Active, of rule: RuleSettings, endsAt: Timestamp?, at time: Timestamp
    ) -> Alert {
        var labels = context.externalLabels
        for label in alert.labels { labels[label.name] = label.value }
        return Alert(
            labels: labels, annotations: alert.annotations, startsAt: alert.firedAt ?? alert.activeSince,
            endsAt: endsAt, updatedAt: time,
            generatorURL: context.externalURL + "/api/v1/query?query=" + URLString.encoded(rule.expressionText))
    }

    // MARK: writing

    /// What the store did not take of a rule's samples: they were there already with other values, or newer ones were.
    struct SamplesRefused: Error, CustomStringConvertible {
        var report: AppendReport

        var description: String {
            let reasons = [
                (report.duplicate, "duplicate sample for timestamp"), (report.outOfOrder, "out of order sample"),
                (report.outOfBounds, "out of bounds"), (report.unknownSeries, "series was dropped"),
            ].filter { $0.0 > 0 }.map { "\($0.1) (\($0.0))" }
            return "results were discarded: " + reasons.joined(separator: ", ")
        }
    }

    /// Writes results, then the markers of series that ended. Like the results of the query, all of it lies the query
    /// offset before the evaluation.
    /// - Parameter place: the rule that writes; nil: nobody who could be triggered by it.
    func append(_ entries: [WrittenSeries.Entry], at time: Timestamp, by place: Int?) async throws {
        let markers = entries.filter { $0.value.isStaleMarker }
        let values = markers.isEmpty ? entries : entries.filter { !$0.value.isStaleMarker }
        let refused = try await submit(values, at: time - queryOffset, by: place)
        // Another rule may have gone on with the series: then the marker comes too late, which is right.
        _ = try await submit(markers, at: time - queryOffset, by: place)
        if refused.refused > 0 { throw SamplesRefused(report: refused) }
    }

    private func submit(
        _ entries: [WrittenSeries.Entry], at time: Timestamp, by place: Int?
    ) async throws(IngestError) -> AppendReport {
        if entries.isEmpty { return AppendReport() }
        let sets = entries.map(\.labels)
        let epoch = context.ingest.epoch
        var unknown = ids.unknown(sets, in: epoch)
        if !unknown.isEmpty {
            unknown = Array(Set(unknown))
            ids.know(unknown, as: try await context.ingest.intern(unknown), in: epoch)
        }
        var batch = SampleBatch()
        batch.reserveCapacity(entries.count)
        for entry in entries {
            guard let id = ids[entry.labels] else { continue }
            switch entry.value {
            case .float(let value): batch.append(id, at: time.milliseconds, value)
            case .histogram(let histogram): batch.append(id, at: time.milliseconds, histogram)
            }
        }
        let written = batch
        let ingest = context.ingest
        let outcome = await RuleOrigin.$current.withValue(
            place.map { rules[$0].interest } ?? InterestID(rawValue: .max)
        ) {
            () -> Swift.Result<AppendReport, IngestError> in
            do throws(IngestError) {
                return .success(try await ingest.submit(written, from: "rules", patience: .seconds(10)))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

/// The ids of the label sets that a group writes.
struct SeriesIDs: Sendable {
    private var known: [LabelSet: SeriesID] = [:]
    private var epoch: UInt64 = 0

    /// The sets without an id; when the epoch has changed, all of them.
    mutating func unknown(_ sets: [LabelSet], in epoch: UInt64) -> [LabelSet] {
        if epoch != self.epoch {
            known.removeAll(keepingCapacity: true)
            self.epoch = epoch
        }
        return sets.filter { known[$0] == nil }
    }

    mutating func know(_ sets: [LabelSet], as ids: [SeriesID], in epoch: UInt64) {
        for (set, id) in zip(sets, ids) { known[set] = id }
    }

    subscript(labels: LabelSet) -> SeriesID? { known[labels] }
}
