package import Streams

/// Reads an exposition entry by entry, as leniently as a scrape of Prometheus 3 does: lines are read, while names, types
/// and their order are not looked at.
///
/// Works in place: what it found last are offsets into the bytes, made into strings only when asked for. The bytes must
/// stay where they are for as long as the reader is used.
package struct ExpositionReader {
    package struct Options: Sendable, Equatable {
        /// Leaves out the `_created` lines of counters, histograms and summaries (OpenMetrics), which tell the start of
        /// other series. It is also what a reader does from the first call of `entry` for such a series on.
        package var skipsCreatedLines = false
        /// Adds the labels `__type__` and `__unit__`.
        package var addsTypeAndUnit = false
        package init() {}
    }

    /// What `next` found.
    package enum Kind: Sendable, Equatable { case type, help, unit, comment, series }

    /// A name and a value between quotes, as offsets.
    struct LabelPlace {
        var name: Range<Int>
        var value: Range<Int>
    }

    let base: UnsafePointer<UInt8>
    let count: Int
    let format: ExpositionFormat
    let options: Options

    /// Where the next entry begins.
    package internal(set) var position = 0
    /// The bytes of the series found last, from the start of its entry to the end of its labels.
    package internal(set) var series = 0..<0
    package internal(set) var value = 0.0
    package internal(set) var timestamp: Int64?

    /// Where the entry found last begins.
    var start = 0
    var name: Range<Int>?
    var labelPlaces: [LabelPlace] = []
    /// A metadata or comment entry's text.
    var text = 0..<0
    var hasExemplar = false
    var exemplarPlaces: [LabelPlace] = []
    var exemplarValue = 0.0
    var exemplarTimestamp: Int64?
    /// What broken OpenMetrics lines leave behind: their sample is still given, then this error.
    var pending: ExpositionError?

    // What metadata lines said last.
    var type: MetricType = .unknown
    var family = 0..<0
    var unit = 0..<0
    var created = CreatedLine()
    var skipsCreatedLines: Bool

    /// - Parameter bytes: the whole exposition.
    package init(_ bytes: UnsafeRawBufferPointer, as format: ExpositionFormat, options: Options = Options()) {
        if let address = bytes.baseAddress, bytes.count > 0 {
            base = address.assumingMemoryBound(to: UInt8.self)
            count = bytes.count
        } else {
            base = ("" as StaticString).utf8Start
            count = 0
        }
        self.format = format
        self.options = options
        skipsCreatedLines = options.skipsCreatedLines
    }

    /// Reads the next entry; nil at the end.
    package mutating func next() throws(ExpositionError) -> Kind? {
        if let pending { throw pending }
        switch format {
        case .text: return try nextText()
        case .openMetrics: return try nextOpenMetrics()
        }
    }

    // MARK: What was found

    /// The labels of the series found last: `__name__`, then as written, unescaped, `le` and `quantile` of histograms
    /// and summaries normalised. Names may repeat and values may be empty.
    package func labels() -> [Label] {
        var labels: [Label] = []
        labels.reserveCapacity(labelPlaces.count + 1)
        let metric = name.map { string($0) } ?? ""
        labels.append(Label(LabelSet.metricName, metric))
        var added: [Label] = []
        if options.addsTypeAndUnit { added = typeAndUnit() }
        labels += added
        for place in labelPlaces {
            let name = string(place.name)
            if added.contains(where: { $0.name == name }) { continue }
            var value = string(place.value)
            if name == "le" && type == .histogram || name == "quantile" && type == .summary {
                value = Self.normalised(value)
            }
            labels.append(Label(name, value))
        }
        return labels
    }

    /// The labels of the series found last as a set.
    /// - Throws: when a name repeats, which no storage takes.
    package func labelSet() throws(ExpositionError) -> LabelSet {
        var labels = labels()
        var isSorted = true
        for index in labels.indices.dropFirst() where labels[index - 1].name >= labels[index].name { isSorted = false }
        if !isSorted {
            labels.sort { $0.name < $1.name }
            for index in labels.indices.dropFirst() where labels[index - 1].name == labels[index].name {
                throw failure(.labels, "the label name \(excerpt(labels[index].name)) is not unique")
            }
        }
        labels.removeAll { $0.value.isEmpty }
        return LabelSet(sorted: labels)
    }

    /// The names of the series found last that have an empty value: no labels of it, yet an exposition may mean by them
    /// that a target's label shall not be laid over it.
    func emptyLabelNames() -> [String] {
        labelPlaces.filter(\.value.isEmpty).map { string($0.name) }
    }

    /// The entry found last, with everything made into strings.
    package mutating func entry(_ kind: Kind) -> ExpositionEntry {
        switch kind {
        case .type: return .metadata(MetricMetadata(family: string(family, raw: true), fact: .type(type)))
        case .unit:
            return .metadata(MetricMetadata(family: string(family, raw: true), fact: .unit(string(text, raw: true))))
        case .help: return .metadata(MetricMetadata(family: string(family, raw: true), fact: .help(help())))
        case .comment: return .comment(string(text, raw: true))
        case .series:
            var sample = ExposedSample(labels: labels(), value: value, timestamp: timestamp)
            sample.startTimestamp = startTimestamp()
            if hasExemplar { sample.exemplars = [exemplar()] }
            return .series(sample)
        }
    }

    /// What a metadata entry says; nil for other entries.
    package mutating func metadata(_ kind: Kind) -> MetricMetadata? {
        if case .metadata(let metadata) = entry(kind) { return metadata }
        return nil
    }

    private func exemplar() -> ExposedExemplar {
        let labels = exemplarPlaces.map { Label(string($0.name), string($0.value)) }
        return ExposedExemplar(labels: labels, value: exemplarValue, timestamp: exemplarTimestamp)
    }

    /// The exemplar of the series found last, to be kept; nil where there is none.
    /// - Parameter sampleTime: of an exemplar without a timestamp, in milliseconds.
    func exemplar(at sampleTime: Int64) -> Exemplar? {
        guard hasExemplar else { return nil }
        let labels = LabelSet(exemplarPlaces.map { Label(string($0.name), string($0.value)) })
        return Exemplar(
            labels, value: exemplarValue, timestamp: exemplarTimestamp ?? sampleTime,
            hasOwnTime: exemplarTimestamp != nil)
    }

    private func help() -> String {
        switch format {
        case .text: unescaped(text, quotes: false)
        case .openMetrics: unescaped(text, quotes: true)
        }
    }

    private func typeAndUnit() -> [Label] {
        var labels: [Label] = []
        if type != .unknown { labels.append(Label("__type__", type.rawValue)) }
        if !unit.isEmpty { labels.append(Label("__unit__", string(unit, raw: true))) }
        return labels
    }

    private static func normalised(_ text: String) -> String {
        if let value = FloatParser.parse(text) { return openMetricsText(value) }
        // Go's ParseFloat takes hexadecimal floats as well, as long as they have an exponent.
        let digits = text.drop { $0 == "-" || $0 == "+" }
        if digits.hasPrefix("0x") || digits.hasPrefix("0X"), digits.contains(where: { $0 == "p" || $0 == "P" }),
            let value = Double(text), value.isFinite
        {
            return openMetricsText(value)
        }
        return text
    }

    /// The form of OpenMetrics: the shortest digits, with `.0` where the text would be that of an integer.
    static func openMetricsText(_ value: Double) -> String {
        let text = value == 0 ? "0" : formatFloat(value, .general)
        return value.isFinite && !text.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }
            ? text + ".0" : text
    }

    // MARK: Bytes

    /// The byte at an offset; -1 behind the end. The text format ends with a line break, whether it is there or not.
    @inline(__always)
    func byte(_ offset: Int) -> Int {
        if offset < count { return Int(base[offset]) }
        return format == .text && offset == count ? 0x0A : -1
    }

    func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    func string(_ range: Range<Int>, raw: Bool = false) -> String {
        let bytes = slice(range)
        if !raw, bytes.contains(UInt8(ascii: "\\")) { return unescaped(range, quotes: true) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `\\`, `\n` and, if `quotes`, `\"` replaced; other backslashes stand for themselves.
    func unescaped(_ range: Range<Int>, quotes: Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = base[offset]
            offset += 1
            guard byte == UInt8(ascii: "\\"), offset < range.upperBound else {
                result.append(byte)
                continue
            }
            switch base[offset] {
            case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "\"") where quotes: result.append(UInt8(ascii: "\""))
            default:
                result.append(byte)
                continue
            }
            offset += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// An error of the entry that begins at `start`.
    func failure(_ kind: ExpositionError.Kind, _ reason: String) -> ExpositionError {
        var line = 1
        for offset in 0..<min(start, count) where base[offset] == 0x0A { line += 1 }
        return ExpositionError(kind, line: line, reason)
    }

    /// `found "x"`, for the end of a reason.
    func found(_ offset: Int) -> String {
        switch byte(offset) {
        case -1: "the text ended"
        case 0x0A: "the line ended"
        default:
            "found "
                + excerpt(bytes: slice(min(offset, count)..<min(offset + 8, count)).prefix { $0 != 0x0A })
        }
    }
}
