package import Streams

/// Mutes the alerts that all its matchers accept, for a time, because a person said so.
package struct Silence: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case active, pending, expired
    }

    /// A UUID in its text form, lower case.
    package let id: String
    /// In the order in which they were given; at least one.
    package var matchers: [Matcher]
    package var startsAt: Timestamp
    /// The first moment at which it mutes no more.
    package var endsAt: Timestamp
    package var updatedAt: Timestamp
    package var createdBy: String
    package var comment: String
    package var annotations: LabelSet

    package init(
        id: String, matchers: [Matcher], startsAt: Timestamp, endsAt: Timestamp, updatedAt: Timestamp,
        createdBy: String, comment: String, annotations: LabelSet = LabelSet()
    ) {
        self.id = id
        self.matchers = matchers
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.updatedAt = updatedAt
        self.createdBy = createdBy
        self.comment = comment
        self.annotations = annotations
    }

    package func state(at now: Timestamp) -> State {
        if now < startsAt { return .pending }
        return now < endsAt ? .active : .expired
    }

    /// What its texts take: ids, times and the like are counted with a flat 64 bytes.
    package var sizeBytes: Int {
        let matchers = matchers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        let annotations = annotations.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        return 64 + matchers + annotations + createdBy.utf8.count + comment.utf8.count
    }

    /// Alertmanager's order in lists: active ones by their end, pending ones by their start, then expired ones, the last
    /// to end first.
    package static func isListedBefore(_ left: Silence, _ right: Silence, at now: Timestamp) -> Bool {
        let (first, second) = (left.state(at: now), right.state(at: now))
        if first != second { return first.rank < second.rank }
        let order =
            switch first {
            case .active: (left.endsAt, right.endsAt)
            case .pending: (left.startsAt, right.startsAt)
            case .expired: (right.endsAt, left.endsAt)
            }
        return order.0 == order.1 ? left.id < right.id : order.0 < order.1
    }

    /// Whether each of the filter's matchers is one of its own: the same name, operator and value.
    package func holds(_ filter: [Matcher]) -> Bool { filter.allSatisfy(matchers.contains) }
}

extension Silence.State {
    fileprivate var rank: Int {
        switch self {
        case .active: 0
        case .pending: 1
        case .expired: 2
        }
    }
}

/// A silence as somebody asks for it: nothing of it has been checked.
package struct SilenceDraft: Sendable, Hashable {
    package struct MatcherText: Sendable, Hashable {
        package var name: String
        package var op: Matcher.Operator
        package var value: String

        package init(_ name: String, _ op: Matcher.Operator, _ value: String) {
            self.name = name
            self.op = op
            self.value = value
        }
    }

    /// That of the silence that is to be changed; empty: a new one.
    package var id: String
    package var matchers: [MatcherText]
    /// Nil: now.
    package var startsAt: Timestamp?
    package var endsAt: Timestamp
    package var createdBy: String
    package var comment: String
    package var annotations: LabelSet
    /// The author knows that it may mute everything.
    package var isConfirmed: Bool

    package init(
        id: String = "", matchers: [MatcherText], startsAt: Timestamp? = nil, endsAt: Timestamp, createdBy: String,
        comment: String, annotations: LabelSet = LabelSet(), isConfirmed: Bool = false
    ) {
        self.id = id
        self.matchers = matchers
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.createdBy = createdBy
        self.comment = comment
        self.annotations = annotations
        self.isConfirmed = isConfirmed
    }

    /// Its matchers, when they and its times make a silence. Words and order of the checks are Alertmanager's.
    func checked(startsAt: Timestamp) throws(SilenceError) -> [Matcher] {
        if matchers.isEmpty { throw .invalid("matcher set 0 is empty") }
        var checked: [Matcher] = []
        for (place, matcher) in matchers.enumerated() {
            do throws(SilenceError) { checked.append(try matcher.checked()) } catch {
                throw .invalid("invalid label matcher \(place) in set 0: \(error)")
            }
        }
        let matchesAll = checked.allSatisfy { ($0.op == .equal || $0.op == .matches) && $0.accepts("") }
        if matchesAll, !isConfirmed {
            throw .invalid("matcher set 0: at least one matcher must not match the empty string")
        }
        if endsAt < startsAt { throw .invalid("end time must not be before start time") }
        return checked
    }
}

extension SilenceDraft.MatcherText {
    fileprivate func checked() throws(SilenceError) -> Matcher {
        if name.isEmpty { throw .invalid("invalid label name \"\"") }
        do throws(RegularExpression.SyntaxError) { return try Matcher(name, op, value) } catch {
            throw .invalid("invalid regular expression \(quoted(value)): error parsing regexp: \(error.reason)")
        }
    }
}

/// Why a silence was not made, changed or ended.
package enum SilenceError: Error, Sendable, Equatable, CustomStringConvertible {
    case notFound
    /// In words that say what is wrong.
    case invalid(String)
    /// A bound was reached.
    case limit(String)

    package var description: String {
        switch self {
        case .notFound: "silence not found"
        case .invalid(let reason), .limit(let reason): reason
        }
    }
}
