import Streams

/// OpenMetrics 1.0 text (behaviour: Prometheus 3's lexer for it, which is more lenient than the specification).
extension ExpositionReader {
    mutating func nextOpenMetrics() throws(ExpositionError) -> Kind? {
        while true {
            start = position
            switch byte(position) {
            case -1: throw failure(.eof, "the text does not end with \"# EOF\"")
            case 0x23:
                let kind = try readDescriptor()
                return kind
            default:
                try readSeries()
                if skipsCreatedLines, isCreatedLine { continue }
                return .series
            }
        }
    }

    mutating func readSeries() throws(ExpositionError) {
        name = nil
        labelPlaces.removeAll(keepingCapacity: true)
        if Self.isNameStart(byte(position)) {
            position = endOfName(position)
            name = start..<position
        } else if byte(position) != 0x7B {
            throw failure(.syntax, "expected a metric name, a brace or \"# \", \(found(position))")
        }
        if byte(position) == 0x7B {
            position += 1
            try readLabels()
        }
        series = start..<position
        if name == nil { throw failure(.metricName, "the series has no metric name") }
        value = try readNumber(.value, after: "the series")
        try readSampleEnd()
    }

    /// Reads a blank and a number.
    private mutating func readNumber(
        _ kind: ExpositionError.Kind, after what: String
    ) throws(ExpositionError) -> Double {
        let token = position + 1
        guard byte(position) == 0x20, let end = endOfToken(token), end > token else {
            throw failure(kind, "expected one blank and a value after \(what), \(found(position))")
        }
        position = end
        return try number(token..<end)
    }

    private func endOfToken(_ offset: Int) -> Int? {
        var offset = offset
        while true {
            switch byte(offset) {
            case -1, 0, 0x0A, 0x20: return offset
            default: offset += 1
            }
        }
    }

    /// What may stand after a value: nothing, a timestamp, an exemplar.
    private enum Follower { case lineBreak, token, exemplar, end, other }

    private func follower() -> Follower {
        switch byte(position) {
        case -1: return .end
        case 0x0A: return .lineBreak
        case 0x20: break
        default: return .other
        }
        switch byte(position + 1) {
        case -1, 0, 0x0A, 0x20: return .other
        case 0x23 where byte(position + 2) == 0x20: return byte(position + 3) == 0x7B ? .exemplar : .other
        default: return .token
        }
    }

    private mutating func readSampleEnd() throws(ExpositionError) {
        timestamp = nil
        hasExemplar = false
        switch follower() {
        case .lineBreak: position += 1
        case .end: throw failure(.eof, "the text does not end with \"# EOF\"")
        case .exemplar: try readExemplar()
        case .other:
            // Prometheus gives the sample and stumbles at the next entry.
            pending = failure(.syntax, "expected a timestamp, an exemplar or the end of the line, \(found(position))")
        case .token:
            timestamp = try readTime(.timestamp, "timestamp")
            switch follower() {
            case .lineBreak: position += 1
            case .exemplar: try readExemplar()
            case .end: throw failure(.eof, "the text does not end with \"# EOF\"")
            case .token, .other:
                throw failure(.timestamp, "expected the end of the line after the timestamp, \(found(position))")
            }
        }
    }

    /// Reads a blank and a time in seconds, into milliseconds.
    private mutating func readTime(
        _ kind: ExpositionError.Kind, _ what: String
    ) throws(ExpositionError) -> Int64 {
        let token = position + 1..<(endOfToken(position + 1) ?? position + 1)
        position = token.upperBound
        let seconds = try number(token)
        guard seconds.isFinite else { throw failure(kind, "the \(what) \(excerpt(bytes: slice(token))) is no time") }
        // Times beyond 64 bits are what Go's conversion makes of them; storage refuses them as out of bounds.
        return Int64(exactly: (seconds * 1000).rounded(.towardZero)) ?? .min
    }

    private mutating func readExemplar() throws(ExpositionError) {
        position += 4
        exemplarPlaces.removeAll(keepingCapacity: true)
        try readLabels(isExemplar: true)
        exemplarValue = try readNumber(.exemplar, after: "the exemplar's labels")
        exemplarTimestamp = nil
        switch follower() {
        case .lineBreak: position += 1
        case .end: throw failure(.eof, "the text does not end with \"# EOF\"")
        case .other, .exemplar:
            throw failure(.timestamp, "expected a timestamp or the end of the line, \(found(position))")
        case .token:
            exemplarTimestamp = try readTime(.exemplar, "exemplar's timestamp")
            guard byte(position) == 0x0A else {
                throw failure(.exemplar, "expected the end of the line after the exemplar, \(found(position))")
            }
            position += 1
        }
        hasExemplar = true
    }

    private mutating func readDescriptor() throws(ExpositionError) -> Kind? {
        func reads(_ word: StaticString) -> Bool {
            guard position + word.utf8CodeUnitCount <= count else { return false }
            return word.withUTF8Buffer { word in
                word.indices.allSatisfy { base[position + $0] == word[$0] }
            }
        }
        if reads("# EOF") {
            position += 5
            if byte(position) == 0x0A { position += 1 }
            if byte(position) != -1 { throw failure(.eof, "there is text after \"# EOF\"") }
            return nil
        }
        let kind: Kind
        if reads("# HELP ") {
            kind = .help
        } else if reads("# TYPE ") {
            kind = .type
        } else if reads("# UNIT ") {
            kind = .unit
        } else {
            throw failure(.syntax, "expected HELP, TYPE, UNIT or EOF after \"# \", \(found(position))")
        }
        position += 7
        if byte(position) == 0x22 {
            guard let content = readQuoted(allowingBreaks: true, allowingNulls: false) else {
                throw failure(.syntax, "the metric name has no closing quote")
            }
            family = content
        } else if Self.isNameStart(byte(position)) {
            let from = position
            position = endOfName(position)
            family = from..<position
        } else {
            throw failure(.syntax, "expected a metric name, \(found(position))")
        }
        if !isUnicode(family) { throw failure(.encoding, "the metric name is not UTF-8") }
        guard byte(position) == 0x20 else {
            throw failure(.metadata, "expected one blank and a text, \(found(position))")
        }
        let from = position + 1
        while byte(position) != 0x0A {
            if byte(position) == -1 {
                throw failure(.metadata, "expected a text and the end of the line, \(found(position))")
            }
            position += 1
        }
        text = from..<position
        position += 1
        try check(kind)
        return kind
    }

    private mutating func check(_ kind: Kind) throws(ExpositionError) {
        switch kind {
        case .type:
            let name = string(text, raw: true)
            guard let known = MetricType(rawValue: name) else {
                throw failure(.type, "the metric type \(excerpt(name)) is none of OpenMetrics")
            }
            type = known
        case .unit:
            let name = slice(family)
            let suffix = slice(text)
            if !suffix.isEmpty,
                !(name.count > suffix.count && name.suffix(suffix.count).elementsEqual(suffix)
                    && name[name.count - suffix.count - 1] == UInt8(ascii: "_"))
            {
                throw failure(
                    .unit, "the unit \(excerpt(bytes: suffix)) is no suffix of the metric \(excerpt(bytes: name))")
            }
            unit = text
        default:
            if !isUnicode(text) { throw failure(.encoding, "the help text is not UTF-8") }
        }
    }
}
