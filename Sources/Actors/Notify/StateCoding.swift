import Streams

/// Bytes as the graph keeps them in the data folder: a mark, a version, the content, and a checksum over all of it.
extension DispatcherState {
    private static let mark = Array("tocsin-notify\n".utf8)
    private static let version: UInt64 = 2
    /// Knew no silences.
    private static let firstVersion: UInt64 = 1

    /// Why saved bytes can't be used. They are then left out, which means that what they said may be notified again.
    package enum DecodingError: Error, Sendable, Equatable, CustomStringConvertible {
        case notAState
        case unknownVersion(UInt64)
        case damaged

        package var description: String {
            switch self {
            case .notAState: "not a saved state of notifications"
            case .unknownVersion(let version): "saved by another version (\(version)) of the program"
            case .damaged: "the saved state is damaged"
            }
        }
    }

    package func encoded() -> [UInt8] {
        var writer = StateWriter(bytes: Self.mark)
        writer.write(Self.version)
        writer.write(savedAt)
        writer.write(alerts) { $0.write($1) }
        writer.write(groups) { $0.write($1) }
        writer.write(log.sorted { $0.key.groupKey.isBefore($1.key.groupKey) }) { writer, item in
            writer.write(item.key.groupKey)
            writer.write(item.key.receiver)
            writer.write(item.key.integration)
            writer.write(item.value.firing.sorted()) { $0.writeFixed($1.rawValue) }
            writer.write(item.value.resolved.sorted()) { $0.writeFixed($1.rawValue) }
            writer.write(item.value.time)
            writer.write(item.value.expiresAt)
        }
        writer.write(silences) { $0.write($1) }
        writer.writeFixed(StateWriter.checksum(writer.bytes[...]))
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(DecodingError) {
        guard bytes.starts(with: Self.mark) else { throw .notAState }
        guard bytes.count >= Self.mark.count + 9 else { throw .damaged }
        let body = bytes.dropLast(8)
        var reader = StateReader(body.dropFirst(Self.mark.count))
        var tail = StateReader(bytes.suffix(8))
        guard tail.readFixed() == StateWriter.checksum(body) else { throw .damaged }
        guard let version = reader.readNumber() else { throw .damaged }
        guard version == Self.version || version == Self.firstVersion else { throw .unknownVersion(version) }
        guard let savedAt = reader.readTimestamp(), let alerts = reader.readList({ $0.readAlert() }),
            let groups = reader.readList({ $0.readGroup() }), let log = reader.readList({ $0.readLogEntry() })
        else { throw .damaged }
        var silences: [Silence] = []
        if version > Self.firstVersion {
            guard let read = reader.readList({ $0.readSilence() }) else { throw .damaged }
            silences = read.compactMap(\.self)
        }
        self.init(
            savedAt: savedAt, alerts: alerts, groups: groups,
            log: Dictionary(log.map { ($0.key, $0.entry) }) { first, _ in first }, silences: silences)
    }
}

/// Bits of the byte that ends an alert.
private enum AlertFlag {
    static let endsByTimeout: UInt8 = 1
    static let isPosted: UInt8 = 2
}

/// Numbers of seven bits a byte, texts and lists with their length in front.
private struct StateWriter {
    var bytes: [UInt8]

    mutating func write(_ number: UInt64) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func writeFixed(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }

    mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }
    mutating func write(_ time: Timestamp) { writeFixed(UInt64(bitPattern: time.milliseconds)) }

    mutating func write(_ text: String) {
        write(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    mutating func write<Item>(_ items: [Item], _ each: (inout StateWriter, Item) -> Void) {
        write(UInt64(items.count))
        for item in items { each(&self, item) }
    }

    mutating func write(_ labels: LabelSet) {
        write(Array(labels)) { writer, label in
            writer.write(label.name)
            writer.write(label.value)
        }
    }

    mutating func write(_ alert: Alert) {
        write(alert.labels)
        write(alert.annotations)
        write(alert.startsAt)
        write(alert.endsAt != nil)
        write(alert.endsAt ?? alert.startsAt)
        write(alert.updatedAt)
        write(alert.generatorURL)
        bytes.append((alert.endsByTimeout ? AlertFlag.endsByTimeout : 0) | (alert.isPosted ? AlertFlag.isPosted : 0))
    }

    mutating func write(_ group: DispatcherState.Group) {
        write(group.routeID)
        write(group.labels)
        write(group.nextFlush)
        write(group.hasFlushed)
        write(group.isUndelivered)
        write(group.members) { $0.writeFixed($1.rawValue) }
    }

    mutating func write(_ silence: Silence) {
        write(silence.id)
        write(silence.matchers) { writer, matcher in
            writer.write(matcher.name)
            writer.write(matcher.op.rawValue)
            writer.write(matcher.value)
        }
        write(silence.startsAt)
        write(silence.endsAt)
        write(silence.updatedAt)
        write(silence.createdBy)
        write(silence.comment)
        write(silence.annotations)
    }

    /// FNV-1a.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

/// Reads what `StateWriter` wrote; nil as soon as something can't be.
private struct StateReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func readNumber() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    mutating func readFixed() -> UInt64? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func readFlag() -> Bool? { rest.popFirst().map { $0 != 0 } }

    mutating func readTimestamp() -> Timestamp? {
        readFixed().map { Timestamp(milliseconds: Int64(bitPattern: $0)) }
    }

    mutating func readText() -> String? {
        guard let count = readNumber(), count <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
    }

    mutating func readList<Item>(_ each: (inout StateReader) -> Item?) -> [Item]? {
        // Every item takes a byte at least, so that a wrong count can't make a huge list.
        guard let count = readNumber(), count <= UInt64(rest.count) else { return nil }
        var items: [Item] = []
        for _ in 0..<count {
            guard let item = each(&self) else { return nil }
            items.append(item)
        }
        return items
    }

    mutating func readLabels() -> LabelSet? { readPairs().map { LabelSet($0) } }
    mutating func readAnnotations() -> LabelSet? { readPairs().map { LabelSet.annotations($0) } }

    private mutating func readPairs() -> [Label]? {
        readList { reader in
            guard let name = reader.readText(), let value = reader.readText() else { return nil }
            return Label(name, value)
        }
    }

    mutating func readAlert() -> Alert? {
        guard let labels = readLabels(), let annotations = readAnnotations(), let startsAt = readTimestamp(),
            let hasEnd = readFlag(), let endsAt = readTimestamp(), let updatedAt = readTimestamp(),
            let generatorURL = readText(), let flags = rest.popFirst()
        else { return nil }
        return Alert(
            labels: labels, annotations: annotations, startsAt: startsAt, endsAt: hasEnd ? endsAt : nil,
            updatedAt: updatedAt, generatorURL: generatorURL, endsByTimeout: flags & AlertFlag.endsByTimeout != 0,
            isPosted: flags & AlertFlag.isPosted != 0)
    }

    mutating func readGroup() -> DispatcherState.Group? {
        guard let routeID = readText(), let labels = readLabels(), let nextFlush = readTimestamp(),
            let hasFlushed = readFlag(), let isUndelivered = readFlag(),
            let members = readList({ $0.readFixed() })
        else { return nil }
        return DispatcherState.Group(
            routeID: routeID, labels: labels, nextFlush: nextFlush, hasFlushed: hasFlushed,
            isUndelivered: isUndelivered, members: members.map(Fingerprint.init(rawValue:)))
    }

    /// The inner nil: a silence whose matchers are none any more, which mutes nothing.
    mutating func readSilence() -> Silence?? {
        guard let id = readText(), let matchers = readList({ $0.readMatcher() }), let startsAt = readTimestamp(),
            let endsAt = readTimestamp(), let updatedAt = readTimestamp(), let createdBy = readText(),
            let comment = readText(), let annotations = readAnnotations()
        else { return nil }
        let usable = matchers.compactMap(\.self)
        guard !usable.isEmpty, usable.count == matchers.count else { return .some(nil) }
        return Silence(
            id: id, matchers: usable, startsAt: startsAt, endsAt: endsAt, updatedAt: updatedAt, createdBy: createdBy,
            comment: comment, annotations: annotations)
    }

    private mutating func readMatcher() -> Matcher?? {
        guard let name = readText(), let op = readText().flatMap(Matcher.Operator.init(rawValue:)),
            let value = readText()
        else { return nil }
        // Another version of the expressions' engine may refuse what this one took.
        return .some(try? Matcher(name, op, value))
    }

    mutating func readLogEntry() -> (key: NotificationLog.Key, entry: NotificationLog.Entry)? {
        guard let groupKey = readText(), let receiver = readText(), let integration = readText(),
            let firing = readList({ $0.readFixed() }), let resolved = readList({ $0.readFixed() }),
            let time = readTimestamp(), let expiresAt = readTimestamp()
        else { return nil }
        let entry = NotificationLog.Entry(
            firing: Set(firing.map(Fingerprint.init(rawValue:))),
            resolved: Set(resolved.map(Fingerprint.init(rawValue:))), time: time, expiresAt: expiresAt)
        return (NotificationLog.Key(groupKey: groupKey, receiver: receiver, integration: integration), entry)
    }
}
