/// What a server offers, from its answer to EHLO.
package struct SMTPExtensions: Sendable, Equatable {
    package var startTLS = false
    package var pipelining = false
    package var eightBit = false
    package var utf8 = false
    /// Names in capitals.
    package var mechanisms: Set<String> = []
    /// The largest message it takes; nil when it names none.
    package var sizeBytesMax: Int?
    package var takesSize = false

    package init() {}

    package init(_ reply: SMTPReply) {
        // The first line greets.
        for line in reply.lines.dropFirst() {
            let words = line.uppercased().split(whereSeparator: { $0 == " " || $0 == "=" })
            switch words.first {
            case "STARTTLS": startTLS = true
            case "PIPELINING": pipelining = true
            case "8BITMIME": eightBit = true
            case "SMTPUTF8": utf8 = true
            case "AUTH": mechanisms.formUnion(words.dropFirst().map(String.init))
            case "SIZE":
                takesSize = true
                if words.count > 1, let size = Int(words[1]), size > 0 { sizeBytesMax = size }
            default: break
            }
        }
    }
}
