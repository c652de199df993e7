import Streams

/// Bits of the byte that ends an alert.
private enum AlertFlag {
    static let endsByTimeout: UInt8 = 1
    static let isPosted: UInt8 = 2
}

/// How keys and values of kept rows are written. Numbers of seven bits a byte, texts and lists with their length in front.
struct StateWriter {
    private(set) var bytes: [UInt8] = []

    /// Bytes that say in front by which version of their layout they are written.
    static func value(_ write: (inout StateWriter) -> Void) -> [UInt8] {
        var writer = StateWriter()
        writer.bytes.append(StateReader.version)
        write(&writer)
        return writer.bytes
    }

    static func key(_ write: (inout StateWriter) -> Void) -> [UInt8] {
        var writer = StateWriter()
        write(&writer)
        return writer.bytes
    }

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

    mutating func write(_ fingerprints: Set<Fingerprint>) {
        write(fingerprints.sorted()) { $0.writeFixed($1.rawValue) }
    }
    mutating func write(_ duration: Duration) { writeFixed(UInt64(bitPattern: duration.inMilliseconds)) }

    mutating func write(_ time: Timestamp?) {
        write(time != nil)
        if let time { write(time) }
    }
}

/// Reads what `StateWriter` wrote; nil as soon as something can't be.
struct StateReader {
    static let version: UInt8 = 1
    private var rest: ArraySlice<UInt8>

    init(key bytes: [UInt8]) { rest = bytes[...] }

    /// Nil when the value has another layout than this program knows.
    init?(value bytes: [UInt8]) {
        guard bytes.first == Self.version else { return nil }
        rest = bytes.dropFirst()
    }

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

    /// Nil as well for a silence whose matchers are none any more, as when another version of the expressions' engine
    /// refuses what the one before took: it would mute nothing.
    mutating func readSilence() -> Silence? {
        guard let id = readText(), let matchers = readList({ $0.readMatcher() }), !matchers.isEmpty,
            let startsAt = readTimestamp(), let endsAt = readTimestamp(), let updatedAt = readTimestamp(),
            let createdBy = readText(), let comment = readText(), let annotations = readAnnotations()
        else { return nil }
        return Silence(
            id: id, matchers: matchers, startsAt: startsAt, endsAt: endsAt, updatedAt: updatedAt,
            createdBy: createdBy, comment: comment, annotations: annotations)
    }

    private mutating func readMatcher() -> Matcher? {
        guard let name = readText(), let op = readText().flatMap(Matcher.Operator.init(rawValue:)),
            let value = readText()
        else { return nil }
        // What it is not any more can't be used, which the caller tells.
        return try? Matcher(name, op, value)
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

    mutating func readFingerprints() -> Set<Fingerprint>? {
        readList { $0.readFixed() }.map { Set($0.map(Fingerprint.init(rawValue:))) }
    }

    mutating func readDuration() -> Duration? { readFixed().map { .milliseconds(Int64(bitPattern: $0)) } }

    /// Nil where it can't be read, `.some(nil)` where there is none.
    mutating func readOptionalTimestamp() -> Timestamp?? {
        guard let hasTime = readFlag() else { return nil }
        if !hasTime { return .some(nil) }
        return readTimestamp().map { .some($0) }
    }
}
