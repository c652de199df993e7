import Actors
import Streams
import TestKit
import Testing

@Suite struct SilencesTests {
    private static let now = Timestamp(milliseconds: 1_767_323_045_500)
    private let random = RandomSource(SeededGenerator(seed: 7))

    private static func draft(
        _ matchers: [SilenceDraft.MatcherText] = [.init("alertname", .equal, "A")], id: String = "", from: Int64 = 0,
        to: Int64 = 600, comment: String = "why", milliseconds: Int64 = 0
    ) -> SilenceDraft {
        SilenceDraft(
            id: id, matchers: matchers, startsAt: now + .seconds(from) + .milliseconds(milliseconds),
            endsAt: now + .seconds(to), createdBy: "me",
            comment: comment)
    }

    private func set(
        _ draft: SilenceDraft, _ silences: inout Silences, after: Int64 = 0
    ) throws -> Silences.Change {
        try silences.set(draft, at: Self.now + .seconds(after), newID: random.uuid)
    }

    @Test func `an id is a random UUID`() {
        for _ in 0..<100 {
            let id = random.uuid()
            #expect(id.utf8.count == 36)
            #expect(
                id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(id)"
            )
        }
    }

    @Test func `a silence is pending, then active, then expired, and starts no earlier than now`() throws {
        var silences = Silences()
        let early = try #require(try set(Self.draft(from: -60, to: 10), &silences).silences.first)
        #expect(early.startsAt == Self.now)
        #expect(early.state(at: Self.now) == .active)
        #expect(early.state(at: Self.now + .seconds(10)) == .expired)
        let late = try #require(try set(Self.draft(from: 60), &silences).silences.first)
        #expect(late.state(at: Self.now) == .pending)
        #expect(silences.muting(["alertname": "A"], at: Self.now) == [early.id])
        #expect(silences.muting(["alertname": "A"], at: Self.now + .seconds(30)) == [])
        #expect(silences.muting(["alertname": "A"], at: Self.now + .seconds(60)) == [late.id])
        #expect(!silences.mute(["alertname": "B"], at: Self.now))
    }

    struct UpdateCase: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var before: SilenceDraft
        var change: SilenceDraft
        var after: Int64
        var staysTheSame: Bool
        var oldState: Silence.State?
    }

    static let updates: [UpdateCase] = [
        UpdateCase(
            testDescription: "another comment and a later end change an active one in place",
            before: draft(), change: draft(to: 900, comment: "longer"), after: 5, staysTheSame: true),
        UpdateCase(
            testDescription: "an active one can't start at another time", before: draft(), change: draft(from: 2),
            after: 5, staysTheSame: false, oldState: .expired),
        UpdateCase(
            testDescription: "a start in the same second is the same start", before: draft(),
            change: draft(milliseconds: -400), after: 5, staysTheSame: true),
        UpdateCase(
            testDescription: "other matchers make another one, and the old one ends", before: draft(),
            change: draft([.init("alertname", .equal, "B")]), after: 5, staysTheSame: false, oldState: .expired),
        UpdateCase(
            testDescription: "an active one can't end in the past", before: draft(), change: draft(to: 3), after: 5,
            staysTheSame: false, oldState: .expired),
        UpdateCase(
            testDescription: "a pending one may start at another time to come", before: draft(from: 60),
            change: draft(from: 90), after: 5, staysTheSame: true),
        UpdateCase(
            testDescription: "a pending one can't have started already", before: draft(from: 60),
            change: draft(from: 1),
            after: 5, staysTheSame: false, oldState: .expired),
        UpdateCase(
            testDescription: "an expired one stays as it was", before: draft(to: 10), change: draft(to: 900), after: 20,
            staysTheSame: false, oldState: .expired),
    ]

    @Test("A change is one in place, or makes another silence", arguments: updates)
    func update(_ example: UpdateCase) throws {
        var silences = Silences()
        let first = try set(example.before, &silences)
        #expect(first.kind == .created)
        var change = example.change
        change.id = first.id
        let second = try set(change, &silences, after: example.after)
        #expect((second.id == first.id) == example.staysTheSame)
        #expect(second.kind == (example.staysTheSame ? .updated : .created))
        let now = Self.now + .seconds(example.after)
        if let state = example.oldState { #expect(silences[first.id]?.state(at: now) == state) }
        let changed = try #require(silences[second.id])
        #expect(changed.comment == change.comment && changed.endsAt == change.endsAt && changed.updatedAt == now)
        for silence in second.silences { #expect(silences[silence.id] == silence) }
    }

    static let refused: [(SilenceDraft, String)] = [
        (draft([]), "invalid silence: matcher set 0 is empty"),
        (
            draft([.init("a", .equal, "")]),
            "invalid silence: matcher set 0: at least one matcher must not match the empty string"
        ),
        (
            draft([.init("a", .matches, ".*"), .init("b", .matches, "x|")]),
            "invalid silence: matcher set 0: at least one matcher must not match the empty string"
        ),
        (
            draft([.init("", .equal, "x")]),
            "invalid silence: invalid label matcher 0 in set 0: invalid label name \"\""
        ),
        (
            draft([.init("a", .equal, "x"), .init("b", .matches, "(")]),
            "invalid silence: invalid label matcher 1 in set 0: invalid regular expression \"(\": "
                + "error parsing regexp: missing ): ("
        ),
        (draft(from: 20, to: 10), "invalid silence: end time must not be before start time"),
        (draft(id: "00000000-0000-0000-0000-000000000000"), "silence not found"),
        (draft(comment: String(repeating: "x", count: 1 << 18)), "silence exceeded maximum size: "),
    ]

    @Test("What makes no silence is refused in Alertmanager's words", arguments: refused)
    func refusal(_ draft: SilenceDraft, _ message: String) throws {
        var silences = Silences()
        let error = #expect(throws: SilenceError.self) { try set(draft, &silences) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
        #expect(silences.count == 0)
    }

    @Test func `a silence that may mute everything has to be confirmed; a negative matcher is enough otherwise`() throws
    {
        var silences = Silences()
        var everything = Self.draft([.init("alertname", .matches, ".*")])
        everything.isConfirmed = true
        #expect(try set(everything, &silences).kind == .created)
        #expect(silences.mute(["x": "y"], at: Self.now))
        #expect(try set(Self.draft([.init("a", .notEqual, "b")]), &silences).kind == .created)
    }

    @Test func `an expired silence is remembered for a while, and counts until then`() throws {
        var silences = Silences(.init(countMax: 2, retention: .seconds(100)))
        let id = try set(Self.draft(to: 10), &silences).id
        let pending = try set(Self.draft(from: 50), &silences).id
        #expect(throws: SilenceError.limit("exceeded maximum number of silences: 2 (limit: 2)")) {
            try set(Self.draft(), &silences)
        }
        // A change in place needs no more room.
        #expect(try set(Self.draft(id: pending, from: 50, comment: "other"), &silences).kind == .updated)
        let ended = try silences.expire(pending, at: Self.now + .seconds(5))
        #expect(ended.silences.first?.startsAt == ended.silences.first?.endsAt)
        #expect(silences[pending]?.state(at: Self.now + .seconds(5)) == .expired)
        #expect(try silences.expire(pending, at: Self.now + .seconds(6)).silences == [])
        #expect(throws: SilenceError.notFound) { try silences.expire("x", at: Self.now) }
        #expect(silences.removeExpired(at: Self.now + .seconds(104)) == [])
        #expect(silences.removeExpired(at: Self.now + .seconds(109)) == [pending])
        #expect(silences.removeExpired(at: Self.now + .seconds(110)) == [id])
        #expect(silences.count == 0)
    }

    @Test func `lists have the active ones first, the next to end on top`() throws {
        let times: [(Int64, Int64)] = [(0, 30), (0, 10), (60, 90), (50, 95), (0, 3), (0, 4)]
        var silences = Silences()
        for (place, time) in times.enumerated() {
            _ = try set(Self.draft(from: time.0, to: time.1, comment: "\(place)"), &silences)
        }
        let now = Self.now + .seconds(5)
        let listed = silences.all.sorted { Silence.isListedBefore($0, $1, at: now) }
        #expect(listed.map(\.comment) == ["1", "0", "3", "2", "5", "4"])
    }

    /// Whatever the index leaves out would not have matched.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `the index finds what a look at every silence finds`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let values = ["", "a", "ab", "abc", "b", "ba", "é", "e\u{301}", "a.b", "ab|c"]
        let patterns = [
            "a", "a.*", "ab?c", "a|b", "ab|é", "(a|b).*", "[ab]+", "a{2}", ".+", "a\\.b", "^a", "ab*", "b?", "|a", "a|",
            "x?", "é.*", "e\u{301}.*", "a{0,1}b", "(?i)A", "ab\\|c", "\\Qa.b\\E|c", "a+b", "é?a", "[a|b]c",
        ]
        let operators: [Matcher.Operator] = [.equal, .notEqual, .matches, .notMatches]
        var silences = Silences()
        var ids: [String] = []
        for step in 0..<300 {
            let matchers = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                let op = operators.randomElement(using: &generator) ?? .equal
                let isPattern = op == .matches || op == .notMatches
                let value = (isPattern ? patterns : values).randomElement(using: &generator) ?? ""
                return SilenceDraft.MatcherText(["x", "y"].randomElement(using: &generator) ?? "", op, value)
            }
            var draft = Self.draft(matchers)
            draft.isConfirmed = true
            ids.append(try set(draft, &silences).id)
            if step % 5 == 0, let id = ids.randomElement(using: &generator) {
                _ = try silences.expire(id, at: Self.now)
            }
            if step % 50 == 0 { _ = silences.removeExpired(at: Self.now) }
        }
        for first in values {
            for second in values {
                let labels = LabelSet([Label("x", first), Label("y", second)])
                let wanted = silences.all.filter { $0.state(at: Self.now) == .active && $0.matchers.accept(labels) }
                #expect(silences.muting(labels, at: Self.now) == wanted.map(\.id).sorted(), "\(labels)")
                #expect(silences.mute(labels, at: Self.now) == !wanted.isEmpty)
            }
        }
    }

    @Test func `ten thousand silences are no burden on ten thousand alerts`() throws {
        var silences = Silences()
        for number in 0..<10_000 {
            let instance: SilenceDraft.MatcherText =
                number % 2 == 0
                ? .init("instance", .equal, "host-\(number)") : .init("instance", .matches, "host-\(number)(:.*)?")
            _ = try set(Self.draft([.init("alertname", .matches, ".*Down"), instance]), &silences)
        }
        var muted = 0
        let duration = ContinuousClock().measure {
            for number in 0..<10_000 {
                let labels: LabelSet = ["alertname": "HostDown", "instance": "host-\(number)", "job": "node"]
                if silences.mute(labels, at: Self.now) { muted += 1 }
            }
        }
        #expect(muted == 10_000)
        // Looking at all of them would be 100 million looks; even a debug build on a busy machine has a wide margin.
        #expect(duration < .seconds(20), "\(duration)")
    }
}
