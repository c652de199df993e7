/// The part that both formats share: names, quoted strings, label lists, numbers.
extension ExpositionReader {
    static func isLabelStart(_ byte: Int) -> Bool {
        byte >= 0x61 && byte <= 0x7A || byte >= 0x41 && byte <= 0x5A || byte == 0x5F
    }

    static func isNameStart(_ byte: Int) -> Bool { isLabelStart(byte) || byte == 0x3A }

    static func isDigit(_ byte: Int) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// The end of the metric name that begins at `offset`.
    func endOfName(_ offset: Int) -> Int {
        var offset = offset
        while Self.isNameStart(byte(offset)) || Self.isDigit(byte(offset)) { offset += 1 }
        return offset
    }

    /// Blanks stand between any two tokens of the text format, and nowhere in OpenMetrics.
    @inline(__always)
    mutating func skipBlanks() {
        guard format == .text else { return }
        while byte(position) == 0x20 || byte(position) == 0x09 { position += 1 }
    }

    /// Reads a string in double quotes; nil when it does not end. What stands between the quotes is returned.
    mutating func readQuoted(allowingBreaks: Bool, allowingNulls: Bool) -> Range<Int>? {
        var offset = position + 1
        while true {
            switch byte(offset) {
            case -1: return nil
            case 0x22:
                let content = position + 1..<offset
                position = offset + 1
                return content
            case 0x5C:
                offset += 1
                while allowingNulls, byte(offset) == 0, offset < count { offset += 1 }
                if byte(offset) == 0x0A || byte(offset) == -1 || byte(offset) == 0 { return nil }
            case 0x0A where !allowingBreaks || offset >= count: return nil
            case 0 where !allowingNulls: return nil
            default: break
            }
            offset += 1
        }
    }

    /// Whether the bytes are UTF-8.
    func isUnicode(_ range: Range<Int>) -> Bool {
        var isASCII = true
        for byte in slice(range) where byte >= 0x80 {
            isASCII = false
            break
        }
        return isASCII || String(validating: slice(range), as: UTF8.self) != nil
    }

    /// Reads what follows an opening brace, up to and including the closing one. A quoted string that stands alone is the
    /// metric's name, except in an exemplar.
    mutating func readLabels(isExemplar: Bool = false) throws(ExpositionError) {
        let isText = format == .text
        skipBlanks()
        while true {
            let first = byte(position)
            if first == 0x7D {
                position += 1
                return
            }
            let isQuoted = first == 0x22
            let label: Range<Int>
            if isQuoted {
                guard let content = readQuoted(allowingBreaks: !isExemplar, allowingNulls: false) else {
                    throw failure(.labels, "expected a label name, found a string without end")
                }
                label = content
                if !isUnicode(label) {
                    throw failure(.encoding, "the name \(excerpt(bytes: slice(label))) is not UTF-8")
                }
            } else if Self.isLabelStart(first) {
                let start = position
                while Self.isLabelStart(byte(position)) || Self.isDigit(byte(position)) { position += 1 }
                label = start..<position
            } else {
                throw failure(.labels, "expected a label name, \(found(position))")
            }
            skipBlanks()
            let after = byte(position)
            if isQuoted, after == 0x2C || after == 0x7D {
                if isExemplar { throw failure(.labels, "expected '=' after the label name, \(found(position))") }
                if name != nil {
                    throw failure(.metricName, "a second metric name, \(excerpt(bytes: slice(label)))")
                }
                name = label
                position += 1
                if after == 0x7D { return }
                skipBlanks()
                continue
            }
            guard after == 0x3D else {
                throw failure(.labels, "expected '=' after the label name, \(found(position))")
            }
            position += 1
            skipBlanks()
            guard byte(position) == 0x22 else {
                throw failure(.labels, "expected a label value in double quotes, \(found(position))")
            }
            guard let value = readQuoted(allowingBreaks: isText, allowingNulls: !isExemplar) else {
                throw failure(.labels, "the value of label \(excerpt(bytes: slice(label))) has no closing quote")
            }
            guard isUnicode(value) else {
                throw failure(.encoding, "the value of label \(excerpt(bytes: slice(label))) is not UTF-8")
            }
            if isExemplar {
                exemplarPlaces.append(LabelPlace(name: label, value: value))
            } else {
                labelPlaces.append(LabelPlace(name: label, value: value))
            }
            skipBlanks()
            if byte(position) == 0x2C {
                position += 1
                skipBlanks()
            } else if !isText, byte(position) != 0x7D {
                throw failure(.syntax, "expected a comma or a closing brace after the label value, \(found(position))")
            }
        }
    }

    /// The number in a token.
    func number(_ token: Range<Int>) throws(ExpositionError) -> Double {
        guard let value = FloatParser.parse(slice(token)) else {
            throw failure(.number, "expected a number, found \(excerpt(bytes: slice(token)))")
        }
        return value
    }
}
