extension EscapeContext {
    func inStyle(_ text: Bytes) -> (EscapeContext, Int) {
        var result = self
        var index = text.startIndex
        while let place = text[index...].firstIndex(where: { "(\"'/".utf8.contains($0) }) {
            let behind = place + 1 - text.startIndex
            switch text[place] {
            case UInt8(ascii: "("):
                if Self.endsWithURL(text[..<place]) {
                    var start = text[(place + 1)...].skippingSpace
                    result.state = .cssURL
                    if start < text.endIndex, text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'") {
                        result.state = text[start] == UInt8(ascii: "\"") ? .cssDoubleQuotedURL : .cssSingleQuotedURL
                        start += 1
                    }
                    return (result, start - text.startIndex)
                }
            case UInt8(ascii: "\""):
                result.state = .cssDoubleQuoted
                return (result, behind)
            case UInt8(ascii: "'"):
                result.state = .cssSingleQuoted
                return (result, behind)
            default:
                if text[place...].starts(with: "//".utf8) {
                    result.state = .cssLineComment
                    return (result, behind + 1)
                }
                if text[place...].starts(with: "/*".utf8) {
                    result.state = .cssBlockComment
                    return (result, behind + 1)
                }
            }
            index = place + 1
        }
        return (self, text.count)
    }

    /// Whether the last word is `url`.
    private static func endsWithURL(_ text: Bytes) -> Bool {
        var word = text
        while let last = word.last, " \t\n\u{0C}\r".utf8.contains(last) { word = word.dropLast() }
        guard word.suffix(3).startsWithFolded("url") else { return false }
        guard let before = word.dropLast(3).last else { return true }
        return !CSSText.isNameByte(before)
    }

    func inStyleString(_ text: Bytes) -> (EscapeContext, Int) {
        let ends: String =
            switch state {
            case .cssDoubleQuoted, .cssDoubleQuotedURL: "\""
            case .cssSingleQuoted, .cssSingleQuotedURL: "'"
            default: "\t\n\u{0C}\r )"
            }
        var result = self
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "\\") {
                index += 1
                if index == text.endIndex { return (Self.unfinished(text, "CSS string"), text.count) }
                result = result.inURL(CSSText.decoded(text[...index])[...])
            } else if ends.utf8.contains(text[index]) {
                result.state = .css
                return (result, index + 1 - text.startIndex)
            }
            index += 1
        }
        return (result.inURL(CSSText.decoded(text)[...]), text.count)
    }
}

/// CSS's own escapes.
enum CSSText {
    static func isNameByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte >= 0x80 || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte & 0xDF)
    }

    /// The text without its backslash escapes.
    static func decoded(_ text: Bytes) -> [UInt8] {
        var result: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            guard text[index] == UInt8(ascii: "\\") else {
                result.append(text[index])
                index += 1
                continue
            }
            guard index + 1 < text.endIndex else { break }
            let digits = text[(index + 1)...].prefix(6).prefix { Constant.isHexDigit($0) }
            if digits.isEmpty {
                let length = text[(index + 2)...].prefix { $0 & 0xC0 == 0x80 }.count
                result += text[(index + 1)...(index + 1 + length)]
                index += 2 + length
                continue
            }
            var code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
            var length = digits.count
            if code > 0x10FFFF { (code, length) = (code / 16, length - 1) }
            result += Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
            index += 1 + length
            // One space behind the digits belongs to the escape.
            if index < text.endIndex, " \t\n\u{0C}\r".utf8.contains(text[index]) {
                index += text[index...].starts(with: "\r\n".utf8) ? 2 : 1
            }
        }
        return result
    }
}
