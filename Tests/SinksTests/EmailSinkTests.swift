import Sinks
import Streams
import TestKit
import Testing
import Transport

@Suite struct EmailSinkTests {
    @Test func `a mail arrives with both of its forms, its headers and its sender`() async throws {
        let server = try await TestMailServer.start()
        let sink = try emailSink(port: server.port) { settings in
            settings.to = "Team <team@example.com>, second@example.com"
            settings.headers += [
                .init(name: "Cc", template: "third@example.com"), .init(name: "Bcc", template: "fourth@example.com"),
                .init(name: "X-Severity", template: "{{ .Status }}"),
                .init(name: "From", template: "Tocsin <tocsin@example.org>"),
            ]
            settings.hello = "here.example"
        }
        try await sink.deliver(notification(summary: "Größe: 100 % voll"))
        let mail = try await server.next()
        #expect(mail.from == "tocsin@example.org")
        #expect(mail.to == ["team@example.com", "second@example.com", "third@example.com", "fourth@example.com"])
        #expect(mail.hello == "here.example")
        #expect(mail.headers["Subject"] == "Größe: 100 % voll")
        #expect(mail.headers["To"] == "Team <team@example.com>, second@example.com")
        #expect(mail.headers["From"] == "Tocsin <tocsin@example.org>")
        #expect(mail.headers["Cc"] == "third@example.com")
        #expect(mail.headers["Bcc"] == nil)
        #expect(mail.headers["X-Severity"] == "firing")
        #expect(mail.headers["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000")
        #expect(mail.kind == "multipart/alternative")
        #expect(mail.parts == ["text/plain": "Failed", "text/html": "<p>Failed</p>"])
        #expect(mail.longest <= 78)
    }

    @Test func `the default mail has the shipped page and the shipped text`() async throws {
        let server = try await TestMailServer.start()
        let sink = try emailSink(port: server.port) { settings in
            settings.html = EmailSink.Settings().html
            settings.text = nil
            settings.headers = []
        }
        try await sink.deliver(notification())
        let mail = try await server.next()
        #expect(mail.headers["Subject"]?.contains("FIRING:1") == true)
        #expect(mail.parts["text/html"]?.contains("it failed") == true)
        #expect(mail.parts["text/plain"]?.contains("[alert] Failed: it failed") == true)
        #expect(mail.parts["text/plain"]?.contains("Firing since 2026-01-01 00:00:00 UTC") == true)
    }

    @Test func `long lines, dots and strange characters arrive as they were`() async throws {
        let server = try await TestMailServer.start()
        let text = ".\n..two\n.three \ttab \u{1F680} = \(String(repeating: "x", count: 3000))\nend "
        let sink = try emailSink(port: server.port) { $0.text = text }
        try await sink.deliver(notification())
        let mail = try await server.next()
        #expect(mail.parts["text/plain"]?.replacing("\r\n", with: "\n") == text)
        #expect(mail.longest <= 78)
    }

    @Test func `nothing that an alert says can become a header`() async throws {
        let server = try await TestMailServer.start()
        let evil = "x\r\nBcc: victim@example.com\r\n\r\n<script>"
        let sink = try emailSink(port: server.port) {
            $0.headers.append(.init(name: "X-Job", template: "{{ .CommonLabels.job }}"))
        }
        try await sink.deliver(notification(summary: evil, labels: ["alertname": "A", "job": evil]))
        let mail = try await server.next()
        #expect(mail.to == ["team@example.com"])
        #expect(mail.headers["Bcc"] == nil)
        #expect(mail.headers["Subject"] == "x  Bcc: victim@example.com    <script>")
        #expect(mail.headers["X-Job"]?.contains("victim@example.com") == true)
    }

    @Test func `a burst shares one connection, and a late mail has its own`() async throws {
        let server = try await TestMailServer.start()
        let clock = ManualClock()
        let sink = try emailSink(port: server.port, clock: clock)
        for number in 0..<3 {
            try await sink.deliver(notification(id: "n\(number)"))
            #expect(try await server.next().session == 0)
        }
        clock.advance(by: .seconds(31))
        try await sink.deliver(notification(id: "late"))
        #expect(try await server.next().session == 1)
    }

    @Test func `mails about one group form a conversation, and a repeated one can be told`() async throws {
        let server = try await TestMailServer.start()
        let clock = ManualClock()
        let sink = try emailSink(port: server.port, clock: clock) { $0.threading = .init(isDaily: true) }
        var mails: [TestMailServer.Mail] = []
        for (id, later) in [("a", Duration.zero), ("a", .zero), ("b", .seconds(10)), ("c", .seconds(86_400))] {
            clock.advance(by: later)
            try await sink.deliver(notification(id: id))
            mails.append(try await server.next())
        }
        #expect(mails[0].headers["Message-ID"] == mails[1].headers["Message-ID"])
        #expect(mails[0].headers["Message-ID"] != mails[2].headers["Message-ID"])
        #expect(mails[0].headers["References"] == mails[2].headers["References"])
        #expect(mails[0].headers["In-Reply-To"] == mails[0].headers["References"])
        #expect(mails[0].headers["References"] != mails[3].headers["References"])
    }

    @Test func `an address that is not ASCII travels as SMTPUTF8`() async throws {
        let server = try await TestMailServer.start()
        let sink = try emailSink(port: server.port) { $0.to = "grün@example.com" }
        try await sink.deliver(notification())
        let mail = try await server.next()
        #expect(mail.to == ["grün@example.com"])
        #expect(mail.options.contains("SMTPUTF8"))
    }

    static let strangeAddresses: [(String, String)] = [
        ("", "\"to\" names nobody"),
        ("nobody", "to: the address \"nobody\" has no @"),
        ("a b@example.com", "to: \"a b@example.com\" is no address"),
        (
            "<a@b\r\nRCPT TO:<evil@example.com>",
            "to: the address \"a@bRCPTTO:<evil@example.com\" has a character that no address has"
        ),
        ("\"open@example.com", "to: a quote does not end"),
    ]

    @Test("who can't be reached is said before anything is sent", arguments: strangeAddresses)
    func unaddressed(_ to: String, _ reason: String) async throws {
        let sink = try emailSink(port: 1) { $0.to = to }
        await #expect(throws: DeliveryError.refused(reason: reason)) { try await sink.deliver(notification()) }
    }
}
