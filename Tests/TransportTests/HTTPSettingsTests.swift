import Streams
import Testing
import Transport
import YAML

@Suite struct HTTPSettingsTests {
    private func decode(_ text: String) throws -> (HTTPSettings, [String]) {
        let diagnostics = Diagnostics()
        let source = try SourceText(text, file: "dir/f.yaml")
        let node = try #require(DocumentParser.parse(source, diagnostics: diagnostics))
        let settings = HTTPSettings(node, diagnostics)
        return (settings, diagnostics.errors.map { "\($0)" })
    }

    @Test func `every key has its meaning`() throws {
        let (settings, errors) = try decode(
            """
            basic_auth: {username: u, password_file: secrets/p}
            tls_config: {ca_file: /ca.pem, cert: C, key: K, server_name: n, insecure_skip_verify: true, min_version: TLS13}
            proxy_url: http://u:p@proxy:3128
            no_proxy: localhost,10.0.0.0/8
            follow_redirects: false
            enable_http2: false
            http_headers: {X-Scope: {values: [a, b], files: [t]}}
            """)
        #expect(errors == [])
        #expect(
            settings
                == HTTPSettings(
                    authentication: .basic(user: SecretText("u"), password: .file("dir/secrets/p")),
                    tls: TLSSettings(
                        authorities: .file("/ca.pem"), certificate: .text(Secret("C")), key: .text(Secret("K")),
                        serverName: "n", skipsVerification: true, versionMin: .tls13),
                    proxyURL: Secret("http://u:p@proxy:3128"), noProxy: "localhost,10.0.0.0/8", followsRedirects: false,
                    http2: false,
                    headers: [
                        .init("X-Scope", SecretText("a")), .init("X-Scope", SecretText("b")),
                        .init("X-Scope", .file("dir/t")),
                    ]))
    }

    static let authentications: [(String, HTTPSettings.Authentication?)] = [
        ("{}", nil),
        ("bearer_token: t", .credentials(scheme: "Bearer", SecretText("t"))),
        ("bearer_token_file: /t", .credentials(scheme: "Bearer", .file("/t"))),
        ("{authorization: {type: '', credentials: c}, proxy_url: ''}", .credentials(scheme: "Bearer", SecretText("c"))),
        ("authorization: {credentials: c}", .credentials(scheme: "Bearer", SecretText("c"))),
        ("authorization: {type: Token, credentials_file: /c}", .credentials(scheme: "Token", .file("/c"))),
        ("basic_auth: {username: u}", .basic(user: SecretText("u"), password: SecretText(""))),
    ]

    @Test("there are several ways to say who asks", arguments: authentications)
    func authentication(_ text: String, _ expected: HTTPSettings.Authentication?) throws {
        let (settings, errors) = try decode(text)
        #expect(errors == [])
        #expect(settings.authentication == expected)
    }

    static let mistakes: [(String, String)] = [
        (
            "basic_auth: {username: u}\nbearer_token: x",
            "dir/f.yaml:2:1: \"basic_auth\" and \"bearer_token\" exclude each other in an HTTP config; leave one"
        ),
        (
            "basic_auth: {password: a, password_file: b}",
            "dir/f.yaml:1:27: \"password\" and \"password_file\" exclude each other in a basic_auth; leave one"
        ),
        (
            "authorization: {type: Basic, credentials: x}",
            "dir/f.yaml:1:23: the type can't be \"basic\"; use \"basic_auth\" instead"
        ),
        ("oauth2: {client_id: a}", "dir/f.yaml:1:1: key \"oauth2\" in an HTTP config is not supported yet"),
        (
            "tls_config: {cert_file: a}",
            "dir/f.yaml:1:25: a client certificate needs its key: set \"key\" or \"key_file\""
        ),
        (
            "tls_config: {min_version: TLS9}",
            "dir/f.yaml:1:27: expected TLS10, TLS11, TLS12 or TLS13, found \"TLS9\""
        ),
        (
            "tls_config: {max_version: TLS11}",
            "dir/f.yaml:1:27: max_version is below min_version (TLS12 unless set)"
        ),
        ("http_headers: {Host: {values: [x]}}", "dir/f.yaml:1:16: the header Host can't be set here"),
        ("http_headers: {'a b': {values: [x]}}", "dir/f.yaml:1:16: \"a b\" can't be the name of a header"),
        (
            "http_headers: {A: {secrets: [\"x\\ny\"]}}",
            "dir/f.yaml:1:30: expected text without line breaks, found something else"
        ),
        ("proxy_url: ftp://h", "dir/f.yaml:1:12: a proxy's URL begins with http://, https:// or socks5://"),
        ("no_proxy: a", "dir/f.yaml:1:11: \"no_proxy\" is of use only beside \"proxy_url\""),
        (
            "follow_redirect: true",
            "dir/f.yaml:1:1: unknown key \"follow_redirect\" in an HTTP config; did you mean \"follow_redirects\"?"
        ),
    ]

    @Test("a mistake is told with its place", arguments: mistakes)
    func mistake(_ text: String, _ error: String) throws {
        #expect(try decode(text).1 == [error])
    }
}
