package import Streams

/// A metric family as a strict reader takes it: what a push to the Pushgateway API may hold.
package struct PushedFamily: Sendable, Equatable {
    package var name: String
    /// nil where no TYPE line says it.
    package var type: MetricType?
    package var help: String?
    /// In the order of the text.
    package var samples: [PushedSample] = []

    /// What its TYPE and HELP lines say.
    var metadata: [MetricMetadata] {
        [
            type.map { MetricMetadata(family: name, fact: .type($0)) },
            help.map { MetricMetadata(family: name, fact: .help($0)) },
        ].compactMap(\.self)
    }
}

/// A sample of a family, under the name on its line (with `_bucket`, `_sum`, `_count`).
package struct PushedSample: Sendable, Equatable {
    package var labels: LabelSet
    package var value: Double
    /// Milliseconds since the epoch, when the line has one.
    package var timestamp: Int64?
}

/// Reads the text format as strictly as Pushgateway and `promtool check metrics` do (expfmt's TextParser): one HELP and
/// one TYPE a family, before its samples; names, values and escapes are checked; the last line must end.
///
/// Whether a series repeats, or has a timestamp, is for the caller to judge.
package enum StrictExposition {
    /// The families that have samples, in the order in which the text names them first.
    /// - Throws: with the line and the reason; nothing of the text may be used then.
    package static func parse(_ body: UnsafeRawBufferPointer) throws(ExpositionError) -> [PushedFamily] {
        var reader = StrictReader(body)
        return try reader.read()
    }
}

private let newline: UInt8 = 0x0A
private let blank: UInt8 = 0x20
private let tab: UInt8 = 0x09

private struct StrictReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var line = 1
    private var families: [PushedFamily] = []
    private var places: [String: Int] = [:]

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func read() throws(ExpositionError) -> [PushedFamily] {
        while true {
            skipBlanks()
            guard let first = peek() else { break }
            switch first {
            case newline: try endLine()
            case UInt8(ascii: "#"): try readComment()
            default: try readSample()
            }
        }
        return families.filter { !$0.samples.isEmpty }
    }

    // MARK: Lines

    private mutating func readComment() throws(ExpositionError) {
        position += 1
        skipBlanks()
        let keyword = try token { $0 == blank || $0 == tab || $0 == newline }
        guard keyword == "HELP" || keyword == "TYPE", try current() != newline else {
            while try current() != newline { position += 1 }
            return try endLine()
        }
        skipBlanks()
        let name = try metricName()
        switch try current() {
        case newline: return try endLine()
        case blank, tab: skipBlanks()
        default: throw failure(.metadata, "invalid metric name in a comment")
        }
        let place = family(name)
        if try current() == newline { return try endLine() }
        if keyword == "HELP" {
            if families[place].help != nil {
                throw failure(.metadata, "second HELP line for metric name \(excerpt(name))")
            }
            families[place].help = try helpText()
        } else {
            if families[place].type != nil || !families[place].samples.isEmpty {
                throw failure(
                    .type, "second TYPE line for metric name \(excerpt(name)), or TYPE reported after samples")
            }
            let word = try token { $0 == newline }
            guard let type = Self.type(word) else { throw failure(.type, "unknown metric type \(excerpt(word))") }
            families[place].type = type
        }
        try endLine()
    }

    private static func type(_ word: String) -> MetricType? {
        switch word.lowercased() {
        case "counter": .counter
        case "gauge": .gauge
        case "summary": .summary
        case "untyped": .unknown
        case "histogram": .histogram
        case "gauge_histogram", "gaugehistogram": .gaugeHistogram
        default: nil
        }
    }

    private mutating func readSample() throws(ExpositionError) {
        var name: String?
        var labels: [Label] = []
        if try current() != UInt8(ascii: "{") {
            let metric = try metricName()
            if metric.isEmpty { throw failure(.metricName, "invalid metric name") }
            name = metric
            skipBlanks()
        }
        if try current() == UInt8(ascii: "{") { try readLabels(&labels, &name) }
        guard let name else { throw failure(.metricName, "the series has no metric name") }
        skipBlanks()
        let place = family(name)
        let isBucket = try check(labels, of: families[place])
        let text = try token { $0 == blank || $0 == tab || $0 == newline }
        guard let value = FloatParser.parse(text) else {
            throw failure(.number, "expected a number as value, got \(excerpt(text))")
        }
        if isBucket, name == families[place].name + "_bucket", value < 0 {
            throw failure(.value, "negative bucket population for histogram \(excerpt(families[place].name))")
        }
        var timestamp: Int64?
        if try current() != newline {
            skipBlanks()
            let text = try token { $0 == blank || $0 == tab || $0 == newline }
            guard let time = Int64(text) else {
                throw failure(.timestamp, "expected an integer as timestamp, got \(excerpt(text))")
            }
            timestamp = time
            if try current() != newline { throw failure(.timestamp, "there is text after the timestamp") }
        }
        labels.append(Label(LabelSet.metricName, name))
        families[place].samples.append(
            PushedSample(labels: LabelSet(labels), value: value, timestamp: timestamp))
        try endLine()
    }

    /// Whether `le` makes it a bucket; that `le` and `quantile` are numbers where the type asks for them.
    private func check(_ labels: [Label], of family: PushedFamily) throws(ExpositionError) -> Bool {
        var isBucket = false
        for label in labels {
            let isBound =
                label.name == "le" && family.type == .histogram || label.name == "quantile" && family.type == .summary
            guard isBound else { continue }
            if FloatParser.parse(label.value) == nil {
                throw failure(
                    .labels, "expected a number as value of the label \(label.name), got \(excerpt(label.value))")
            }
            isBucket = isBucket || family.type == .histogram
        }
        return isBucket
    }

    /// Reads the labels in braces; a name that stands alone is the metric's, if there is none yet.
    private mutating func readLabels(_ labels: inout [Label], _ name: inout String?) throws(ExpositionError) {
        let isNamed = name != nil
        position += 1
        while true {
            skipBlanks()
            if try current() == UInt8(ascii: "}") {
                position += 1
                return
            }
            let label = try labelName()
            skipBlanks()
            let after = try current()
            if after != UInt8(ascii: "=") {
                guard !isNamed, after == UInt8(ascii: ",") || after == UInt8(ascii: "}") else {
                    throw failure(.labels, "expected '=' after a label name, \(found())")
                }
                if name != nil { throw failure(.metricName, "multiple metric names for one series") }
                name = label
                position += 1
                if after == UInt8(ascii: "}") { return }
                continue
            }
            if label == LabelSet.metricName {
                throw failure(.labels, "the label name \(quoted(LabelSet.metricName)) is reserved")
            }
            if labels.contains(where: { $0.name == label }) {
                throw failure(.labels, "the label name \(excerpt(label)) is not unique")
            }
            position += 1
            skipBlanks()
            guard try current() == UInt8(ascii: "\"") else {
                throw failure(.labels, "expected '\"' at the start of a label value, \(found())")
            }
            labels.append(Label(label, try quotedText("label value")))
            skipBlanks()
            switch try current() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"): break
            default: throw failure(.labels, "expected ',' or '}' after a label value, \(found())")
            }
        }
    }

    // MARK: Families

    /// The family that a name belongs to: its own, or that of a summary or histogram that it is a part of.
    private mutating func family(_ name: String) -> Int {
        if let place = places[name] { return place }
        for (suffix, types) in [
            ("_count", [MetricType.summary, .histogram]), ("_sum", [.summary, .histogram]), ("_bucket", [.histogram]),
        ] where name.hasSuffix(suffix) && name.utf8.count > suffix.utf8.count {
            if let place = places[String(name.dropLast(suffix.count))], let type = families[place].type,
                types.contains(type)
            {
                return place
            }
        }
        places[name] = families.count
        families.append(PushedFamily(name: name))
        return families.count - 1
    }

    // MARK: Tokens

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func current() throws(ExpositionError) -> UInt8 {
        guard position < bytes.count else { throw failure(.eof, "the text ends in the middle of a line") }
        return bytes[position]
    }

    private mutating func endLine() throws(ExpositionError) {
        position += 1
        line += 1
    }

    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] == blank || bytes[position] == tab { position += 1 }
    }

    private mutating func token(until isEnd: (UInt8) -> Bool) throws(ExpositionError) -> String {
        let from = position
        while !isEnd(try current()) { position += 1 }
        return try text(bytes[from..<position])
    }

    private func text(_ bytes: some Collection<UInt8>) throws(ExpositionError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure(.encoding, "\(excerpt(bytes: bytes)) is not UTF-8")
        }
        return text
    }

    private mutating func metricName() throws(ExpositionError) -> String {
        if try current() == UInt8(ascii: "\"") { return try quotedText("metric name") }
        return try plainName { ExpositionReader.isNameStart($0) }
    }

    private mutating func labelName() throws(ExpositionError) -> String {
        let name: String
        if try current() == UInt8(ascii: "\"") {
            name = try quotedText("label name")
        } else {
            name = try plainName { ExpositionReader.isLabelStart($0) }
        }
        if name.isEmpty { throw failure(.labels, "invalid label name, \(found())") }
        return name
    }

    private mutating func plainName(_ isStart: (Int) -> Bool) throws(ExpositionError) -> String {
        let from = position
        while let byte = peek(), isStart(Int(byte)) || position > from && ExpositionReader.isDigit(Int(byte)) {
            position += 1
        }
        return try text(bytes[from..<position])
    }

    /// A string in double quotes, in which only `\\`, `\n` and `\"` are escapes.
    private mutating func quotedText(_ what: String) throws(ExpositionError) -> String {
        position += 1
        var result: [UInt8] = []
        while true {
            let byte = try current()
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(result)
            case newline:
                throw failure(.labels, "the \(what) \(excerpt(bytes: result)) contains an unescaped line break")
            case UInt8(ascii: "\\"): result.append(try escaped())
            default: result.append(byte)
            }
        }
    }

    private mutating func escaped() throws(ExpositionError) -> UInt8 {
        let byte = try current()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return byte
        case UInt8(ascii: "n"): return newline
        default: throw failure(.labels, "invalid escape sequence \(excerpt(bytes: [UInt8(ascii: "\\"), byte]))")
        }
    }

    private mutating func helpText() throws(ExpositionError) -> String {
        var result: [UInt8] = []
        while true {
            let byte = try current()
            if byte == newline { return try text(result) }
            position += 1
            result.append(byte == UInt8(ascii: "\\") ? try escaped() : byte)
        }
    }

    private func failure(_ kind: ExpositionError.Kind, _ reason: String) -> ExpositionError {
        ExpositionError(kind, line: line, reason)
    }

    private func found() -> String {
        guard let byte = peek() else { return "the text ended" }
        return byte == newline
            ? "the line ended" : "found " + excerpt(bytes: bytes[position...].prefix(8).prefix { $0 != newline })
    }
}
