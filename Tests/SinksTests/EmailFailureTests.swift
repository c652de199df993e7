import Sinks
import Streams
import TestKit
import Testing

/// What becomes of a mail when the server does not behave.
@Suite struct EmailFailureTests {
    private static let stages = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "."]

    /// A server that answers `verb` with `reply`, and EHLO with an offer of pipelining where asked to.
    private func server(_ verb: String, _ reply: String, pipelining: Bool) throws -> ScriptedMailServer {
        try ScriptedMailServer { _, line in
            let heard = line.prefix { $0 != " " }
            if heard == verb || (verb == "EHLO" && heard == "HELO") { return reply }
            return heard == "EHLO" && pipelining ? "250-mail.test\r\n250-SIZE 1000000\r\n250 PIPELINING" : nil
        }
    }

    @Test("4xx is not now, 5xx is never, at every stage", arguments: stages, [false, true])
    func refusals(_ stage: String, _ pipelining: Bool) async throws {
        for (reply, isTransient) in [("450-4.7.1 busy\r\n450 later", true), ("550 5.7.1 no", false)] {
            let server = try server(stage, reply, pipelining: pipelining)
            let sink = try emailSink(port: server.port)
            let error = await #expect(throws: DeliveryError.self) { try await sink.deliver(notification()) }
            switch error {
            case .unavailable(let reason, _):
                #expect(isTransient && reason.contains("450 4.7.1 busy later"), "\(reason)")
            case .refused(let reason): #expect(!isTransient && reason.contains("550 5.7.1 no"), "\(reason)")
            default: Issue.record("\(String(describing: error))")
            }
            await server.ended()
            #expect(!server.lines.contains { $0.contains("Subject:") } || stage == ".")
        }
    }

    @Test("a connection that is lost at any stage means: later", arguments: stages, [false, true])
    func drops(_ stage: String, _ pipelining: Bool) async throws {
        let server = try server(stage, "DROP", pipelining: pipelining)
        let sink = try emailSink(port: server.port)
        let error = await #expect(throws: DeliveryError.self) { try await sink.deliver(notification()) }
        guard case .unavailable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.connections == 1)
    }

    @Test("a delivery that is cancelled ends at once at every stage", arguments: stages)
    func cancelled(_ stage: String) async throws {
        let (stream, reached) = AsyncStream<Void>.makeStream()
        let server = try ScriptedMailServer { _, line in
            guard line.prefix(while: { $0 != " " }) == stage else { return nil }
            reached.finish()
            return "HANG"
        }
        let sink = try emailSink(port: server.port)
        let task = Task { try await sink.deliver(notification()) }
        for await _ in stream {}
        task.cancel()
        await #expect(throws: DeliveryError.cancelled) { try await task.value }
        await server.ended()
    }

    @Test("a server that says nothing is given up in time", arguments: stages)
    func slow(_ stage: String) async throws {
        let server = try server(stage, "HANG", pipelining: false)
        let sink = try emailSink(port: server.port) { settings in
            settings.patience = SMTPConnection.Patience(
                connect: .seconds(30), reply: stage == "." ? .seconds(30) : .milliseconds(50),
                message: .milliseconds(500))
        }
        let error = await #expect(throws: DeliveryError.self) { try await sink.deliver(notification()) }
        guard case .unavailable(let reason, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.hasPrefix("timed out after "))
        await server.ended()
    }

    static let nonsenses: [(said: String, reason: String)] = [
        ("hello", "it does not speak SMTP"),
        ("HTTP/1.1 400 Bad Request", "it does not speak SMTP"),
        ("", "it does not speak SMTP"),
        ("220x", "it does not speak SMTP"),
        ("220-a\r\n221 b", "a reply changes its code"),
        ("220 " + String(repeating: "x", count: 3_000_000), "a line of the reply is too long"),
        (Array(repeating: "220-and", count: 100_000).joined(separator: "\r\n"), "a reply has too many lines"),
    ]

    @Test("nonsense is told as such, however much of it", arguments: nonsenses.indices)
    func nonsense(_ index: Int) async throws {
        let example = Self.nonsenses[index]
        let server = try ScriptedMailServer { _, line in line == "GREETING" ? example.said : nil }
        let sink = try emailSink(port: server.port)
        let reason = "protocol error: localhost:\(server.port): \(example.reason)"
        await #expect(throws: DeliveryError.unavailable(reason: reason, retryAfter: nil)) {
            try await sink.deliver(notification())
        }
    }

    @Test func `an old server that knows no EHLO is greeted with HELO`() async throws {
        let server = try ScriptedMailServer { _, line in line.hasPrefix("EHLO") ? "502 what?" : nil }
        try await emailSink(port: server.port).deliver(notification())
        #expect(server.lines.prefix(3) == ["EHLO localhost", "HELO localhost", "MAIL FROM:<tocsin@example.org>"])
    }

    @Test func `a kept connection that was lost is replaced once`() async throws {
        let server = try ScriptedMailServer { connection, line in
            // The first connection dies at its second mail.
            connection == 0 && line.hasPrefix("MAIL") && line.contains("again") ? "DROP" : nil
        }
        let sink = try emailSink(port: server.port) { $0.from = "{{ .CommonAnnotations.summary }}@example.org" }
        try await sink.deliver(notification(id: "1", summary: "first"))
        try await sink.deliver(notification(id: "2", summary: "again"))
        #expect(server.connections == 2)
        #expect(server.heard.last { $0.line.contains("Subject: again") }?.connection == 1)
    }

    @Test func `recipients that were put off are tried alone, the others get nothing twice`() async throws {
        let server = try ScriptedMailServer { connection, line in
            connection == 0 && line == "RCPT TO:<b@example.com>" ? "451 greylisted" : nil
        }
        let clock = ManualClock()
        let sink = try emailSink(port: server.port, clock: clock) { $0.to = "a@example.com, b@example.com" }
        let reason = "1 of 2 recipients have it; for b@example.com the mail server said \"451 greylisted\""
        await #expect(throws: DeliveryError.unavailable(reason: reason, retryAfter: nil)) {
            try await sink.deliver(notification())
        }
        clock.advance(by: .seconds(60))
        try await sink.deliver(notification())
        let second = server.heard.filter { $0.connection == 1 }.map(\.line)
        #expect(second.filter { $0.hasPrefix("RCPT") } == ["RCPT TO:<b@example.com>"])
    }

    @Test func `a recipient that does not exist does not keep the mail from the others`() async throws {
        let server = try ScriptedMailServer { _, line in line == "RCPT TO:<gone@example.com>" ? "550 unknown" : nil }
        let sink = try emailSink(port: server.port) { $0.to = "gone@example.com, here@example.com" }
        let reason = "1 of 2 recipients have it; for gone@example.com the mail server said \"550 unknown\""
        // Not refused: the next try would go to those who have it, again and again.
        await #expect(throws: DeliveryError.partly(reason: reason)) { try await sink.deliver(notification()) }
        #expect(server.lines.contains { $0.contains("Subject: it failed") })
    }

    @Test func `who gets it late and who never does are told apart`() async throws {
        let server = try ScriptedMailServer { connection, line in
            switch (line, connection) {
            case ("RCPT TO:<late@example.com>", 0): "451 greylisted"
            case ("RCPT TO:<gone@example.com>", _): "550 unknown"
            default: nil
            }
        }
        let clock = ManualClock()
        let sink = try emailSink(port: server.port, clock: clock) {
            $0.to = "here@example.com, late@example.com, gone@example.com"
        }
        let first = "1 of 3 recipients have it; for late@example.com the mail server said \"451 greylisted\""
        await #expect(throws: DeliveryError.unavailable(reason: first, retryAfter: nil)) {
            try await sink.deliver(notification())
        }
        clock.advance(by: .seconds(60))
        let second = "2 of 3 recipients have it; for gone@example.com the mail server said \"550 unknown\""
        await #expect(throws: DeliveryError.partly(reason: second)) { try await sink.deliver(notification()) }
        let recipients = server.heard.filter { $0.connection == 1 && $0.line.hasPrefix("RCPT") }.map(\.line)
        #expect(recipients == ["RCPT TO:<late@example.com>", "RCPT TO:<gone@example.com>"])
    }

    @Test("any 2xx is a yes, whatever else the code says", arguments: [false, true])
    func otherPositives(_ pipelining: Bool) async throws {
        let server = try ScriptedMailServer { _, line in
            if line.hasPrefix("EHLO"), pipelining { return "250-mail.test\r\n250 PIPELINING" }
            if line.hasPrefix("MAIL") || line == "." { return "252 fine, too" }
            return line.hasPrefix("RCPT") ? "251 will forward" : nil
        }
        try await emailSink(port: server.port).deliver(notification())
        #expect(server.lines.contains { $0.contains("Subject: it failed") })
    }

    @Test func `a sender that is refused sends nobody an empty mail`() async throws {
        let server = try ScriptedMailServer { _, line in
            if line.hasPrefix("EHLO") { return "250-mail.test\r\n250 PIPELINING" }
            return line.hasPrefix("MAIL") ? "550 not you" : nil
        }
        let reason = "the mail server said \"550 not you\" to MAIL"
        await #expect(throws: DeliveryError.refused(reason: reason)) {
            try await emailSink(port: server.port).deliver(notification())
        }
        await server.ended()
        #expect(server.lines.last == "DATA")
    }

    @Test func `a subject of any length fits a header`() async throws {
        let server = try ScriptedMailServer { _, _ in nil }
        let sink = try emailSink(port: server.port)
        try await sink.deliver(notification(summary: String(repeating: "word \u{1F680} ", count: 100_000)))
        let mail = try #require(server.lines.first { $0.contains("Subject: ") })
        let head = try #require(mail.split(separator: "\n\n").first)
        #expect(head.utf8.count < 20_000)
        #expect(mail.split(separator: "\n").allSatisfy { $0.utf8.count <= 78 })
    }

    @Test func `with pipelining a mail takes few round trips, and nobody's mail is empty`() async throws {
        let server = try ScriptedMailServer { _, line in
            if line.hasPrefix("EHLO") { return "250-mail.test\r\n250-8BITMIME\r\n250 PIPELINING" }
            return line.hasPrefix("RCPT") ? "550 unknown" : nil
        }
        let sink = try emailSink(port: server.port)
        let reason = "the mail server said \"550 unknown\" to every recipient, first"
        await #expect(throws: DeliveryError.refused(reason: reason)) { try await sink.deliver(notification()) }
        await server.ended()
        #expect(server.lines.suffix(2) == ["DATA", ""])
    }

    @Test func `a mail that is larger than the server takes is not begun`() async throws {
        let server = try ScriptedMailServer { _, line in line.hasPrefix("EHLO") ? "250-mail.test\r\n250 SIZE 100" : nil
        }
        let error = await #expect(throws: DeliveryError.self) {
            try await emailSink(port: server.port).deliver(notification())
        }
        guard case .refused(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.hasSuffix("the mail server takes at most 100"))
        await server.ended()
        #expect(server.lines == ["EHLO localhost"])
    }
}
