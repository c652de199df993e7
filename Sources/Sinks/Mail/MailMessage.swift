package import Streams
import Transport

/// A mail with a plain and an HTML form of the same text (RFC 2046, section 5.1.4). Everything in it is ASCII in short lines
/// unless an address is not.
package struct MailMessage: Sendable {
    package var from: MailAddress
    package var to: [MailAddress]
    package var cc: [MailAddress] = []
    package var subject: String
    /// Further headers in their order; names are checked where they are read.
    package var headers: [(name: String, value: String)] = []
    package var date: Timestamp
    /// Without brackets.
    package var messageID: String
    /// The message that this one seems to answer, so that mail programs show them together; without brackets.
    package var threadID: String?
    package var text: String?
    package var html: String?

    package init(
        from: MailAddress, to: [MailAddress], subject: String, date: Timestamp, messageID: String, text: String? = nil,
        html: String? = nil
    ) {
        self.from = from
        self.to = to
        self.subject = subject
        self.date = date
        self.messageID = messageID
        self.text = text
        self.html = html
    }

    /// The message as it travels, lines ending in CR LF.
    package func bytes() -> [UInt8] {
        var head = MailHeader.addresses("From", [from]) + MailHeader.addresses("To", to)
        if !cc.isEmpty { head += MailHeader.addresses("Cc", cc) }
        head += MailHeader.text("Subject", subject)
        for header in headers { head += MailHeader.text(header.name, header.value) }
        let own = Set(headers.map { $0.name.lowercased() })
        func add(_ name: String, _ value: String) {
            if !own.contains(name.lowercased()) { head += MailHeader.verbatim(name, value) }
        }
        add("Date", MailDate.text(date))
        add("Message-ID", "<\(messageID)>")
        if let threadID {
            add("In-Reply-To", "<\(threadID)>")
            add("References", "<\(threadID)>")
        }
        add("Auto-Submitted", "auto-generated")
        return Array(head.utf8) + content()
    }

    private func content() -> [UInt8] {
        // Neither encoding can write "=_", so no line of a part is the boundary.
        let boundary = "=_" + Digest.hexadecimal(Digest.sha256(Array(messageID.utf8)).prefix(12))
        var bytes = Array(
            """
            MIME-Version: 1.0\r
            Content-Type: multipart/alternative; boundary="\(boundary)"\r
            \r

            """.utf8)
        // The best form comes last.
        for (kind, text) in [("plain", text ?? (html == nil ? "" : nil)), ("html", html)] {
            guard let text else { continue }
            bytes += Array(
                """
                --\(boundary)\r
                Content-Type: text/\(kind); charset=UTF-8\r
                Content-Transfer-Encoding: quoted-printable\r
                \r

                """.utf8)
            bytes += QuotedPrintable.encode(text)
        }
        return bytes + Array("--\(boundary)--\r\n".utf8)
    }
}
