import Streams
import Transport

/// A notification as a mail: every template filled in, every address read.
struct EmailLetter {
    let message: MailMessage
    /// Everyone who gets it, once each: those of `to`, and those whom the headers Cc and Bcc name.
    let recipients: [String]
    let needsUTF8: Bool

    /// Servers bound a message's head, and nobody reads more.
    private static let subjectMax = 998
    private static let bytesMax = 10 << 20

    init(_ notification: Notification, _ settings: EmailSink.Settings, _ context: SinkContext) throws(DeliveryError) {
        let to = try Self.addresses("to", try context.text(settings.to, notification))
        let from = try Self.addresses("from", try context.text(settings.from, notification))
        guard !to.isEmpty else { throw .refused(reason: "\"to\" names nobody") }
        guard from.count == 1 else { throw .refused(reason: "\"from\" names \(from.count) senders, not one") }

        var message = MailMessage(
            from: from[0], to: to, subject: "", date: context.clock.now(),
            messageID: Self.messageID(notification, from[0]))
        var bcc: [MailAddress] = []
        var filled = FilledTexts(notification, context.renderer)
        var subject = EmailSink.defaultSubject
        for header in settings.headers {
            if header.name.lowercased() == "subject" {
                subject = header.template
                continue
            }
            guard let value = filled.optional(header.template) else { continue }
            switch header.name.lowercased() {
            case "from": message.from.displayName = try Self.sender(value, from[0]).displayName
            case "to": message.to = try Self.addresses("the header To", value)
            case "cc": message.cc = try Self.addresses("the header Cc", value)
            case "bcc": bcc = try Self.addresses("the header Bcc", value)
            default: message.headers.append((header.name, value))
            }
        }
        if message.to.isEmpty { message.to = to }
        message.subject = filled.text(subject, or: NotificationSummary.title(notification))
            .truncated(toScalars: Self.subjectMax)
        message.html = settings.html.isEmpty ? nil : filled.html(settings.html)
        message.text = Self.text(notification, settings, &filled)
        if let note = filled.note {
            message.text = "\(message.text ?? NotificationSummary.text(notification))\n\(note)\n"
        }
        message.threadID = settings.threading.map { Self.threadID(notification, $0, context.clock.now()) }
        guard (message.html?.utf8.count ?? 0) + (message.text?.utf8.count ?? 0) <= Self.bytesMax else {
            throw .refused(reason: "the mail would be longer than \(Self.bytesMax) bytes")
        }

        var seen: Set<String> = []
        recipients = (to + message.cc + bcc).map(\.address).filter { seen.insert($0).inserted }
        let shown = [message.from] + to + message.to + message.cc + bcc
        needsUTF8 = shown.contains { !$0.isASCII }
        self.message = message
    }

    private static func text(
        _ notification: Notification, _ settings: EmailSink.Settings, _ filled: inout FilledTexts
    ) -> String? {
        let isStandard = settings.html == EmailSink.Settings().html
        let template = settings.text ?? (isStandard ? EmailSink.defaultText : "")
        return template.isEmpty ? nil : filled.text(template, or: NotificationSummary.text(notification))
    }

    private static func addresses(_ what: String, _ text: String) throws(DeliveryError) -> [MailAddress] {
        do throws(MailAddress.Malformed) {
            return try MailAddress.list(text)
        } catch {
            throw .refused(reason: "\(what): \(error)")
        }
    }

    /// A header From may put a name beside the sender; who really sends stays.
    private static func sender(_ text: String, _ from: MailAddress) throws(DeliveryError) -> MailAddress {
        try addresses("the header From", text).first ?? from
    }

    /// The same on every try of a notification, so that a mail that comes twice can be told.
    private static func messageID(_ notification: Notification, _ from: MailAddress) -> String {
        let digest = Digest.sha256(Array("\(notification.id)\n\(notification.receiver)".utf8))
        return "\(Digest.hexadecimal(digest.prefix(16)))@\(domain(from))"
    }

    private static func threadID(
        _ notification: Notification, _ threading: EmailSink.Threading, _ now: Timestamp
    ) -> String {
        let digest = Digest.sha256(Array("\(notification.pipeline)\n\(notification.groupKey)".utf8))
        let day = threading.isDaily ? "-\(MailDate.day(now))" : ""
        return "alert-\(Digest.hexadecimal(digest.prefix(8)))\(day)@tocsin"
    }

    private static func domain(_ address: MailAddress) -> String {
        let domain = address.address.split(separator: "@").last ?? ""
        let isPlain = domain.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e: true
            default: false
            }
        }
        return isPlain && !domain.isEmpty ? String(domain) : "tocsin"
    }
}
