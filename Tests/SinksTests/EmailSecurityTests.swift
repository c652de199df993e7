import Sinks
import Streams
import TestKit
import Testing
import Transport

@Suite struct EmailSecurityTests {
    private func trusting() throws -> TLSSettings {
        TLSSettings(authorities: .file(try TestCertificates.path("ca.pem")))
    }

    @Test func `STARTTLS and implicit TLS protect the mail`() async throws {
        for kind in [TestMailServer.TLS.startTLS, .implicit] {
            let server = try await TestMailServer.start(tls: kind)
            let tls = try trusting()
            let sink = try emailSink(port: server.port) { settings in
                settings.requiresTLS = true
                settings.implicitTLS = kind == .implicit
                settings.tls = tls
            }
            try await sink.deliver(notification())
            #expect(try await server.next().tls, "\(kind)")
        }
    }

    static let impostors: [(String, String)] = [
        ("selfsigned", "self-signed certificate"), ("named", "hostname mismatch"),
        ("expired", "certificate has expired"),
        // A common name alone names nobody (RFC 6125, section 6.4.4).
        ("nameless", "hostname mismatch"),
    ]

    @Test(
        "a server that is not who it should be gets no mail", arguments: impostors,
        [TestMailServer.TLS.startTLS, .implicit])
    func impostor(_ example: (certificate: String, reason: String), _ kind: TestMailServer.TLS) async throws {
        let server = try await TestMailServer.start(tls: kind, certificate: example.certificate)
        let tls = try trusting()
        let sink = try emailSink(port: server.port) { settings in
            settings.requiresTLS = true
            settings.implicitTLS = kind == .implicit
            settings.tls = tls
        }
        let reason = "TLS with localhost:\(server.port): the certificate is refused: \(example.reason)"
        await #expect(throws: DeliveryError.unavailable(reason: reason, retryAfter: nil)) {
            try await sink.deliver(notification())
        }
    }

    static let names: [(certificate: String, name: String, isGood: Bool)] = [
        ("wild", "mx.mail.example", true), ("wild", "MX.Mail.Example", true), ("wild", "mail.example", false),
        ("wild", "a.mx.mail.example", false), ("wild", "post.example", false),
        ("named", "mail.example", true), ("named", "mail.example.", true), ("server", "127.0.0.1", true),
        ("server", "127.0.0.2", false), ("server", "::1", false), ("server", "localhost", true),
    ]

    @Test("a certificate is good for the names that it bears", arguments: names)
    func named(_ example: (certificate: String, name: String, isGood: Bool)) async throws {
        let server = try await TestMailServer.start(tls: .startTLS, certificate: example.certificate)
        var tls = try trusting()
        tls.serverName = example.name
        let expected = tls
        let sink = try emailSink(port: server.port) { settings in
            settings.requiresTLS = true
            settings.tls = expected
        }
        let error: DeliveryError?
        do throws(DeliveryError) {
            try await sink.deliver(notification())
            error = nil
        } catch let failure {
            error = failure
        }
        #expect((error == nil) == example.isGood, "\(String(describing: error))")
    }

    @Test func `an authority that nobody named is not trusted, and checks can be switched off`() async throws {
        let server = try await TestMailServer.start(tls: .startTLS)
        let strict = try emailSink(port: server.port) { $0.requiresTLS = true }
        await #expect(throws: DeliveryError.self) { try await strict.deliver(notification()) }
        let lax = try emailSink(port: server.port) { settings in
            settings.requiresTLS = true
            settings.tls = TLSSettings(skipsVerification: true)
        }
        try await lax.deliver(notification())
        #expect(try await server.next().tls)
    }

    @Test func `a server without STARTTLS gets nothing where TLS is required`() async throws {
        let server = try ScriptedMailServer { _, line in
            line.hasPrefix("EHLO") ? "250-mail.test\r\n250 AUTH PLAIN" : nil
        }
        let sink = try emailSink(port: server.port) { settings in
            settings.requiresTLS = true
            settings.user = "u"
            settings.password = SecretText("p")
        }
        let reason = "the mail server does not offer STARTTLS, and require_tls is true (the default)"
        await #expect(throws: DeliveryError.unavailable(reason: reason, retryAfter: nil)) {
            try await sink.deliver(notification())
        }
        await server.ended()
        #expect(server.lines == ["EHLO localhost"])
    }

    @Test func `what was said in the clear behind STARTTLS is not believed`() async throws {
        let server = try ScriptedMailServer { _, line in
            switch line {
            case "EHLO localhost": "250-mail.test\r\n250 STARTTLS"
            case "STARTTLS": "220 go on\r\n250 AUTH PLAIN"
            default: nil
            }
        }
        let sink = try emailSink(port: server.port) { $0.requiresTLS = true }
        let reason = "the mail server spoke before the TLS handshake"
        await #expect(throws: DeliveryError.unavailable(reason: reason, retryAfter: nil)) {
            try await sink.deliver(notification())
        }
    }

    static let mechanisms: [(offered: [String], chosen: String)] = [
        (["PLAIN", "LOGIN"], "PLAIN"), (["LOGIN"], "LOGIN"), (["CRAM-MD5"], "CRAM-MD5"),
    ]

    @Test("the user proves who he is in the best way offered", arguments: mechanisms)
    func mechanism(_ example: (offered: [String], chosen: String)) async throws {
        let server = try await TestMailServer.start(
            tls: .startTLS, user: "me", password: "s3 crët", mechanisms: example.offered)
        let tls = try trusting()
        let sink = try emailSink(port: server.port) { settings in
            settings.requiresTLS = true
            settings.tls = tls
            settings.user = "me"
            settings.password = SecretText("s3 crët")
        }
        try await sink.deliver(notification())
        let mail = try await server.next()
        #expect(mail.user == "me")
        #expect(mail.mechanism == example.chosen)
    }

    @Test func `a wrong password is refused, and not told to anyone`() async throws {
        let server = try await TestMailServer.start(user: "me", password: "right", mechanisms: ["PLAIN"])
        let sink = try emailSink(port: server.port) { settings in
            settings.user = "me"
            settings.password = SecretText("wrong-secret")
        }
        let error = await #expect(throws: DeliveryError.self) { try await sink.deliver(notification()) }
        guard case .refused(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("535"))
        #expect(!reason.contains("wrong-secret"))
    }

    @Test func `a server that repeats the password does not bring it into the logs`() async throws {
        let server = try ScriptedMailServer { _, line in
            if line.hasPrefix("EHLO") { return "250-mail.test\r\n250 AUTH PLAIN" }
            if line.hasPrefix("AUTH") { return "535 not \(line)" }
            return nil
        }
        let sink = try emailSink(port: server.port) { settings in
            settings.user = "me"
            settings.password = SecretText("secret")
        }
        await #expect(throws: DeliveryError.refused(reason: "the mail server said \"535\" to AUTH")) {
            try await sink.deliver(notification())
        }
    }
}
