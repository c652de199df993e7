/// What a mail server answers to a command: a code, and a line or several (RFC 5321, section 4.2).
package struct SMTPReply: Sendable, Equatable, CustomStringConvertible {
    package var code: Int
    package var lines: [String]

    package init(_ code: Int, _ lines: String...) {
        self.code = code
        self.lines = lines
    }

    init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// It worked, or goes on.
    package var isPositive: Bool { code < 400 }
    /// It was done: the first digit counts (RFC 5321, section 4.2.1).
    package var isDone: Bool { (200..<300).contains(code) }
    /// Not now (4xx); everything else that is not positive is never.
    package var isTransient: Bool { (400..<500).contains(code) }

    /// For errors: one line, printable, not long.
    package var description: String {
        let text = lines.joined(separator: " ").unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }
        let shown = String(String.UnicodeScalarView(text.prefix(200)))
        return shown.isEmpty ? "\(code)" : "\(code) \(shown)"
    }
}

/// Bytes into replies. Holds at most one reply; what is longer than a reply can be is an error.
package struct SMTPReplyParser: Sendable {
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package var reason: String
        package var description: String { reason }
    }

    /// RFC 5321 says 512; some servers do not care.
    private static let lineBytesMax = 4096
    private static let linesMax = 256

    private var buffer: [UInt8] = []
    private var code: Int?
    private var lines: [String] = []

    package init() {}

    /// Whether nothing is held that did not belong to a reply yet.
    package var isEmpty: Bool { buffer.isEmpty && lines.isEmpty }

    package mutating func feed(_ bytes: [UInt8]) { buffer += bytes }

    /// The next reply, when all of it has come.
    package mutating func next() throws(Malformed) -> SMTPReply? {
        while let end = buffer.firstIndex(of: 0x0a) {
            var line = buffer[..<end]
            if line.last == 0x0d { line.removeLast() }
            let reply = try take(Array(line))
            buffer.removeFirst(end + 1)
            if let reply { return reply }
        }
        guard buffer.count <= Self.lineBytesMax else { throw Malformed(reason: "a line of the reply is too long") }
        return nil
    }

    private mutating func take(_ line: [UInt8]) throws(Malformed) -> SMTPReply? {
        guard line.count <= Self.lineBytesMax else { throw Malformed(reason: "a line of the reply is too long") }
        let digits = line.prefix(3).map { Int($0) - 48 }
        guard digits.count == 3, (2...5).contains(digits[0]), digits.allSatisfy({ (0...9).contains($0) }) else {
            throw Malformed(reason: "it does not speak SMTP")
        }
        let code = digits[0] * 100 + digits[1] * 10 + digits[2]
        let mark = line.count > 3 ? line[3] : UInt8(ascii: " ")
        guard mark == UInt8(ascii: " ") || mark == UInt8(ascii: "-") else {
            throw Malformed(reason: "it does not speak SMTP")
        }
        if let begun = self.code, begun != code { throw Malformed(reason: "a reply changes its code") }
        guard lines.count < Self.linesMax else { throw Malformed(reason: "a reply has too many lines") }
        lines.append(String(decoding: line.dropFirst(4), as: UTF8.self))
        self.code = code
        if mark == UInt8(ascii: "-") { return nil }
        defer {
            lines = []
            self.code = nil
        }
        return SMTPReply(code: code, lines: lines)
    }
}
