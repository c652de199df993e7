/// URLs in pages.
enum URLText {
    /// Relative, or of a scheme that does no harm when it is followed.
    static func isSafe(_ url: String) -> Bool {
        guard let colon = url.utf8.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let scheme = url[..<colon]
        return scheme.utf8.contains(UInt8(ascii: "/")) || ["http", "https", "mailto"].contains(scheme.lowercased())
    }

    /// Percent-encodes; with `normalizing`, only what no URL may hold, so that it stays the same URL.
    static func processed(_ url: String, normalizing: Bool) -> String {
        let bytes = Array(url.utf8)
        var result: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isKept =
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case _ where "-._~".utf8.contains(byte): true
                case _ where "!#$&*+,/:;=?@[]".utf8.contains(byte): normalizing
                case UInt8(ascii: "%"):
                    normalizing && index + 2 < bytes.count && Constant.isHexDigit(bytes[index + 1])
                        && Constant.isHexDigit(bytes[index + 2])
                default: false
                }
            if isKept { result.append(byte) } else { result += Array("%\(GoText.hexadecimal(byte, width: 2))".utf8) }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// HTML without its tags, for where there is no room for them.
enum StrippedTags {
    static func text(_ html: String) -> String {
        let source = Array(html.utf8)[...]
        var context = EscapeContext()
        var result: [UInt8] = []
        var index = source.startIndex
        while index < source.endIndex {
            let rest = source[index...]
            guard context.delimiter == .none else {
                guard let end = rest.firstIndex(where: { context.delimiter.ends.contains($0) }) else { break }
                index = context.delimiter == .spaceOrTagEnd ? end : end + 1
                context = EscapeContext(state: .tag, element: context.element)
                continue
            }
            var reader = context
            let isInTag = [.tag, .attributeName, .afterName, .beforeValue, .attribute].contains(context.state)
            // Scripts and styles are passed over as text.
            if context.element != .none, !isInTag { reader.state = .rawText }
            let (next, count) = reader.transition(rest)
            if context.state == .text || context.state == .rawText {
                var piece = rest.prefix(count)
                if next.state != context.state, let tag = piece.lastIndex(of: UInt8(ascii: "<")) {
                    piece = piece[..<tag]
                }
                result += piece
            }
            guard count > 0 || next != context else { break }
            context = next
            index += count
        }
        return String(decoding: result, as: UTF8.self)
    }
}
