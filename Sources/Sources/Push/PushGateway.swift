package import Streams

/// Pushgateway's metric groups: keeps what was pushed last under each grouping key, and tells it to the ingest at each
/// push and, so that it stays visible, on an interval.
///
/// Beyond Pushgateway, a group that was not pushed for `time_to_live` goes stale.
package actor PushGateway: Source {
    package static let key = "push"

    /// Why a push was not taken; nothing of it was applied.
    package enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// HTTP 400.
        case invalid(String)
        /// HTTP 503 or 422.
        case ingest(IngestError)

        package var description: String {
            switch self {
            case .invalid(let reason): reason
            case .ingest(let error): "\(error)"
            }
        }
    }

    package nonisolated let settings: PushSettings
    private let ingest: any Ingest
    private let clock: any WallClock
    private let telemetry: PushTelemetry
    private var groups: [GroupingKey: PushGroup] = [:]
    private var index = PushIndex()
    private var ids: [LabelSet: SeriesID] = [:]
    private var idsEpoch: UInt64 = 0
    /// Samples of one series have rising times, two pushes within one millisecond included.
    private var lastTime = Timestamp.distantPast
    private let turn = AsyncTurn()

    package init(_ settings: PushSettings, ingest: any Ingest, clock: any WallClock, telemetry: Telemetry) {
        self.settings = settings
        self.ingest = ingest
        self.clock = clock
        self.telemetry = PushTelemetry(telemetry)
    }

    // MARK: the API's verbs

    /// Takes a push in the text format. Returns once its samples are readable and their evaluation is queued.
    /// - Parameter replacing: PUT: the group's other metrics go; POST: they stay.
    package func push(_ body: [UInt8], to key: GroupingKey, replacing: Bool) async throws(Refusal) {
        do throws(Refusal) {
            let pushed = try Self.parse(body)
            await turn.begin()
            defer { turn.end() }
            try await apply(pushed, to: key, replacing: replacing)
            telemetry.pushes.add()
        } catch {
            telemetry.refused.add()
            throw error
        }
    }

    private static func parse(_ body: [UInt8]) throws(Refusal) -> [PushedFamily] {
        let slack = body + [UInt8](repeating: 0, count: 64)
        let result = slack.withUnsafeBytes { bytes in
            Result<[PushedFamily], ExpositionError> { () throws(ExpositionError) in
                try StrictExposition.parse(UnsafeRawBufferPointer(rebasing: bytes[..<body.count]))
            }
        }
        do throws(ExpositionError) {
            return try result.get()
        } catch {
            throw .invalid("text format parsing error in \(error)")
        }
    }

    private func apply(_ pushed: [PushedFamily], to key: GroupingKey, replacing: Bool) async throws(Refusal) {
        let time = nextTime()
        var group = groups[key] ?? PushGroup(key: key)
        if groups[key] == nil, groups.count >= settings.groupsMax {
            throw .invalid("there are \(settings.groupsMax) groups already (groups_max)")
        }
        let labelled = group.labelled(pushed)
        let names = Set(labelled.map(\.name))
        let replaced = group.families.filter { replacing || names.contains($0.name) }
        if let problem = problem(of: labelled, key, replacing: replaced) {
            group.fail(at: time)
            groups[key] = group
            // The failure's time is told with the next refresh at the latest; the push itself is refused.
            try? await write([failureSeries(of: group)], ending: [], at: time)
            throw .invalid("pushed metrics are invalid or inconsistent with existing metrics: \(problem)")
        }
        let before = Set(group.series.map(\.labels))
        group.take(labelled, replacing: replacing, at: time)
        let series = group.series
        let ended = groups[key] == nil ? [] : before.subtracting(series.map(\.labels))
        do throws(IngestError) {
            try await write(series, ending: Array(ended), at: time)
        } catch {
            throw .ingest(error)
        }
        index.remove(replaced)
        index.add(labelled, of: key)
        groups[key] = group
        telemetry.groups.set(Double(groups.count))
    }

    private func problem(
        of pushed: [PushedFamily], _ key: GroupingKey, replacing replaced: [PushedFamily]
    ) -> String? {
        for family in pushed {
            if let sample = family.samples.first(where: { $0.timestamp != nil }) {
                return "pushed metrics must not have timestamps: \(sample.labels)"
            }
        }
        return settings.checksConsistency ? index.problem(of: pushed, from: key, replacing: replaced) : nil
    }

    private func failureSeries(of group: PushGroup) -> (labels: LabelSet, value: Double) {
        let name = PushGroup.failureTimeName
        return (group.key.labelSet.merging([LabelSet.metricName: name]), group.lastFailure?.seconds ?? 0)
    }

    /// Deletes a group; its series end. A group that is not there is deleted already.
    package func delete(_ key: GroupingKey) async throws(Refusal) {
        await turn.begin()
        defer { turn.end() }
        try await remove([key])
    }

    /// Deletes all groups.
    package func wipe() async throws(Refusal) {
        await turn.begin()
        defer { turn.end() }
        try await remove(Array(groups.keys))
    }

    private func remove(_ keys: [GroupingKey]) async throws(Refusal) {
        let gone = keys.compactMap { groups[$0] }
        do throws(IngestError) {
            try await write([], ending: gone.flatMap { $0.series.map(\.labels) }, at: nextTime())
        } catch {
            throw .ingest(error)
        }
        for group in gone {
            index.remove(group.families)
            groups[group.key] = nil
            for series in group.series { ids[series.labels] = nil }
        }
        telemetry.groups.set(Double(groups.count))
    }

    // MARK: time

    /// Tells the groups' values again on each interval, and ends those whose time to live is over.
    package func run() async {
        while true {
            do {
                try await clock.sleep(until: nextDeadline())
            } catch {
                return  // Cancelled.
            }
            await turn.begin()
            await settle()
            turn.end()
            if Task.isCancelled { return }
        }
    }

    private var lastRefresh = Timestamp.distantPast

    private func nextDeadline() -> Timestamp {
        let now = clock.now()
        if lastRefresh == .distantPast { lastRefresh = now }
        let refresh = lastRefresh + settings.refreshInterval
        guard let timeToLive = settings.timeToLive else { return refresh }
        // A group that is pushed in the meantime lives longer; then this only looks once too often.
        let expiry = groups.values.compactMap { $0.lastPush.map { $0 + timeToLive } }.min()
        return max(min(refresh, expiry ?? refresh), now + .milliseconds(10))
    }

    private func settle() async {
        let now = clock.now()
        if let timeToLive = settings.timeToLive {
            let expired = groups.values.filter { ($0.lastPush ?? $0.lastFailure ?? now) + timeToLive <= now }.map(\.key)
            if !expired.isEmpty, (try? await remove(expired)) != nil { telemetry.expired.add(Double(expired.count)) }
        }
        guard lastRefresh + settings.refreshInterval <= now, !groups.isEmpty else {
            if groups.isEmpty { lastRefresh = now }
            return
        }
        lastRefresh = now
        // When the graph is full the values stay visible by look-back until the next interval.
        try? await write(groups.values.flatMap(\.series), ending: [], at: nextTime())
    }

    /// The source is no longer configured: all groups end.
    package func retire() async {
        // When the graph is full or closing the series end by look-back.
        try? await wipe()
    }

    // MARK: writing

    private func nextTime() -> Timestamp {
        lastTime = max(clock.now(), lastTime + .milliseconds(1))
        return lastTime
    }

    private func write(
        _ series: [(labels: LabelSet, value: Double)], ending: [LabelSet], at time: Timestamp
    ) async throws(IngestError) {
        if series.isEmpty && ending.isEmpty { return }
        let epoch = ingest.epoch
        if epoch != idsEpoch {
            ids.removeAll(keepingCapacity: true)
            idsEpoch = epoch
        }
        let unknown = series.map(\.labels).filter { ids[$0] == nil } + ending.filter { ids[$0] == nil }
        if !unknown.isEmpty {
            for (labels, id) in zip(unknown, try await ingest.intern(unknown)) { ids[labels] = id }
        }
        var batch = SampleBatch()
        batch.reserveCapacity(series.count + ending.count)
        for (labels, value) in series {
            if let id = ids[labels] { batch.append(id, at: time.milliseconds, value) }
        }
        for labels in ending {
            if let id = ids[labels] { batch.append(id, at: time.milliseconds, StaleMarker.value) }
        }
        try await ingest.submit(batch, from: Self.key, patience: settings.patience)
    }

    // MARK: what there is

    /// All groups, by their keys.
    func allGroups() -> [PushGroup] {
        groups.values.sorted { $0.key.labelSet.lexicographicallyPrecedes($1.key.labelSet) }
    }

    /// A family that groups have with different types, where that is not checked at the push.
    var conflict: String? { settings.checksConsistency ? nil : index.conflict }
}
