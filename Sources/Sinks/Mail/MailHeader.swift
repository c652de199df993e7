/// Lines of a message's head: what is not ASCII as encoded words (RFC 2047), long ones folded, no line of it able to begin
/// another header.
enum MailHeader {
    private static let lineMax = 76
    /// A word longer than that is encoded, which can be cut: lines have 998 bytes at most (RFC 5322, section 2.1.1).
    private static let wordMax = 200

    /// RFC 5322, section 2.2: printable ASCII but the colon.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 76
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
    }

    /// A header of free text; its line breaks become blanks.
    static func text(_ name: String, _ value: String) -> String {
        let value = oneLine(value)
        let words = value.split(separator: " ", omittingEmptySubsequences: false)
        let isPlain =
            value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && !value.contains("=?")
            && words.allSatisfy { $0.utf8.count <= wordMax }
        guard isPlain else { return "\(name): " + encodedWords(value, column: name.utf8.count + 2) + "\r\n" }
        var line = "\(name):"
        var column = line.utf8.count
        for word in words {
            // A line of blanks alone would end the head.
            if column + 1 + word.utf8.count > lineMax, column > 1, !word.isEmpty, !line.hasSuffix(" ") {
                line += "\r\n"
                column = 0
            }
            line += " \(word)"
            column += word.utf8.count + 1
        }
        return line + "\r\n"
    }

    /// A header that says exactly this: identifiers, dates, kinds of content. Whoever calls vouches for the value.
    static func verbatim(_ name: String, _ value: String) -> String { "\(name): \(value)\r\n" }

    static func addresses(_ name: String, _ addresses: [MailAddress]) -> String {
        "\(name): " + addresses.map(mailbox).joined(separator: ",\r\n ") + "\r\n"
    }

    private static func mailbox(_ mailbox: MailAddress) -> String {
        let name = oneLine(mailbox.displayName)
        if name.isEmpty { return mailbox.address }
        let isPlain = name.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && name.utf8.count <= 60 && !name.contains("=?")
        guard isPlain else { return encodedWords(name, column: 30) + " <\(mailbox.address)>" }
        let isAtoms = name.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x20, 0x2d, 0x5f: true
            default: false
            }
        }
        let quoted = name.flatMap { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }
        return (isAtoms ? name : "\"\(String(quoted))\"") + " <\(mailbox.address)>"
    }

    static func oneLine(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }
        let line = String(String.UnicodeScalarView(scalars))
        guard let first = line.firstIndex(where: { $0 != " " }), let last = line.lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(line[first...last])
    }

    /// The Q encoding, at most 75 characters a word, never cutting a character in two.
    static func encodedWords(_ text: String, column: Int) -> String {
        var words: [String] = []
        var word = ""
        var room = max(10, lineMax - column - 12)
        for scalar in text.unicodeScalars {
            let encoded = encoded(scalar)
            if word.utf8.count + encoded.utf8.count > room {
                words.append(word)
                word = ""
                room = lineMax - 13
            }
            word += encoded
        }
        words.append(word)
        return words.map { "=?utf-8?q?\($0)?=" }.joined(separator: "\r\n ")
    }

    private static func encoded(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case " ": return "_"
        case "a"..."z", "A"..."Z", "0"..."9", "!", "*", "+", "-", "/": return String(Character(scalar))
        default: return String(scalar).utf8.map { QuotedPrintable.escaped($0) }.joined()
        }
    }
}
