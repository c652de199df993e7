import Streams

/// Start timestamps, which OpenMetrics 1.0 tells in `_created` lines behind the samples that they belong to.
extension ExpositionReader {
    /// The last one that was looked up, for the samples of a series that share it.
    struct CreatedLine {
        var owner: [ArraySlice<UInt8>] = []
        var timestamp: Int64?
    }

    private var hasCreatedLines: Bool { type == .counter || type == .histogram || type == .summary }

    private static var suffix: [UInt8] { Array("_created".utf8) }

    /// Whether the series found last is a `_created` line.
    var isCreatedLine: Bool {
        guard hasCreatedLines, let name, name.count > Self.suffix.count else { return false }
        return slice(name).suffix(Self.suffix.count).elementsEqual(Self.suffix)
    }

    /// What is the same for all samples of one series of the family: its name and its labels but a histogram's `le` and a
    /// summary's `quantile`.
    private func owner(named name: Range<Int>) -> [ArraySlice<UInt8>] {
        var parts: [[ArraySlice<UInt8>]] = []
        for place in labelPlaces {
            let label = slice(place.name)
            if type == .histogram, label.elementsEqual("le".utf8) { continue }
            if type == .summary, label.elementsEqual("quantile".utf8) { continue }
            parts.append([Array(label)[...], Array(slice(place.value))[...]])
        }
        parts.sort { $0[0].lexicographicallyPrecedes($1[0]) }
        return [Array(slice(name))[...]] + parts.flatMap { $0 }
    }

    /// Of a series that a `_created` line can belong to, or that is one: what both have in common, as bytes.
    var startOwner: (bytes: [UInt8], isCreated: Bool)? {
        guard format == .openMetrics, hasCreatedLines, let name, name.count >= family.count else { return nil }
        let familyName = name.lowerBound..<name.lowerBound + family.count
        guard slice(familyName).elementsEqual(slice(family)) else { return nil }
        let isCreated = isCreatedLine
        if isCreated, name.count != family.count + Self.suffix.count { return nil }
        return (Array(owner(named: familyName).joined(separator: [0xFF])), isCreated)
    }

    /// The start timestamp of the series found last. Only lines behind it are looked at, up to the first `_created` line or
    /// the next family. Once asked, `_created` lines are not given as series any more (Prometheus's behaviour).
    mutating func startTimestamp() -> Int64? {
        guard format == .openMetrics, hasCreatedLines, let name else { return nil }
        skipsCreatedLines = true
        let familyName = name.lowerBound..<min(name.upperBound, name.lowerBound + family.count)
        let wanted = owner(named: familyName)
        if created.owner == wanted, let known = created.timestamp { return known }
        created = CreatedLine()
        var ahead = self
        ahead.pending = nil
        while true {
            ahead.start = ahead.position
            if ahead.byte(ahead.position) == 0x23 { return nil }
            // An error ahead is told when the reader comes to it.
            guard (try? ahead.readSeries()) != nil, ahead.pending == nil else { return nil }
            guard ahead.isCreatedLine, let found = ahead.name else { continue }
            let owner = ahead.owner(named: found.lowerBound..<found.upperBound - Self.suffix.count)
            guard owner == wanted else { return nil }
            let milliseconds = (ahead.value * 1000).rounded(.towardZero)
            created = CreatedLine(owner: wanted, timestamp: Int64(exactly: milliseconds))
            return created.timestamp
        }
    }
}
