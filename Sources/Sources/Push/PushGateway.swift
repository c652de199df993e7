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
    private let clock: any WallClock
    private let ingest: any Ingest
    private let telemetry: PushTelemetry
    private var groups: [GroupingKey: PushGroup] = [:]
    private var index = PushIndex()
    private let writer: PushWriter
    /// The newest time at which a group was ended: another one with the same series begins behind it.
    private var lastEnd = Timestamp.distantPast
    private var lastRefresh = Timestamp.distantPast
    /// Its groups come from an earlier run of the program, and nobody has been told of them.
    private var isRestored = false
    private let turn = AsyncTurn()
    /// Its groups are another one's now, or gone.
    private var isOver = false

    package init(_ settings: PushSettings, ingest: any Ingest, clock: any WallClock, telemetry: Telemetry) {
        self.settings = settings
        self.clock = clock
        self.ingest = ingest
        self.telemetry = PushTelemetry(telemetry)
        writer = PushWriter(ingest)
    }

    // MARK: the API's verbs

    /// Takes a push in the text format. Returns once its samples are readable and their evaluation is queued.
    /// - Parameter replacing: PUT: the group's other metrics go; POST: they stay.
    package func push(_ body: consuming [UInt8], to key: GroupingKey, replacing: Bool) async throws(Refusal) {
        do throws(Refusal) {
            try Self.checkLines(of: body, bytesMax: settings.lineBytesMax)
            let pushed = try Self.parse(&body)
            body = []
            let patience = try await begin()
            defer { turn.end() }
            try await apply(pushed, to: key, replacing: replacing, patience: patience)
            telemetry.pushes.add()
        } catch {
            telemetry.refused.add()
            throw error
        }
    }

    /// A label as large as a body would be kept, shown and sent for ever after.
    private static func checkLines(of body: [UInt8], bytesMax: Int) throws(Refusal) {
        var rest = body[...]
        var line = 1
        while rest.count > bytesMax {
            guard let end = rest.prefix(bytesMax + 1).firstIndex(of: UInt8(ascii: "\n")) else {
                throw .invalid("line \(line) is longer than \(bytesMax) bytes (line_size_limit)")
            }
            rest = rest[(end + 1)...]
            line += 1
        }
    }

    /// - Parameter body: gets the padding that the scan may read.
    private static func parse(_ body: inout [UInt8]) throws(Refusal) -> [PushedFamily] {
        let count = body.count
        body += [UInt8](repeating: 0, count: 64)
        let result = body.withUnsafeBytes { bytes in
            Result<[PushedFamily], ExpositionError> { () throws(ExpositionError) in
                try StrictExposition.parse(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
        do throws(ExpositionError) {
            return try result.get()
        } catch {
            throw .invalid("text format parsing error in \(error)")
        }
    }

    /// Waits for the turn, which the caller ends. Whoever stood in line for as long as a push may wait is refused at once:
    /// otherwise each of them would wait that long again behind the one before.
    /// - Returns: what is left of the patience.
    private func begin() async throws(Refusal) -> Duration {
        let start = clock.now()
        await turn.begin()
        guard !isOver else {
            turn.end()
            throw .ingest(.closed)
        }
        let waited = clock.now() - start
        guard waited <= .zero || waited < settings.patience else {
            turn.end()
            throw .ingest(.saturated(retryAfter: .seconds(1)))
        }
        return settings.patience - max(.zero, waited)
    }

    private func apply(
        _ pushed: consuming [PushedFamily], to key: GroupingKey, replacing: Bool, patience: Duration
    ) async throws(Refusal) {
        let known = groups[key]
        var group = known ?? PushGroup(key: key)
        if known == nil, groups.count >= settings.groupsMax {
            throw .invalid("there are \(settings.groupsMax) groups already (groups_max)")
        }
        let time = try nextTime(of: group)
        let labelled = group.labelled(pushed)
        let names = Set(labelled.map(\.name))
        let replaced = group.families.filter { replacing || names.contains($0.name) }
        if let problem = problem(of: labelled, key, replacing: replaced) {
            group.fail(at: time)
            keep(group)
            // The failure's time is told with the next refresh at the latest; the push itself is refused.
            try? await write(group.ownSeries, ending: [], at: time, patience: .zero)
            throw .invalid("pushed metrics are invalid or inconsistent with existing metrics: \(problem)")
        }
        let before = Set(group.series.map(\.labels))
        group.take(labelled, replacing: replacing, at: time)
        let series = group.series
        let ended = known == nil ? [] : before.subtracting(series.map(\.labels))
        try await write(series, ending: Array(ended), at: time, patience: patience)
        index.remove(replaced)
        index.add(labelled, of: key)
        keep(group)
        tellMetadata(of: labelled, insteadOf: replaced)
    }

    private func keep(_ group: PushGroup) {
        groups[group.key] = group
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
        for sample in pushed.lazy.flatMap(\.samples) {
            guard let problem = settings.labels.problem(of: sample.labels) else { continue }
            telemetry.countLabelLimit(Self.key)
            return problem
        }
        return settings.checksConsistency ? index.problem(of: pushed, from: key, replacing: replaced) : nil
    }

    /// Deletes a group; its series end. A group that is not there is deleted already.
    package func delete(_ key: GroupingKey) async throws(Refusal) {
        let patience = try await begin()
        defer { turn.end() }
        if let group = groups[key] { try await remove([group], patience: patience) }
    }

    /// Deletes all groups.
    package func wipe() async throws(Refusal) {
        let patience = try await begin()
        defer { turn.end() }
        for slice in Self.slices(allGroups()) { try await remove(slice, patience: patience) }
    }

    private func remove(_ gone: [PushGroup], patience: Duration) async throws(Refusal) {
        var samples: [PushWriter.Sample] = []
        var end = clock.now()
        for group in gone {
            let time = max(clock.now(), group.lastTime + .milliseconds(1))
            end = max(end, time)
            samples += group.series.map { PushWriter.Sample($0.labels, nil, time) }
        }
        do throws(IngestError) {
            try await writer.write(samples, patience: patience)
        } catch {
            throw .ingest(error)
        }
        lastEnd = max(lastEnd, end)
        for group in gone {
            index.remove(group.families)
            groups[group.key] = nil
            tellMetadata(of: [], insteadOf: group.families)
        }
        if groups.isEmpty { ingest.forget(.source(Self.key)) }
        telemetry.groups.set(Double(groups.count))
    }

    // MARK: a restart

    /// What the next run of the program goes on with.
    package func savedGroups() -> SavedGroups { SavedGroups(allGroups()) }

    /// Goes on with what an earlier run of the program held, before `run`, which tells it; what has outlived its time to
    /// live is left out.
    package func restore(_ saved: SavedGroups) {
        let now = clock.now()
        for group in saved.groups where settings.timeToLive.map({ group.lastChange + $0 > now }) ?? true {
            index.add(group.families, of: group.key)
            groups[group.key] = group
            tellMetadata(of: group.families, insteadOf: [])
        }
        isRestored = true
        telemetry.groups.set(Double(groups.count))
    }

    // MARK: time

    /// Tells the groups' values again on each interval, and ends those whose time to live is over.
    package func run() async {
        if isRestored {
            isRestored = false
            await refresh()
        }
        if lastRefresh == .distantPast { lastRefresh = clock.now() }
        while true {
            do {
                try await clock.sleep(until: nextDeadline())
            } catch {
                return  // Cancelled.
            }
            await expire()
            await refresh()
            if Task.isCancelled { return }
        }
    }

    private func nextDeadline() -> Timestamp {
        let now = clock.now()
        var deadline = lastRefresh + settings.refreshInterval
        if let timeToLive = settings.timeToLive {
            // A group that is pushed in the meantime lives longer, a new one at least until then: this may look once too
            // often, never too late.
            deadline = min(deadline, now + timeToLive)
            if let first = groups.values.map({ $0.lastChange + timeToLive }).min() { deadline = min(deadline, first) }
        }
        return max(deadline, now + .milliseconds(10))
    }

    private func expire() async {
        guard let timeToLive = settings.timeToLive else { return }
        await turn.begin()
        defer { turn.end() }
        let now = clock.now()
        let expired = groups.values.filter { $0.lastChange + timeToLive <= now }
        for slice in Self.slices(expired) {
            // Where the graph is full they are ended at the next look.
            guard (try? await remove(slice, patience: settings.patience)) != nil else { return }
            telemetry.expired.add(Double(slice.count))
        }
    }

    private func refresh() async {
        let now = clock.now()
        guard lastRefresh + settings.refreshInterval <= now else { return }
        lastRefresh = now
        for slice in Self.slices(allGroups()) {
            await turn.begin()
            await tellAgain(slice.map(\.key))
            turn.end()
            if Task.isCancelled { return }
        }
    }

    private func tellAgain(_ keys: [GroupingKey]) async {
        var samples: [PushWriter.Sample] = []
        for key in keys {
            // Gone in the meantime, or told at this very time.
            guard var group = groups[key], let time = try? nextTime(of: group) else { continue }
            group.lastTime = time
            groups[key] = group
            samples += group.series.map { PushWriter.Sample($0.labels, $0.value, time) }
        }
        // When the graph is full the values stay visible by look-back until the next interval.
        try? await writer.write(samples, patience: settings.patience)
    }

    /// The groups in slices of some thousands of samples, so that none makes others wait for long.
    private static func slices(_ groups: [PushGroup]) -> [[PushGroup]] {
        var slices: [[PushGroup]] = []
        var room = 0
        for group in groups {
            if room <= 0 {
                slices.append([])
                room = 10_000
            }
            slices[slices.count - 1].append(group)
            room -= group.sampleCount
        }
        return slices
    }

    /// The source is no longer configured: all groups end.
    package func retire() async {
        // When the graph is full or closing the series end by look-back.
        try? await wipe()
        isOver = true
        for way in Self.ways { ingest.forget(.source(way)) }
    }

    /// All groups go on under the new settings.
    package func takeOver(from old: any Source) async {
        guard let old = old as? PushGateway else { return await old.retire() }
        let held = await old.release()
        groups = held.groups
        index = held.index
        lastEnd = held.lastEnd
        telemetry.groups.set(Double(groups.count))
    }

    private func release() async -> (groups: [GroupingKey: PushGroup], index: PushIndex, lastEnd: Timestamp) {
        await turn.begin()
        defer { turn.end() }
        isOver = true
        return (groups, index, lastEnd)
    }

    // MARK: writing

    /// Samples of one series have rising times, also of two pushes within one millisecond; but those of a group never run
    /// far ahead of the clock.
    private func nextTime(of group: PushGroup) throws(Refusal) -> Timestamp {
        let now = clock.now()
        let time = max(now, max(group.lastTime, lastEnd) + .milliseconds(1))
        guard time - now <= Self.aheadMax else { throw .ingest(.saturated(retryAfter: .seconds(1))) }
        return time
    }

    private static let aheadMax = Duration.seconds(1)

    private func write(
        _ series: [(labels: LabelSet, value: Double)], ending: [LabelSet], at time: Timestamp, patience: Duration
    ) async throws(Refusal) {
        do throws(IngestError) {
            try await writer.write(
                series.map { PushWriter.Sample($0.labels, $0.value, time) }
                    + ending.map { PushWriter.Sample($0, nil, time) }, patience: patience)
        } catch {
            throw .ingest(error)
        }
    }

    // MARK: metadata and limits

    /// What samples are pushed by, under the names that metrics and metadata have for them: this API, text streams and
    /// remote write. One push source's settings hold for all three.
    package static let ways = [key, "import", "remote_write"]

    /// Checks the labels of series that one of the ways brings.
    package nonisolated func check(_ series: [LabelSet], from way: String) throws(Refusal) {
        for labels in series {
            guard let problem = settings.labels.problem(of: labels) else { continue }
            telemetry.countLabelLimit(way)
            throw .invalid(problem)
        }
    }

    private func tellMetadata(of families: [PushedFamily], insteadOf replaced: [PushedFamily]) {
        let owner = MetadataOwner.source(Self.key)
        let gone = replaced.map(\.name).filter { !index.has($0) }
        if !gone.isEmpty { ingest.forget(gone, of: owner) }
        if families.isEmpty { return }
        ingest.tell(families.flatMap(\.metadata) + PushGroup.ownMetadata, from: owner, replacing: false)
    }

    // MARK: what there is

    /// All groups, by their keys.
    func allGroups() -> [PushGroup] {
        groups.values.sorted { $0.key.labelSet.lexicographicallyPrecedes($1.key.labelSet) }
    }

    /// A family that groups have with different types, where that is not checked at the push.
    var conflict: String? { settings.checksConsistency ? nil : index.conflict }
}
