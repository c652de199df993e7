import Streams

/// The text format, versions 0.0.4 and 1.0.0 (behaviour: Prometheus 3's lexer for it).
extension ExpositionReader {
    mutating func nextText() throws(ExpositionError) -> Kind? {
        while true {
            start = position
            skipBlanks()
            switch byte(position) {
            case -1: return nil
            case 0x0A: position += 1
            case 0x23: return try readComment()
            default:
                try readTextSeries()
                return .series
            }
        }
    }

    private mutating func readTextSeries() throws(ExpositionError) {
        name = nil
        labelPlaces.removeAll(keepingCapacity: true)
        if byte(position) == 0x7B {
            position += 1
            try readLabels()
            series = start..<position
        } else if Self.isNameStart(byte(position)) {
            position = endOfName(position)
            // Blanks before a name belong to it, as they do for Prometheus.
            name = start..<position
            series = start..<position
            skipBlanks()
            if byte(position) == 0x7B {
                position += 1
                try readLabels()
                series = start..<position
            }
        } else {
            throw failure(.syntax, "expected a metric name, a brace or a comment, \(found(position))")
        }
        if name == nil { throw failure(.metricName, "the series has no metric name") }
        try readTextSample()
    }

    private mutating func readTextSample() throws(ExpositionError) {
        skipBlanks()
        let token = position
        scan: while true {
            switch byte(position) {
            case -1, 0, 0x09, 0x0A, 0x20, 0x7B: break scan
            default: position += 1
            }
        }
        if token == position { throw failure(.value, "expected a value after the series, \(found(position))") }
        value = try number(token..<position)
        timestamp = nil
        skipBlanks()
        if byte(position) != 0x0A {
            guard Self.isDigit(byte(position)) else {
                throw failure(.timestamp, "expected a timestamp or the end of the line, \(found(position))")
            }
            var time: Int64 = 0
            while Self.isDigit(byte(position)) {
                let (product, over) = time.multipliedReportingOverflow(by: 10)
                let (sum, tooMuch) = product.addingReportingOverflow(Int64(byte(position) - 0x30))
                if over || tooMuch { throw failure(.number, "the timestamp does not fit into 64 bits") }
                time = sum
                position += 1
            }
            timestamp = time
            skipBlanks()
            guard byte(position) == 0x0A else {
                throw failure(.timestamp, "expected the end of the line after the timestamp, \(found(position))")
            }
        }
        position += 1
    }

    private mutating func readComment() throws(ExpositionError) -> Kind {
        let comment = position
        var isBlank = false
        position += 1
        while byte(position) == 0x20 || byte(position) == 0x09 {
            isBlank = true
            position += 1
        }
        let keyword = isBlank ? metadataKeyword() : nil
        guard let keyword else {
            text = comment..<endOfLine()
            return .comment
        }
        position += 4
        skipBlanks()
        if byte(position) == 0x22 {
            guard let content = readQuoted(allowingBreaks: true, allowingNulls: false) else {
                throw failure(.metadata, "the metric name has no closing quote")
            }
            family = content
        } else if Self.isNameStart(byte(position)) {
            let from = position
            position = endOfName(position)
            family = from..<position
        } else {
            throw failure(.metadata, "expected a metric name, \(found(position))")
        }
        if !isUnicode(family) { throw failure(.encoding, "the metric name is not UTF-8") }
        let from = position
        let end = endOfLine()
        let isEmpty = slice(from..<end).allSatisfy { $0 == 0x20 || $0 == 0x09 }
        text = isEmpty ? end..<end : from + 1..<end
        if keyword == .help {
            if !isUnicode(text) { throw failure(.encoding, "the help text is not UTF-8") }
        } else {
            switch string(text, raw: true) {
            case "counter": type = .counter
            case "gauge": type = .gauge
            case "histogram": type = .histogram
            case "summary": type = .summary
            case "untyped": type = .unknown
            case let other: throw failure(.type, "the metric type \(excerpt(other)) is none of the text format")
            }
        }
        return keyword
    }

    private func metadataKeyword() -> Kind? {
        guard position + 4 < count, byte(position + 4) == 0x20 || byte(position + 4) == 0x09 else { return nil }
        switch string(position..<position + 4, raw: true) {
        case "HELP": return .help
        case "TYPE": return .type
        default: return nil
        }
    }

    /// Where the line ends; goes on to the next one.
    private mutating func endOfLine() -> Int {
        while byte(position) != 0x0A { position += 1 }
        position += 1
        return min(position - 1, count)
    }
}
