import Streams

/// Reads series notation. What stands for the labels is read as PromQL; the values have a grammar of their own, in which
/// blanks separate.
struct SeriesNotationParser {
    /// A line does not spell out more values than that, nor more buckets in all.
    static let valuesMax = 1_000_000

    var lexer: Lexer
    private var values: [SeriesNotation.Value] = []

    init(_ bytes: [UInt8]) { lexer = Lexer(bytes) }

    mutating func parse() throws(Problem) -> SeriesNotation {
        let bytes = lexer.bytes
        let labelsEnd = try Self.endOfLabels(bytes)
        var labelParser = ExpressionParser(Array(bytes[..<labelsEnd]), .standard)
        let labels = try labelParser.wholeMetric()
        lexer = Lexer(bytes, at: labelsEnd)
        while let byte = lexer.peekByte() {
            guard isSpace(byte) else { throw unexpectedHere(context: "series values") }
            skipBlanks()
            if lexer.peekByte() != nil { try item() }
        }
        return SeriesNotation(labels: labels, values: values)
    }

    /// The end of the name and, where they follow at once, of the braces.
    private static func endOfLabels(_ bytes: [UInt8]) throws(Problem) -> Int {
        var lexer = Lexer(bytes)
        var token = try lexer.next()
        if token.kind == .endOfInput { return token.place.end }
        if token.kind != .leftBrace {
            guard lexer.peekByte() == UInt8(ascii: "{") else { return token.place.end }
            token = try lexer.next()
        }
        while token.kind != .rightBrace, token.kind != .endOfInput { token = try lexer.next() }
        return token.place.end
    }

    // MARK: - Items

    private mutating func item() throws(Problem) {
        lexer.start = lexer.position
        guard let byte = lexer.peekByte() else { return }
        switch byte {
        case UInt8(ascii: "_"):
            lexer.position += 1
            let times = try takeTimes()
            try append(.omitted, count: times ?? 1)
        case UInt8(ascii: "{"): try histogramItem()
        case UInt8(ascii: "x"): throw unexpectedHere(context: nil)
        default: try numberItem(byte)
        }
    }

    private mutating func numberItem(_ byte: UInt8) throws(Problem) {
        if isAlpha(byte), let word = try keyword() {
            guard word.kind != .number else { return try sequence(from: try Literal.number(word)) }
            if word.kind == .identifier, word.text == "stale" {
                return try append(.stale, count: (try takeTimes() ?? 0) + 1)
            }
            let isIdentifier = word.kind == .identifier
            let context = isIdentifier ? " in series values, expected number or \"stale\"" : ""
            throw Problem(.syntax, word.place, "unexpected \(word.described)\(context)")
        }
        try sequence(from: try signedNumber())
    }

    /// `value`, `valuexN` or `value+stepxN`, the value being read. N is how many follow the first.
    private mutating func sequence(from first: Double) throws(Problem) {
        if let times = try takeTimes() { return try append(.float(first), count: times + 1) }
        guard let sign = lexer.peekByte(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
            try append(.float(first), count: 1)
            return
        }
        let step = try signedNumber()
        guard let times = try takeTimes() else { throw unexpectedHere(context: "series values") }
        let count = times + 1
        try reserve(count)
        var value = first
        for _ in 0..<count {
            values.append(.float(value))
            value += step
        }
    }

    private mutating func histogramItem() throws(Problem) {
        let base = try histogram()
        if let times = try takeTimes() { return try append(.histogram(base), count: times + 1) }
        guard let sign = lexer.peekByte(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
            return try append(.histogram(base), count: 1)
        }
        lexer.position += 1
        guard lexer.peekByte() == UInt8(ascii: "{") else { throw unexpectedHere(context: "series values") }
        let step = try histogram()
        guard let times = try takeTimes() else { throw unexpectedHere(context: "series values") }
        var sum = HistogramLiteral(base.histogram, hasCounterResetHint: step.hasCounterResetHint)
        try append(.histogram(sum), count: 1)
        for _ in 0..<times {
            sum.histogram = try combined(sum.histogram, step.histogram, sign == UInt8(ascii: "+") ? 1 : -1)
            let buckets = sum.histogram.positive.counts.count + sum.histogram.negative.counts.count
            try append(.histogram(sum), count: 1, weight: 1 + buckets)
        }
    }

    /// Buckets further apart than that are not taken: they are written out one by one.
    private static let bucketsMax = 10_000

    private func combined(
        _ sum: NativeHistogram, _ step: NativeHistogram, _ factor: Double
    ) throws(Problem) -> NativeHistogram {
        func problem(_ reason: String) -> Problem {
            Problem(.semantic, Place(lexer.start, lexer.position), reason)
        }
        if sum.schema > step.schema {
            throw problem("error combining histograms: cannot merge from schema \(step.schema) to \(sum.schema)")
        }
        let result: NativeHistogram
        do throws(IncompatibleBuckets) {
            result = try sum.adding(step, times: factor).sum
        } catch {
            throw problem(error.description)
        }
        guard max(result.positive.extent, result.negative.extent) < Self.bucketsMax else {
            throw problem("error combining histograms: their buckets are more than \(Self.bucketsMax) apart")
        }
        return result
    }

    /// How much the values weigh, buckets included.
    private var weight = 0

    private mutating func append(_ value: SeriesNotation.Value, count: Int, weight: Int = 1) throws(Problem) {
        try reserve(count, weight: weight)
        values += repeatElement(value, count: count)
    }

    private mutating func reserve(_ count: Int, weight: Int = 1) throws(Problem) {
        self.weight += count * weight
        if self.weight > Self.valuesMax {
            throw Problem(
                .other, Place(lexer.start, lexer.position),
                "the series has more than \(Self.valuesMax) values or buckets")
        }
    }

    // MARK: - Tokens

    mutating func skipBlanks() {
        while let byte = lexer.peekByte(), isSpace(byte) { lexer.position += 1 }
    }

    /// `xN`; nil where there is no `x`.
    private mutating func takeTimes() throws(Problem) -> Int? {
        guard lexer.peekByte() == UInt8(ascii: "x") else { return nil }
        lexer.position += 1
        return try unsigned()
    }

    /// A whole number of at most `valuesMax`.
    private mutating func unsigned() throws(Problem) -> Int {
        let token = try numberToken()
        guard let value = UInt64(token.text) else {
            let isNumber = token.text.utf8.allSatisfy { isDigit($0) }
            let reason = isNumber ? "value out of range" : "invalid syntax"
            throw Problem(
                .lexical, token.place,
                "invalid repetition in series values: strconv.ParseUint: parsing \(quoted(token.text)): \(reason)")
        }
        guard value <= UInt64(Self.valuesMax) else {
            throw Problem(.other, token.place, "\(token.text) is too much, at most \(Self.valuesMax) is supported")
        }
        return Int(value)
    }

    /// A token of digits.
    private mutating func numberToken() throws(Problem) -> Token {
        lexer.start = lexer.position
        guard let byte = lexer.peekByte(), isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(lexer.peekByte(1)))
        else { throw unexpectedHere(context: "series values") }
        guard lexer.scanNumber(inSeries: true) else {
            throw lexer.failure(.lexical, "bad number syntax: \(quoted(lexer.text))")
        }
        return lexer.token(.number)
    }

    /// A number with or without one sign; `Inf` and `NaN` are numbers.
    mutating func signedNumber() throws(Problem) -> Double {
        let sign = lexer.peekByte()
        let isSigned = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
        if isSigned { lexer.position += 1 }
        let value: Double
        if let byte = lexer.peekByte(), isAlpha(byte), byte != UInt8(ascii: "_"), byte != UInt8(ascii: "x") {
            guard let word = try keyword(), word.kind == .number else {
                throw unexpectedHere(context: "series values")
            }
            value = try Literal.number(word)
        } else {
            value = try Literal.number(try numberToken())
        }
        return sign == UInt8(ascii: "-") ? -value : value
    }

    /// A whole number with or without a minus.
    mutating func integer() throws(Problem) -> Int {
        let isNegative = lexer.peekByte() == UInt8(ascii: "-")
        if isNegative { lexer.position += 1 }
        let value = try unsigned()
        return isNegative ? -value : value
    }

    /// The word there; nil, and nothing taken, where there is none.
    private mutating func keyword() throws(Problem) -> Token? {
        guard let byte = lexer.peekByte(), isAlpha(byte) else { return nil }
        lexer.start = lexer.position
        return try lexer.next()
    }

    func unexpectedHere(context: String?) -> Problem {
        let suffix = context.map { " in \($0)" } ?? ""
        guard let byte = lexer.peekByte() else {
            let end = lexer.bytes.count
            return Problem(.syntax, Place(end, end), "unexpected end of input\(suffix)")
        }
        let place = Place(lexer.position, lexer.position + 1)
        let isKnown = isSpace(byte) || isAlphanumeric(byte) || "+-:[]{}".utf8.contains(byte)
        guard isKnown else {
            return Problem(.lexical, place, "unexpected character in series sequence: '\(Unicode.Scalar(byte))'")
        }
        let isOperator = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
        let text = String(Unicode.Scalar(byte))
        return Problem(.syntax, place, "unexpected \(isOperator ? "<op:\(text)>" : quoted(text))\(suffix)")
    }
}
