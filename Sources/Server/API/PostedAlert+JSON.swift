import Actors
import Streams

extension PostedAlert {
    /// Why a body is no list of alerts, as Alertmanager tells apart what can't be read and what lacks something.
    struct BodyError: Error, Sendable, Equatable {
        enum Kind: Sendable {
            case unreadable
            /// The message is the name of what is missing.
            case missing
            case invalid
        }
        var kind: Kind
        var message: String
    }

    /// The alerts of a request to Alertmanager's API v2: a list of objects with `labels`, `annotations`, `startsAt`,
    /// `endsAt` and `generatorURL`. Members that it does not know are left out, as there.
    static func list(json: some Sequence<UInt8>) throws(BodyError) -> [PostedAlert] {
        let document: JSONValue
        do throws(JSONValue.SyntaxError) {
            document = try JSONValue(parsing: json)
        } catch {
            throw .unreadable("the body is no JSON: see byte \(error.offset)")
        }
        // What a client written in Go makes of no alerts.
        if document == .null { return [] }
        guard let items = document.items else { throw .unreadable("the body is no list of alerts") }
        var alerts: [PostedAlert] = []
        alerts.reserveCapacity(items.count)
        for (place, item) in items.enumerated() { alerts.append(try PostedAlert(item, at: place)) }
        return alerts
    }

    private init(_ item: JSONValue, at index: Int) throws(BodyError) {
        let place = "alerts[\(index)]"
        guard case .object = item else { throw .unreadable("\(place) is no object") }
        guard let labels = try Self.pairs(item["labels"], "\(place).labels") else {
            throw BodyError(kind: .missing, message: "\(index).labels")
        }
        self.init(
            labels: LabelSet(labels),
            annotations: LabelSet.annotations(try Self.pairs(item["annotations"], "\(place).annotations") ?? []),
            startsAt: try Self.time(item["startsAt"], "\(place).startsAt"),
            endsAt: try Self.time(item["endsAt"], "\(place).endsAt"),
            generatorURL: try Self.link(item["generatorURL"], "\(index).generatorURL"))
    }

    /// Nil where there are none.
    private static func pairs(_ value: JSONValue?, _ place: String) throws(BodyError) -> [Label]? {
        guard let value, value != .null else { return nil }
        guard case .object(let members) = value else { throw .unreadable("\(place) is no object") }
        var labels: [Label] = []
        for member in members where member.value != .null {
            guard let text = member.value.string else {
                throw .unreadable("\(place).\(quoted(String(member.name.prefix(64)))) is no text")
            }
            labels.append(Label(member.name, text))
        }
        return labels
    }

    /// Go's zero time, which clients written in it send for no time at all.
    static let zeroTime = Timestamp(milliseconds: -62_135_596_800_000)

    /// RFC 3339; without a zone in UTC.
    private static func time(_ value: JSONValue?, _ place: String) throws(BodyError) -> Timestamp? {
        guard let value, value != .null else { return nil }
        guard let text = value.string else { throw .unreadable("\(place) is no text") }
        guard let time = time(text) else {
            throw .unreadable("\(place) is no time as RFC 3339 has it, such as 2026-01-02T15:04:05.678Z")
        }
        return time == zeroTime ? nil : time
    }

    /// Nil: no time.
    static func time(_ text: String) -> Timestamp? { Timestamp(rfc3339: text) ?? Timestamp(rfc3339: text + "Z") }

    private static func link(_ value: JSONValue?, _ place: String) throws(BodyError) -> String {
        guard let value, value != .null else { return "" }
        guard let text = value.string else { throw .unreadable("\(place) is no text") }
        guard text.isEmpty || isRequestURI(text) else {
            throw BodyError(
                kind: .invalid, message: "\(place) in body must be of type uri: \(quoted(String(text.prefix(200))))")
        }
        return text
    }

    /// An absolute URI, or a path from the root.
    private static func isRequestURI(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return false }
        if text.hasPrefix("/") { return true }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex else { return false }
        let scheme = text.utf8[..<colon]
        let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte & 0xDF) }
        return scheme.first.map(isLetter) == true
            && scheme.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0) }
    }
}

extension PostedAlert.BodyError {
    fileprivate static func unreadable(_ message: String) -> Self { Self(kind: .unreadable, message: message) }
}
