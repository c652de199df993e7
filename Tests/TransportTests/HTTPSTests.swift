import Foundation
import Streams
import TestKit
import Testing
import Transport

@Suite struct HTTPSTests {
    /// Starts a server with that certificate and asks it once, as `localhost`.
    private func ask(
        _ certificate: String, clientAuthority: String? = nil, host: String = "localhost", _ tls: TLSSettings
    ) async throws -> String {
        let server = try TestProcess(
            TestProcess.python,
            [TestCertificates.fixture("https_server.py")]
                + [certificate + ".pem", certificate + ".key"].map { try TestCertificates.path($0) }
                + [clientAuthority].compactMap { try $0.map(TestCertificates.path) })
        let port = try #require(await server.line())
        let client = HTTPClient()
        try client.start()
        let url = try URLString("https://\(host):\(port)/")
        do {
            let response = try await client.send(HTTPRequest(.get, url, settings: HTTPSettings(tls: tls)))
            await client.shutdown()
            return response.body.text()
        } catch {
            await client.shutdown()
            return "\(error)".replacing(port, with: "PORT")
        }
    }

    @Test func `an authority of one's own is trusted, from a file or in place`() async throws {
        let file = try TestCertificates.path("ca.pem")
        #expect(try await ask("server", TLSSettings(authorities: .file(file))).hasPrefix("nobody TLSv1.3 localhost:"))
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(try await ask("server", TLSSettings(authorities: .text(Secret(text)))).hasPrefix("nobody TLSv1.3"))
    }

    @Test func `who is not trusted is not talked to`() async throws {
        let ours = TLSSettings(authorities: .file(try TestCertificates.path("ca.pem")))
        #expect(
            try await ask("server", TLSSettings())
                == "TLS with localhost:PORT: SSL certificate problem: unable to get local issuer certificate")
        #expect(
            try await ask("selfsigned", ours)
                == "TLS with localhost:PORT: SSL certificate problem: self-signed certificate")
        #expect(
            try await ask("expired", ours)
                == "TLS with localhost:PORT: SSL certificate problem: certificate has expired")
        #expect(
            try await ask("named", ours)
                == "TLS with localhost:PORT: SSL: no alternative certificate subject name matches target host name 'localhost'"
        )
        #expect(try await ask("selfsigned", TLSSettings(skipsVerification: true)).hasPrefix("nobody"))
    }

    @Test func `another name can be expected, and the request still goes to the host`() async throws {
        let tls = TLSSettings(authorities: .file(try TestCertificates.path("ca.pem")), serverName: "mail.example")
        #expect(try await ask("named", host: "127.0.0.1", tls).hasPrefix("nobody TLSv1.3 127.0.0.1:"))
        #expect(try await ask("server", tls).hasPrefix("TLS with localhost:PORT"))
    }

    @Test func `a client shows its own certificate where it has one`() async throws {
        let ca = try TestCertificates.path("ca.pem")
        let named = TLSSettings(
            authorities: .file(ca), certificate: .file(try TestCertificates.path("client.pem")),
            key: .file(try TestCertificates.path("client.key")))
        #expect(try await ask("server", clientAuthority: "ca.pem", named).hasPrefix("client TLSv1.3"))
        let refusal = try await ask("server", clientAuthority: "ca.pem", TLSSettings(authorities: .file(ca)))
        #expect(refusal.contains("localhost:PORT"), "\(refusal)")
    }

    @Test func `versions have their bounds`() async throws {
        let ca = TLSSettings.PEM.file(try TestCertificates.path("ca.pem"))
        #expect(try await ask("server", TLSSettings(authorities: ca, versionMax: .tls12)).hasPrefix("nobody TLSv1.2"))
    }
}
