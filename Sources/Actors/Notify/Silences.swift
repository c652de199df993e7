package import Streams

/// All silences of a notification side, and which of them mute an alert. What changes them says what has changed, so that
/// it can be kept: `set`, `expire`, `removeExpired`.
///
/// Semantics are those of Alertmanager's silences. Times are those of its clock cut to milliseconds.
package struct Silences: Sendable {
    package struct Limits: Sendable, Hashable {
        /// Silences that are remembered, expired ones among them; 0: as many as come.
        package var countMax: Int
        /// Of one silence; 0: any.
        package var sizeBytesMax: Int
        /// How long one is remembered after its end.
        package var retention: Duration

        package init(
            countMax: Int = 100_000, sizeBytesMax: Int = 1 << 18, retention: Duration = .seconds(120 * 3600)
        ) {
            self.countMax = countMax
            self.sizeBytesMax = sizeBytesMax
            self.retention = retention
        }
    }

    /// What `set` and `expire` did.
    package struct Change: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable { case created, updated, expired }

        /// Nil where it had expired already.
        package var kind: Kind?
        /// Of the silence that was asked for.
        package var id: String
        /// Silences as they are now, each of which is new or differs from before: at most two.
        package var silences: [Silence]
    }

    private let limits: Limits
    private var byID: [String: Silence] = [:]
    private var index = SilenceIndex()

    /// - Parameter silences: of an earlier run; each id once.
    package init(_ limits: Limits = Limits(), continuing silences: [Silence] = []) {
        self.limits = limits
        for silence in silences { put(silence) }
    }

    package var count: Int { byID.count }
    package var all: Dictionary<String, Silence>.Values { byID.values }
    package subscript(id: String) -> Silence? { byID[id] }

    // MARK: changes

    /// Makes a silence, or changes the one that the draft names. Where a change would be one of the past, the old one
    /// ends now and a new one takes its place.
    /// - Parameter newID: makes an id for a new silence.
    package mutating func set(
        _ draft: SilenceDraft, at now: Timestamp, newID: () -> String
    ) throws(SilenceError) -> Change {
        let start = draft.startsAt ?? now
        let matchers: [Matcher]
        do throws(SilenceError) { matchers = try draft.checked(startsAt: start) } catch {
            throw .invalid("invalid silence: \(error)")
        }
        let known = byID[draft.id]
        if known == nil, !draft.id.isEmpty { throw .notFound }
        func made(_ id: String, startsAt: Timestamp) -> Silence {
            Silence(
                id: id, matchers: matchers, startsAt: startsAt, endsAt: draft.endsAt, updatedAt: now,
                createdBy: draft.createdBy, comment: draft.comment, annotations: draft.annotations)
        }
        if let known {
            let changed = made(known.id, startsAt: start)
            if Self.isUpdate(known, changed, at: now) {
                try checkSize(changed)
                put(changed)
                return Change(kind: .updated, id: known.id, silences: [changed])
            }
        }
        if limits.countMax > 0, byID.count >= limits.countMax {
            throw .limit("exceeded maximum number of silences: \(byID.count) (limit: \(limits.countMax))")
        }
        let silence = made(newID(), startsAt: max(start, now))
        try checkSize(silence)
        var changes: [Silence] = []
        if let known, let expired = end(known, at: now) { changes.append(expired) }
        put(silence)
        return Change(kind: .created, id: silence.id, silences: changes + [silence])
    }

    /// Ends a silence now; one that is over stays as it is.
    package mutating func expire(_ id: String, at now: Timestamp) throws(SilenceError) -> Change {
        guard let silence = byID[id] else { throw .notFound }
        guard let expired = end(silence, at: now) else { return Change(kind: nil, id: id, silences: []) }
        return Change(kind: .expired, id: id, silences: [expired])
    }

    /// Forgets those that ended longer ago than they are kept.
    /// - Returns: their ids.
    package mutating func removeExpired(at now: Timestamp) -> [String] {
        var removed: [String] = []
        for silence in byID.values where silence.endsAt <= now {
            // Only those that may mute again have to be found quickly; none of these will.
            index.remove(silence.id)
            if silence.endsAt + limits.retention <= now { removed.append(silence.id) }
        }
        for id in removed { byID[id] = nil }
        return removed
    }

    private mutating func end(_ silence: Silence, at now: Timestamp) -> Silence? {
        var silence = silence
        switch silence.state(at: now) {
        case .expired: return nil
        case .active: break
        case .pending: silence.startsAt = now
        }
        silence.endsAt = now
        silence.updatedAt = now
        put(silence)
        return silence
    }

    private mutating func put(_ silence: Silence) {
        // The same matchers are found in the same place.
        if byID[silence.id]?.matchers != silence.matchers {
            index.remove(silence.id)
            index.insert(silence.id, silence.matchers)
        }
        byID[silence.id] = silence
    }

    private func checkSize(_ silence: Silence) throws(SilenceError) {
        guard limits.sizeBytesMax > 0, silence.sizeBytes > limits.sizeBytesMax else { return }
        throw .limit(
            "silence exceeded maximum size: \(silence.sizeBytes) bytes (limit: \(limits.sizeBytesMax) bytes)")
    }

    /// Whether the change leaves what was muted in the past as it was.
    private static func isUpdate(_ known: Silence, _ changed: Silence, at now: Timestamp) -> Bool {
        guard known.matchers == changed.matchers else { return false }
        switch known.state(at: now) {
        // To the second, as clients may have read it without its fraction.
        case .active: return known.startsAt.wholeSeconds == changed.startsAt.wholeSeconds && changed.endsAt >= now
        case .pending: return changed.startsAt >= now
        case .expired: return false
        }
    }

    // MARK: questions

    /// The ids of the active silences that mute an alert with these labels, sorted.
    package func muting(_ labels: LabelSet, at now: Timestamp) -> [String] {
        var found: [String] = []
        index.forEachCandidate(labels) { id in
            if isMuting(id, labels, now), !found.contains(id) { found.append(id) }
            return true
        }
        return found.sorted()
    }

    /// Whether any silence mutes an alert with these labels now.
    package func mute(_ labels: LabelSet, at now: Timestamp) -> Bool {
        if byID.isEmpty { return false }
        var isMuted = false
        index.forEachCandidate(labels) { id in
            isMuted = isMuting(id, labels, now)
            return !isMuted
        }
        return isMuted
    }

    private func isMuting(_ id: String, _ labels: LabelSet, _ now: Timestamp) -> Bool {
        byID[id].map { $0.state(at: now) == .active && $0.matchers.accept(labels) } ?? false
    }

    package func counts(at now: Timestamp) -> [Silence.State: Int] {
        byID.values.reduce(into: [:]) { $0[$1.state(at: now), default: 0] += 1 }
    }
}
