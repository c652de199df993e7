import Sinks
import Streams
import Testing

/// The opening without a socket: what was offered, and what is said then.
@Suite struct SMTPDialogueTests {
    private func opening(
        requiresTLS: Bool = false, isLocal: Bool = false, _ credentials: SMTPCredentials? = nil
    ) -> SMTPOpening {
        SMTPOpening(
            SMTPOpening.Settings(hello: "me", requiresTLS: requiresTLS, credentials: credentials, isLocal: isLocal),
            isEncrypted: false)
    }

    private let password = SMTPCredentials(user: "u", password: Secret("p"))

    @Test func `a password is not sent where others may listen`() {
        var dialogue = opening(password)
        #expect(dialogue.received(SMTPReply(220, "hi")) == .send(["EHLO me"]))
        let reason = "the password is not sent without TLS; set require_tls to true"
        #expect(
            dialogue.received(SMTPReply(250, "mail", "AUTH PLAIN LOGIN"))
                == .fail(.unavailable(reason: reason, retryAfter: nil)))
    }

    @Test func `a password is sent to this machine, and behind TLS`() {
        var local = opening(isLocal: true, password)
        _ = local.received(SMTPReply(220, "hi"))
        #expect(local.received(SMTPReply(250, "mail", "AUTH=PLAIN")) == .send(["AUTH PLAIN AHUAcA=="]))
        #expect(local.received(SMTPReply(235, "ok")) == .finished)

        var remote = opening(requiresTLS: true, password)
        _ = remote.received(SMTPReply(220, "hi"))
        #expect(remote.received(SMTPReply(250, "mail", "STARTTLS", "AUTH PLAIN")) == .send(["STARTTLS"]))
        #expect(remote.received(SMTPReply(220, "go")) == .startTLS)
        #expect(remote.encrypted() == .send(["EHLO me"]))
        #expect(remote.received(SMTPReply(250, "mail", "AUTH LOGIN")) == .send(["AUTH LOGIN"]))
        #expect(remote.received(SMTPReply(334, "VXNlcm5hbWU6")) == .send(["dQ=="]))
        #expect(remote.received(SMTPReply(334, "UGFzc3dvcmQ6")) == .send(["cA=="]))
        #expect(remote.received(SMTPReply(235, "ok")) == .finished)
    }

    @Test func `what was offered before TLS is forgotten`() {
        var dialogue = opening(requiresTLS: true)
        _ = dialogue.received(SMTPReply(220, "hi"))
        _ = dialogue.received(SMTPReply(250, "mail", "STARTTLS", "PIPELINING", "SIZE 5"))
        _ = dialogue.received(SMTPReply(220, "go"))
        _ = dialogue.encrypted()
        #expect(dialogue.received(SMTPReply(250, "mail")) == .finished)
        #expect(dialogue.extensions == SMTPExtensions())
    }

    @Test func `CRAM-MD5 answers the challenge of RFC 2195 as the RFC does`() {
        var dialogue = opening(SMTPCredentials(user: "tim", sharedSecret: Secret("tanstaaftanstaaf")))
        _ = dialogue.received(SMTPReply(220, "hi"))
        #expect(dialogue.received(SMTPReply(250, "mail", "AUTH PLAIN CRAM-MD5")) == .send(["AUTH CRAM-MD5"]))
        let challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
        #expect(
            dialogue.received(SMTPReply(334, challenge))
                == .send(["dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"]))
        #expect(dialogue.received(SMTPReply(235, "ok")) == .finished)
    }

    @Test func `mutated replies never trap the parser`() {
        var random = SystemRandomNumberGenerator()
        let seed = Array("220-mail.test\r\n220 ready\r\n250 ok\r\n".utf8)
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var parser = SMTPReplyParser()
            parser.feed(bytes)
            while let reply = try? parser.next() { #expect((200..<600).contains(reply.code)) }
        }
    }
}
