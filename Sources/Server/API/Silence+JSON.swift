import Actors
import Streams

extension Silence {
    /// As Alertmanager's API v2 shows it.
    func json(at now: Timestamp) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("id", .string(id)), .init("status", ["state": .string(state(at: now).rawValue)]),
            .init("updatedAt", AlertmanagerAnswer.time(updatedAt)),
        ]
        if !annotations.isEmpty { members.append(.init("annotations", .labels(annotations))) }
        members += [
            .init("comment", .string(comment)), .init("createdBy", .string(createdBy)),
            .init("endsAt", AlertmanagerAnswer.time(endsAt)),
            .init("matchers", .array(matchers.map(Self.json))),
            .init("startsAt", AlertmanagerAnswer.time(startsAt)),
        ]
        return .object(members)
    }

    private static func json(_ matcher: Matcher) -> JSONValue {
        [
            "isEqual": .bool(matcher.op == .equal || matcher.op == .matches),
            "isRegex": .bool(matcher.op == .matches || matcher.op == .notMatches), "name": .string(matcher.name),
            "value": .string(matcher.value),
        ]
    }
}

extension SilenceDraft {
    /// The silence of a request to Alertmanager's API v2. What is wrong is told in its order: first what is of another
    /// type than it should be, then what is missing.
    init(json: some Sequence<UInt8>) throws(AlertmanagerFailure) {
        let document: JSONValue
        do throws(JSONValue.SyntaxError) {
            document = try JSONValue(parsing: json)
        } catch {
            throw Self.unreadable("the body is no JSON: see byte \(error.offset)")
        }
        guard case .object = document else { throw Self.unreadable("the body is no object") }
        let id = try Self.text(document, "id")
        let annotations = try Self.annotations(document["annotations"])
        let comment = try Self.text(document, "comment")
        let createdBy = try Self.text(document, "createdBy")
        let endsAt = try Self.time(document, "endsAt")
        let matchers = try Self.matchers(document["matchers"])
        let startsAt = try Self.time(document, "startsAt")
        guard let comment else { throw .missing("comment") }
        guard let createdBy else { throw .missing("createdBy") }
        guard let endsAt else { throw .missing("endsAt") }
        guard let matchers else { throw .missing("matchers") }
        if matchers.isEmpty { throw .invalid(612, "matchers in body should have at least 1 items") }
        var checked: [MatcherText] = []
        for (place, matcher) in matchers.enumerated() { checked.append(try matcher.checked(at: place)) }
        guard let startsAt else { throw .missing("startsAt") }
        self.init(
            id: id ?? "", matchers: checked, startsAt: startsAt == PostedAlert.zeroTime ? nil : startsAt,
            endsAt: endsAt, createdBy: createdBy, comment: comment, annotations: annotations)
    }

    private static func unreadable(_ reason: String) -> AlertmanagerFailure { .unreadable("silence", reason) }

    private static func text(_ object: JSONValue, _ name: String) throws(AlertmanagerFailure) -> String? {
        guard let value = object[name], value != .null else { return nil }
        guard let text = value.string else { throw unreadable("\(name) is no text") }
        return text
    }

    private static func time(_ object: JSONValue, _ name: String) throws(AlertmanagerFailure) -> Timestamp? {
        guard let text = try text(object, name) else { return nil }
        guard let time = PostedAlert.time(text) else {
            throw unreadable("\(name) is no time as RFC 3339 has it, such as 2026-01-02T15:04:05.678Z")
        }
        return time
    }

    private static func annotations(_ value: JSONValue?) throws(AlertmanagerFailure) -> LabelSet {
        guard let value, value != .null else { return LabelSet() }
        guard case .object(let members) = value else { throw unreadable("annotations is no object") }
        var labels: [Label] = []
        for member in members where member.value != .null {
            guard let text = member.value.string else {
                throw unreadable("annotations.\(quoted(String(member.name.prefix(64)))) is no text")
            }
            labels.append(Label(member.name, text))
        }
        return .annotations(labels)
    }

    /// A matcher of which anything may be missing.
    private struct RawMatcher {
        var name: String?
        var value: String?
        var isRegex: Bool?
        var isEqual: Bool?

        func checked(at place: Int) throws(AlertmanagerFailure) -> MatcherText {
            guard let isRegex else { throw .missing("matchers.\(place).isRegex") }
            guard let name else { throw .missing("matchers.\(place).name") }
            guard let value else { throw .missing("matchers.\(place).value") }
            let op: Matcher.Operator =
                switch (isEqual ?? true, isRegex) {
                case (true, false): .equal
                case (false, false): .notEqual
                case (true, true): .matches
                case (false, true): .notMatches
                }
            return MatcherText(name, op, value)
        }
    }

    private static func matchers(_ value: JSONValue?) throws(AlertmanagerFailure) -> [RawMatcher]? {
        guard let value, value != .null else { return nil }
        guard let items = value.items else { throw unreadable("matchers is no list") }
        var matchers: [RawMatcher] = []
        for (place, item) in items.enumerated() {
            guard case .object = item else { throw unreadable("matchers.\(place) is no object") }
            matchers.append(
                RawMatcher(
                    name: try text(item, "name"), value: try text(item, "value"),
                    isRegex: try flag(item, "isRegex"), isEqual: try flag(item, "isEqual")))
        }
        return matchers
    }

    private static func flag(_ object: JSONValue, _ name: String) throws(AlertmanagerFailure) -> Bool? {
        guard let value = object[name], value != .null else { return nil }
        guard let flag = value.bool else { throw unreadable("\(name) is neither true nor false") }
        return flag
    }
}
