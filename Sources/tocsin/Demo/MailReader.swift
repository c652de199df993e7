import Transport

/// What a person wants to see of a mail (RFC 5322, MIME): who, to whom, the subject, and the text and HTML in it, decoded.
struct ReadableMail: Sendable, Equatable {
    private(set) var from = ""
    private(set) var to = ""
    private(set) var subject = ""
    /// The first plain text.
    private(set) var text: String?
    /// The first HTML.
    private(set) var html: String?

    private static let depthMax = 8

    init(_ source: String) {
        let part = MailPart(source[...])
        from = EncodedWords.decoded(part["From"] ?? "")
        to = EncodedWords.decoded(part["To"] ?? "")
        subject = EncodedWords.decoded(part["Subject"] ?? "")
        read(part, depth: 0)
    }

    private mutating func read(_ part: MailPart, depth: Int) {
        let type = part["Content-Type"] ?? "text/plain"
        let kind = type.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        if kind.hasPrefix("multipart/"), depth < Self.depthMax, let boundary = MailPart.parameter("boundary", of: type)
        {
            for inner in part.parts(boundary) { read(inner, depth: depth + 1) }
        } else if kind == "text/html" {
            html = html ?? part.decodedText
        } else if kind == "text/plain" {
            text = text ?? part.decodedText
        }
    }
}

/// Headers and a body.
private struct MailPart {
    private var headers: [(name: String, value: String)] = []
    private var body: [Substring] = []

    init(_ source: Substring) { self.init(source.split(separator: "\r\n", omittingEmptySubsequences: false)) }

    private init(_ lines: [Substring]) {
        let end = lines.firstIndex { $0.isEmpty } ?? lines.endIndex
        for line in lines[..<end] {
            if line.first == " " || line.first == "\t", let last = headers.indices.last {
                // A folded header goes on.
                headers[last].value += line
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                headers.append((line[..<colon].lowercased(), String(value)))
            }
        }
        body = Array(lines[end...].dropFirst())
    }

    subscript(name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }

    static func parameter(_ name: String, of value: String) -> String? {
        for field in value.split(separator: ";").dropFirst() {
            let pair = field.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].filter({ !$0.isWhitespace }).lowercased() == name else { continue }
            return pair[1].filter { $0 != "\"" && !$0.isWhitespace }
        }
        return nil
    }

    /// The parts between the lines `--boundary`.
    func parts(_ boundary: String) -> [MailPart] {
        var parts: [MailPart] = []
        var lines: [Substring]?
        for line in body where !boundary.isEmpty {
            guard line.hasPrefix("--\(boundary)") else {
                lines?.append(line)
                continue
            }
            if let lines { parts.append(MailPart(lines)) }
            lines = []
            if line.hasPrefix("--\(boundary)--") { break }
        }
        return parts
    }

    var decodedText: String {
        switch self["Content-Transfer-Encoding"]?.lowercased() {
        case "quoted-printable":
            let lines = body.map { line in
                line.hasSuffix("=")
                    ? EncodedWords.bytes(quotedPrintable: line.dropLast(), isWord: false)
                    : EncodedWords.bytes(quotedPrintable: line, isWord: false) + [UInt8(ascii: "\n")]
            }
            return String(decoding: lines.joined(), as: UTF8.self)
        case "base64":
            return Base64.decode(body.joined()).map { String(decoding: $0, as: UTF8.self) } ?? body.joined()
        default: return body.joined(separator: "\n")
        }
    }
}

/// RFC 2047: `=?utf-8?q?...?=` in headers.
enum EncodedWords {
    static func decoded(_ text: String) -> String {
        var result: [UInt8] = []
        var rest = text[...]
        var isAfterWord = false
        while let start = rest.firstRange(of: "=?") {
            let fields = rest[start.upperBound...].split(separator: "?", maxSplits: 3, omittingEmptySubsequences: false)
            let between = rest[..<start.lowerBound]
            // Blanks between two encoded words are not part of the text.
            if !(isAfterWord && between.allSatisfy(\.isWhitespace)) { result += between.utf8 }
            guard fields.count == 4, fields[3].first == "=", let bytes = bytes(of: fields[2], as: fields[1]) else {
                result += "=?".utf8
                rest = rest[start.upperBound...]
                isAfterWord = false
                continue
            }
            result += bytes
            rest = fields[3].dropFirst()
            isAfterWord = true
        }
        return String(decoding: result + Array(rest.utf8), as: UTF8.self)
    }

    private static func bytes(of word: Substring, as coding: Substring) -> [UInt8]? {
        switch coding.lowercased() {
        case "q": bytes(quotedPrintable: word, isWord: true)
        case "b": Base64.decode(word)
        default: nil
        }
    }

    /// - Parameter isWord: an underscore is a blank then.
    static func bytes(quotedPrintable text: Substring, isWord: Bool) -> [UInt8] {
        var result: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            let digits = String(decoding: bytes.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "="), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                result.append(value)
                bytes = bytes.dropFirst(2)
            } else {
                result.append(isWord && byte == UInt8(ascii: "_") ? UInt8(ascii: " ") : byte)
            }
        }
        return result
    }
}
