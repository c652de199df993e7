extension EscapeContext {
    /// The context after some of the text, and how many bytes that was.
    func after(_ text: Bytes) -> (EscapeContext, Int) {
        if delimiter == .none {
            // Whatever stands in it, a script or style ends at its end tag.
            let (ended, count) = afterSpecialTagEnd(text)
            if count == 0 { return (ended, 0) }
            return transition(text.prefix(count))
        }
        return inAttribute(text)
    }

    private func inAttribute(_ text: Bytes) -> (EscapeContext, Int) {
        var end = text.firstIndex { delimiter.ends.contains($0) }.map { $0 - text.startIndex } ?? text.count
        if delimiter == .spaceOrTagEnd, let bad = text.prefix(end).first(where: { "\"'<=`".utf8.contains($0) }) {
            let sign = String(Unicode.Scalar(bad))
            return (.failure("\(GoText.quote(sign)) in unquoted attribute value"), text.count)
        }
        if end == text.count {
            // Still in the value. Rules of other languages see it without HTML's entities.
            var context = self
            var rest = Entities.decoded(text)[...]
            while !rest.isEmpty {
                let (next, count) = context.transition(rest)
                guard count > 0 || next != context else { break }
                context = next
                rest = rest.dropFirst(count)
            }
            return (context, text.count)
        }
        var element = element
        if state == .attribute, element == .script, attribute == .scriptType,
            !Self.isScriptType(String(decoding: text.prefix(end), as: UTF8.self))
        {
            element = .none
        }
        if delimiter != .spaceOrTagEnd { end += 1 }
        return (EscapeContext(state: .tag, element: element), end)
    }

    private func afterSpecialTagEnd(_ text: Bytes) -> (EscapeContext, Int) {
        guard element != .none else { return (self, text.count) }
        // An end tag in a script's string or comment is escaped there.
        if element == .script, isScriptLiteral || isComment { return (self, text.count) }
        guard let place = Self.indexOfEndTag(element.rawValue, in: text) else { return (self, text.count) }
        return (EscapeContext(), place)
    }

    private static func indexOfEndTag(_ name: String, in text: Bytes) -> Int? {
        var index = text.startIndex
        while let start = text.firstIndex(of: "</", from: index) {
            let end = start + 2 + name.utf8.count
            if text[(start + 2)...].startsWithFolded(name), end < text.endIndex,
                "> \t\n\u{0C}/".utf8.contains(text[end])
            {
                return start - text.startIndex
            }
            index = start + 2
        }
        return nil
    }

    /// MIME types of scripts whose content is JavaScript, or JSON.
    static func isScriptType(_ type: String) -> Bool {
        let plain = GoText.trimmed(String(type.prefix { $0 != ";" })).lowercased()
        let names = [
            "ecmascript", "javascript", "javascript1.0", "javascript1.1", "javascript1.2", "javascript1.3",
            "javascript1.4", "javascript1.5", "jscript", "livescript", "x-ecmascript", "x-javascript",
        ]
        if plain.isEmpty || plain == "module" || plain == "importmap" || plain == "speculationrules" { return true }
        if plain.hasPrefix("text/") { return names.contains(String(plain.dropFirst(5))) }
        let applications = ["ecmascript", "javascript", "json", "ld+json", "x-ecmascript", "x-javascript"]
        return plain.hasPrefix("application/") && applications.contains(String(plain.dropFirst(12)))
    }

    /// One step of the state that the context is in.
    func transition(_ text: Bytes) -> (EscapeContext, Int) {
        switch state {
        case .text: inText(text)
        case .tag: inTag(text)
        case .attributeName: inAttributeName(text)
        case .afterName: afterName(text)
        case .beforeValue: beforeValue(text)
        case .comment: inComment(text)
        case .rawText: afterSpecialTagEnd(text)
        case .attribute, .failed, .dead: (self, text.count)
        case .url, .srcset: (inURL(text), text.count)
        case .js: inScript(text)
        case .jsDoubleQuoted, .jsSingleQuoted, .jsRegexp: inScriptLiteral(text)
        case .jsTemplate: inScriptTemplate(text)
        case .jsBlockComment, .cssBlockComment: inBlockComment(text)
        case .jsLineComment, .jsHTMLOpenComment, .jsHTMLCloseComment, .cssLineComment: inLineComment(text)
        case .css: inStyle(text)
        case .cssDoubleQuoted, .cssSingleQuoted, .cssDoubleQuotedURL, .cssSingleQuotedURL, .cssURL:
            inStyleString(text)
        }
    }

    private func inText(_ text: Bytes) -> (EscapeContext, Int) {
        var index = text.startIndex
        while var place = text[index...].firstIndex(of: UInt8(ascii: "<")), place + 1 < text.endIndex {
            if text[place...].starts(with: "<!--".utf8) {
                return (EscapeContext(state: .comment), place + 4 - text.startIndex)
            }
            place += 1
            let isEnd = text[place] == UInt8(ascii: "/")
            if isEnd {
                place += 1
                if place == text.endIndex { break }
            }
            let name = Self.tagName(text[place...])
            if !name.isEmpty {
                let element = isEnd ? nil : Element(rawValue: name.lowercased())
                let count = place + name.utf8.count - text.startIndex
                return (EscapeContext(state: .tag, element: element ?? .none), count)
            }
            index = place
        }
        return (self, text.count)
    }

    /// A letter, then letters and digits, with single `:` and `-` between.
    private static func tagName(_ text: Bytes) -> String {
        func isLetter(_ byte: UInt8) -> Bool { byte < 0x80 && (0x41...0x5A).contains(byte & 0xDF) }
        guard let first = text.first, isLetter(first) else { return "" }
        var end = text.startIndex + 1
        while end < text.endIndex {
            if isLetter(text[end]) || (0x30...0x39).contains(text[end]) {
                end += 1
            } else if ":-".utf8.contains(text[end]), end + 1 < text.endIndex,
                isLetter(text[end + 1]) || (0x30...0x39).contains(text[end + 1])
            {
                end += 2
            } else {
                break
            }
        }
        return String(decoding: text[..<end], as: UTF8.self)
    }

    private func inTag(_ text: Bytes) -> (EscapeContext, Int) {
        let start = text.skippingSpace
        guard start < text.endIndex else { return (self, text.count) }
        if text[start] == UInt8(ascii: ">") {
            let content: State =
                switch element {
                case .none: .text
                case .script: .js
                case .style: .css
                case .textarea, .title: .rawText
                }
            return (EscapeContext(state: content, element: element), start + 1 - text.startIndex)
        }
        guard let end = Self.endOfAttributeName(text[start...]), end > start else {
            let found = String(decoding: text[start...].prefix(32), as: UTF8.self)
            return (.failure("expected space, attr name, or end of tag, but got \(GoText.quote(found))"), text.count)
        }
        let name = String(decoding: text[start..<end], as: UTF8.self).lowercased()
        var result = EscapeContext(state: end == text.endIndex ? .attributeName : .afterName, element: element)
        if element == .script, name == "type" {
            result.attribute = .scriptType
        } else {
            switch Attribute.kind(of: name) {
            case .url: result.attribute = .url
            case .style: result.attribute = .style
            case .script: result.attribute = .script
            case .srcset: result.attribute = .srcset
            case .plain, .html, .unsafe: break
            }
        }
        return (result, end - text.startIndex)
    }

    /// Nil where a quote or `<` stands in the name.
    private static func endOfAttributeName(_ text: Bytes) -> Int? {
        for index in text.indices {
            if " \t\n\u{0C}\r=>".utf8.contains(text[index]) { return index }
            if "'\"<".utf8.contains(text[index]) { return nil }
        }
        return text.endIndex
    }

    private func inAttributeName(_ text: Bytes) -> (EscapeContext, Int) {
        guard let end = Self.endOfAttributeName(text) else {
            let found = String(decoding: text.prefix(32), as: UTF8.self)
            return (.failure("quote in attribute name: \(GoText.quote(found))"), text.count)
        }
        var result = self
        if end != text.endIndex { result.state = .afterName }
        return (result, end - text.startIndex)
    }

    private func afterName(_ text: Bytes) -> (EscapeContext, Int) {
        let start = text.skippingSpace
        guard start < text.endIndex else { return (self, text.count) }
        var result = self
        guard text[start] == UInt8(ascii: "=") else {
            result.state = .tag
            return (result, start - text.startIndex)
        }
        result.state = .beforeValue
        return (result, start + 1 - text.startIndex)
    }

    private func beforeValue(_ text: Bytes) -> (EscapeContext, Int) {
        let start = text.skippingSpace
        guard start < text.endIndex else { return (self, text.count) }
        var result = self
        result.state = attribute.startState
        switch text[start] {
        case UInt8(ascii: "'"): result.delimiter = .singleQuote
        case UInt8(ascii: "\""): result.delimiter = .doubleQuote
        default:
            result.delimiter = .spaceOrTagEnd
            return (result, start - text.startIndex)
        }
        return (result, start + 1 - text.startIndex)
    }

    private func inComment(_ text: Bytes) -> (EscapeContext, Int) {
        guard let end = text.firstIndex(of: "-->", from: text.startIndex) else { return (self, text.count) }
        return (EscapeContext(), end + 3 - text.startIndex)
    }

    func inURL(_ text: Bytes) -> EscapeContext {
        var result = self
        if text.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "?") }) {
            result.urlPart = .query
        } else if text.skippingSpace != text.endIndex, urlPart == .none {
            result.urlPart = .beforeQuery
        }
        return result
    }
}

extension EscapeContext.Delimiter {
    var ends: String.UTF8View {
        switch self {
        case .none: "".utf8
        case .doubleQuote: "\"".utf8
        case .singleQuote: "'".utf8
        case .spaceOrTagEnd: " \t\n\u{0C}\r>".utf8
        }
    }
}
