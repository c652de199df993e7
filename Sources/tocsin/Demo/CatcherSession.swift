/// The server's side of one SMTP dialogue of the mail catcher, as a value: told a line, it says what to answer (RFC 5321).
///
/// It takes every mail for everybody, which is its purpose; it knows no TLS and no authentication.
struct CatcherSession {
    struct Mail: Sendable, Equatable {
        var from: String
        var recipients: [String]
        /// As it came, dots unstuffed, with CRLF line ends.
        var source: String
    }

    enum Action: Equatable {
        case reply(String)
        case deliver(Mail, reply: String)
        case close(reply: String)
        /// Nothing to say: the line was part of a mail.
        case none
    }

    static let greeting = "220 tocsin-demo ESMTP mail catcher"
    /// A line longer than that is no SMTP (RFC 5321, 4.5.3.1.6, with room for 8-bit text).
    static let lineBytesMax = 16 * 1024
    private static let mailBytesMax = 16 * 1024 * 1024
    private static let recipientsMax = 1000

    private var from: String?
    private var recipients: [String] = []
    private var lines: [String]?
    private var size = 0

    mutating func received(_ line: String) -> Action {
        if lines != nil { return receivedData(line) }
        let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let argument = words.count > 1 ? String(words[1]) : ""
        switch words.first?.uppercased() ?? "" {
        case "EHLO":
            return .reply(
                "250-tocsin-demo\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 SIZE \(Self.mailBytesMax)")
        case "HELO": return .reply("250 tocsin-demo")
        case "MAIL":
            from = address(in: argument)
            recipients = []
            return .reply("250 2.1.0 sender ok")
        case "RCPT":
            guard from != nil else { return .reply("503 5.5.1 MAIL first") }
            guard recipients.count < Self.recipientsMax else { return .reply("452 4.5.3 too many recipients") }
            recipients.append(address(in: argument))
            return .reply("250 2.1.5 recipient ok")
        case "DATA":
            guard !recipients.isEmpty else { return .reply("503 5.5.1 RCPT first") }
            lines = []
            size = 0
            return .reply("354 end with a dot on a line of its own")
        case "RSET":
            reset()
            return .reply("250 2.0.0 forgotten")
        case "NOOP": return .reply("250 2.0.0 ok")
        case "QUIT": return .close(reply: "221 2.0.0 bye")
        default: return .reply("502 5.5.2 unknown command")
        }
    }

    private mutating func receivedData(_ line: String) -> Action {
        guard line == "." else {
            size += line.utf8.count + 2
            if size <= Self.mailBytesMax { lines?.append(line.hasPrefix(".") ? String(line.dropFirst()) : line) }
            return .none
        }
        defer { reset() }
        guard size <= Self.mailBytesMax, let lines else { return .reply("552 5.3.4 the mail is too large") }
        let mail = Mail(from: from ?? "", recipients: recipients, source: lines.map { $0 + "\r\n" }.joined())
        return .deliver(mail, reply: "250 2.0.0 caught")
    }

    private mutating func reset() {
        from = nil
        recipients = []
        lines = nil
        size = 0
    }

    private func address(in argument: String) -> String {
        guard let open = argument.firstIndex(of: "<"), let close = argument[open...].firstIndex(of: ">") else {
            return argument
        }
        return String(argument[argument.index(after: open)..<close])
    }
}
