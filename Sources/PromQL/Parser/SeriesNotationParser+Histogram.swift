import Streams

/// `{{schema:1 sum:3 buckets:[1 2]}}`
extension SeriesNotationParser {
    private static let keys: Set<String> = [
        "sum", "count", "schema", "offset", "n_offset", "buckets", "n_buckets", "z_bucket", "z_bucket_w",
        "custom_values", "counter_reset_hint",
    ]

    mutating func histogram() throws(Problem) -> HistogramLiteral {
        try expect("{")
        try expect("{")
        var histogram = HistogramDescriptors()
        var seen: Set<String> = []
        var isFirst = true
        while true {
            let blank = lexer.position
            skipBlanks()
            let sawBlank = lexer.position > blank
            if lexer.peekByte() == UInt8(ascii: "}"), lexer.peekByte(1) == UInt8(ascii: "}") {
                lexer.position += 2
                return histogram.literal
            }
            // Blanks separate descriptors; before the first one there is none.
            if sawBlank == isFirst { throw unexpectedHere(context: context(isFirst)) }
            let key = try descriptor(isFirst)
            guard seen.insert(key).inserted else {
                throw Problem(.semantic, Place(0, 0), "duplicate key \(quoted(key)) in histogram")
            }
            try setValue(of: key, in: &histogram)
            isFirst = false
        }
    }

    private func context(_ isFirst: Bool) -> String {
        isFirst
            ? "series values"
            : "histogram description, expected histogram description key, e.g. buckets:[5 10 7]"
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Problem) {
        guard lexer.peekByte() == UInt8(ascii: character) else { throw unexpectedHere(context: "series values") }
        lexer.position += 1
    }

    /// The key of a descriptor with its colon.
    private mutating func descriptor(_ isFirst: Bool) throws(Problem) -> String {
        let word = takeWord()
        guard !word.isEmpty else { throw unexpectedHere(context: context(isFirst)) }
        guard Self.keys.contains(word) else {
            throw lexer.failure(.lexical, "bad histogram descriptor found: \(quoted(lexer.text))")
        }
        guard lexer.peekByte() == UInt8(ascii: ":") else {
            throw lexer.failure(.lexical, "missing `:` for histogram descriptor")
        }
        lexer.position += 1
        return word
    }

    /// Letters and underscores, in lower case.
    private mutating func takeWord() -> String {
        lexer.start = lexer.position
        while let byte = lexer.peekByte(), isAlpha(byte) { lexer.position += 1 }
        return lexer.text.lowercased()
    }

    private mutating func setValue(of key: String, in histogram: inout HistogramDescriptors) throws(Problem) {
        switch key {
        case "schema": histogram.value.schema = Int32(try integer())
        case "sum": histogram.value.sum = try signedNumber()
        case "count": histogram.value.count = try signedNumber()
        case "z_bucket": histogram.value.zeroCount = try signedNumber()
        case "z_bucket_w": histogram.value.zeroThreshold = try signedNumber()
        case "offset": histogram.positiveOffset = Int32(try integer())
        case "n_offset": histogram.negativeOffset = Int32(try integer())
        case "buckets": histogram.value.positive.counts = try numbers()
        case "n_buckets": histogram.value.negative.counts = try numbers()
        case "custom_values": histogram.value.customBounds = try numbers()
        default:
            let word = takeWord()
            guard let hint = NativeHistogram.CounterResetHint(word: word) else {
                throw lexer.failure(.lexical, "bad histogram descriptor found: \(quoted(lexer.text))")
            }
            histogram.value.counterResetHint = hint
            histogram.hasHint = true
        }
    }

    /// `[1 2 3]`
    private mutating func numbers() throws(Problem) -> [Double] {
        try expect("[")
        var numbers = [try signedNumber()]
        while true {
            let blank = lexer.position
            skipBlanks()
            if lexer.peekByte() == UInt8(ascii: "]") { break }
            guard lexer.position > blank else { throw unexpectedHere(context: "series values") }
            numbers.append(try signedNumber())
        }
        lexer.position += 1
        return numbers
    }
}

/// What stands between the braces; offsets may come before or after their buckets.
private struct HistogramDescriptors {
    var value = NativeHistogram()
    var positiveOffset: Int32 = 0
    var negativeOffset: Int32 = 0
    var hasHint = false

    var literal: HistogramLiteral {
        var histogram = value
        histogram.positive.spans = Self.span(positiveOffset, value.positive.counts)
        histogram.negative.spans = Self.span(negativeOffset, value.negative.counts)
        return HistogramLiteral(histogram, hasCounterResetHint: hasHint)
    }

    private static func span(_ offset: Int32, _ counts: [Double]) -> [NativeHistogram.Span] {
        counts.isEmpty ? [] : [NativeHistogram.Span(offset: offset, length: UInt32(counts.count))]
    }
}
