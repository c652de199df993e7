import Sinks
import Streams
import Testing
import Transport
import YAML

@Suite struct EmailSettingsTests {
    private func decode(_ text: String, global: String = "{}") throws -> (EmailSink.Settings?, [String]) {
        let diagnostics = Diagnostics()
        let globalNode = try #require(
            DocumentParser.parse(SourceText(global, file: "g.yaml"), diagnostics: diagnostics))
        let reader = MappingReader(globalNode, "global", diagnostics)
        let globals = SinkGlobals(reader)
        reader.finish()
        let node = try #require(DocumentParser.parse(SourceText(text, file: "f.yaml"), diagnostics: diagnostics))
        let settings = EmailSink.settings(node, globals, diagnostics)
        return (settings, diagnostics.errors.map { "\($0)" })
    }

    @Test func `what a receiver does not say, the global section says`() throws {
        let (settings, errors) = try decode(
            "to: a@b",
            global: """
                smtp_smarthost: mail.example:587
                smtp_from: me@example.org
                smtp_hello: here
                smtp_auth_username: u
                smtp_auth_password: p
                smtp_auth_identity: i
                smtp_auth_secret_file: /s
                smtp_require_tls: false
                smtp_tls_config: {ca_file: /ca}
                """)
        #expect(errors == [])
        var expected = EmailSink.Settings()
        expected.to = "a@b"
        expected.from = "me@example.org"
        expected.server = Smarthost(host: "mail.example", port: 587)
        expected.hello = "here"
        expected.user = "u"
        expected.password = SecretText("p")
        expected.identity = "i"
        expected.sharedSecret = .file("/s")
        expected.requiresTLS = false
        expected.tls = TLSSettings(authorities: .file("/ca"))
        #expect(settings == expected)
    }

    @Test func `a receiver's own keys win`() throws {
        let (settings, errors) = try decode(
            """
            to: a@b
            from: x@y
            smarthost: '[::1]:465'
            send_resolved: true
            headers: {subject: s, X-A: b}
            html: ''
            text: t
            threading: {enabled: true, thread_by_date: none}
            """)
        #expect(errors == [])
        #expect(settings?.server == Smarthost(host: "::1", port: 465))
        #expect(settings?.implicitTLS == true)
        #expect(settings?.requiresTLS == true)
        #expect(settings?.sendsResolved == true)
        #expect(settings?.headers == [.init(name: "subject", template: "s"), .init(name: "X-A", template: "b")])
        #expect(settings?.html == "")
        #expect(settings?.text == "t")
        #expect(settings?.threading == .init(isDaily: false))
    }

    @Test func `what is empty counts as not said, as for Alertmanager`() throws {
        let (settings, errors) = try decode(
            "{to: a@b, from: '', smarthost: '', hello: ''}",
            global: "{smtp_smarthost: 'h:25', smtp_from: 'x@y', smtp_hello: ''}")
        #expect(errors == [])
        #expect(settings?.from == "x@y" && settings?.hello == "localhost")
        #expect(settings?.server == Smarthost(host: "h", port: 25))
    }

    private static let good = "to: a@b, from: c@d, smarthost: 'h:25'"

    static let mistakes: [(String, String)] = [
        ("{\(good), text: '{{ .x'}", "f.yaml:1:53: invalid template: unclosed action"),
        ("{from: c@d, smarthost: 'h:25'}", "f.yaml:1:1: key \"to\" is missing in an email config"),
        (
            "{to: a@b, from: c@d}",
            "f.yaml:1:1: an email config needs \"smarthost\", or \"smtp_smarthost\" in the global section"
        ),
        (
            "{to: a@b, smarthost: 'h:25'}",
            "f.yaml:1:1: an email config needs \"from\", or \"smtp_from\" in the global section"
        ),
        ("{to: a@b, from: c@d, smarthost: h}", "f.yaml:1:33: expected a mail server as host:port, found \"h\""),
        ("{\(good), headers: {A: x, a: y}}", "f.yaml:1:57: the header a stands here twice"),
        ("{\(good), headers: {'A b': x}}", "f.yaml:1:51: \"A b\" can't be the name of a header"),
        ("{\(good), headers: {Content-Type: x}}", "f.yaml:1:51: the header Content-Type is Tocsin's own"),
        ("{\(good), hello: 'a b'}", "f.yaml:1:48: the name after EHLO is one word"),
        (
            "{\(good), require_tsl: false}",
            "f.yaml:1:41: unknown key \"require_tsl\" in an email config; did you mean \"require_tls\"?"
        ),
    ]

    @Test("a mistake is told with its place", arguments: mistakes)
    func mistake(_ text: String, _ error: String) throws {
        #expect(try decode(text).1 == [error])
    }
}
