extension EscapeContext {
    func inScript(_ text: Bytes) -> (EscapeContext, Int) {
        var result = self
        guard let place = text.firstIndex(where: { "\"`'/{}<-#".utf8.contains($0) }) else {
            result.slash = Self.slash(after: text, before: slash)
            return (result, text.count)
        }
        result.slash = Self.slash(after: text[..<place], before: slash)
        let rest = text[place...]
        var length = 1
        switch text[place] {
        case UInt8(ascii: "\""): (result.state, result.slash) = (.jsDoubleQuoted, .regexp)
        case UInt8(ascii: "'"): (result.state, result.slash) = (.jsSingleQuoted, .regexp)
        case UInt8(ascii: "`"): (result.state, result.slash) = (.jsTemplate, .regexp)
        case UInt8(ascii: "/"):
            if rest.starts(with: "//".utf8) {
                (result.state, length) = (.jsLineComment, 2)
            } else if rest.starts(with: "/*".utf8) {
                (result.state, length) = (.jsBlockComment, 2)
            } else {
                switch result.slash {
                case .regexp: result.state = .jsRegexp
                case .division: result.slash = .regexp
                case .unknown:
                    let found = String(decoding: rest.prefix(32), as: UTF8.self)
                    return (.failure("'/' could start a division or regexp: \(GoText.quote(found))"), text.count)
                }
            }
        case UInt8(ascii: "<"):
            if rest.starts(with: "<!--".utf8) { (result.state, length) = (.jsHTMLOpenComment, 4) }
        case UInt8(ascii: "-"):
            if rest.starts(with: "-->".utf8) { (result.state, length) = (.jsHTMLCloseComment, 3) }
        case UInt8(ascii: "#"):
            if rest.starts(with: "#!".utf8) { (result.state, length) = (.jsLineComment, 2) }
        case UInt8(ascii: "{"):
            if !braces.isEmpty { result.braces[braces.count - 1] += 1 }
        default:
            if let open = braces.last {
                result.braces[braces.count - 1] = open - 1
                if open == 0 {
                    result.braces.removeLast()
                    result.state = .jsTemplate
                }
            }
        }
        return (result, place - text.startIndex + length)
    }

    /// Whether a slash behind these tokens, which hold no strings or comments, divides.
    static func slash(after text: Bytes, before: Slash) -> Slash {
        let code = Array(trimmed(text))
        guard let last = code.last else { return before }
        switch last {
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            // `x++ /` divides, `x + /` does not.
            let run = code.reversed().prefix { $0 == last }.count
            return run & 1 == 1 ? .regexp : .division
        case UInt8(ascii: "."):
            return code.count > 1 && (0x30...0x39).contains(code[code.count - 2]) ? .division : .regexp
        case _ where ",<>=*%&|^?!~([:;{}".utf8.contains(last): return .regexp
        default:
            let word = Array(code.reversed().prefix { isIdentifierPart($0) }.reversed())
            let keywords = [
                "break", "case", "continue", "delete", "do", "else", "finally", "in", "instanceof", "return", "throw",
                "try", "typeof", "void",
            ]
            return keywords.contains(String(decoding: word, as: UTF8.self)) ? .regexp : .division
        }
    }

    private static func trimmed(_ text: Bytes) -> Bytes {
        var rest = text
        while let last = rest.last {
            if "\t\n\u{0C}\r ".utf8.contains(last) {
                rest = rest.dropLast()
            } else if rest.suffix(3).elementsEqual("\u{2028}".utf8) || rest.suffix(3).elementsEqual("\u{2029}".utf8) {
                rest = rest.dropLast(3)
            } else {
                break
            }
        }
        return rest
    }

    static func isIdentifierPart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "$") || byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
            || (byte < 0x80 && (0x41...0x5A).contains(byte & 0xDF))
    }

    func inScriptLiteral(_ text: Bytes) -> (EscapeContext, Int) {
        let isRegexp = state == .jsRegexp
        let quote = UInt8(ascii: state == .jsDoubleQuoted ? "\"" : isRegexp ? "/" : "'")
        var isInSet = false
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "\\"):
                index += 1
                if index == text.endIndex { return (Self.unfinished(text, "JS string"), text.count) }
            case UInt8(ascii: "[") where isRegexp: isInSet = true
            case UInt8(ascii: "]") where isRegexp: isInSet = false
            case quote where !isInSet:
                let isEndTag = isRegexp && index > text.startIndex && text[(index - 1)...].startsWithFolded("</script")
                if !isEndTag {
                    var result = self
                    (result.state, result.slash) = (.js, .division)
                    return (result, index + 1 - text.startIndex)
                }
            default: break
            }
            index += 1
        }
        if isInSet {
            let found = String(decoding: text.prefix(32), as: UTF8.self)
            return (.failure("unfinished JS regexp charset: \(GoText.quote(found))"), text.count)
        }
        return (self, text.count)
    }

    static func unfinished(_ text: Bytes, _ place: String) -> EscapeContext {
        let found = String(decoding: text.suffix(32), as: UTF8.self)
        return .failure("unfinished escape sequence in \(place): \(GoText.quote(found))")
    }

    func inScriptTemplate(_ text: Bytes) -> (EscapeContext, Int) {
        var result = self
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "\\"):
                index += 1
                if index == text.endIndex { return (Self.unfinished(text, "JS string"), text.count) }
            case UInt8(ascii: "$") where text[index...].starts(with: "${".utf8):
                guard braces.count < 100 else {
                    return (.failure("JS template literals nested too deeply"), text.count)
                }
                result.braces.append(0)
                result.state = .js
                return (result, index + 2 - text.startIndex)
            case UInt8(ascii: "`"):
                result.state = .js
                return (result, index + 1 - text.startIndex)
            default: break
            }
            index += 1
        }
        return (self, text.count)
    }

    func inBlockComment(_ text: Bytes) -> (EscapeContext, Int) {
        guard let end = text.firstIndex(of: "*/", from: text.startIndex) else { return (self, text.count) }
        var result = self
        result.state = state == .jsBlockComment ? .js : .css
        return (result, end + 2 - text.startIndex)
    }

    func inLineComment(_ text: Bytes) -> (EscapeContext, Int) {
        let isStyle = state == .cssLineComment
        let terminators = isStyle ? ["\n", "\u{0C}", "\r"] : ["\n", "\r", "\u{2028}", "\u{2029}"]
        guard let end = terminators.compactMap({ text.firstIndex(of: $0, from: text.startIndex) }).min() else {
            return (self, text.count)
        }
        var result = self
        result.state = isStyle ? .css : .js
        return (result, end - text.startIndex)
    }
}
