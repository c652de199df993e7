import Foundation

/// A real mail server (aiosmtpd) beside the test, on a free port of 127.0.0.1.
package final class TestMailServer: Sendable {
    package enum TLS: String, Sendable { case none, startTLS = "starttls", implicit }

    /// A mail as the server took it.
    package struct Mail: Decodable, Sendable {
        package var from: String
        package var to: [String]
        package var options: [String]
        package var user: String?
        package var mechanism: String?
        package var tls: Bool
        /// Counts connections that brought mail from 0.
        package var session: Int
        package var hello: String
        /// Decoded; the last where a name stands twice.
        package var headers: [String: String]
        package var kind: String
        /// Texts by kind of content.
        package var parts: [String: String]
        /// Bytes of the longest line.
        package var longest: Int
        package var raw: String
    }

    package let port: Int
    private let process: TestProcess

    private init(_ process: TestProcess, port: Int) {
        self.process = process
        self.port = port
    }

    /// - Parameter certificate: one of `TestCertificates`.
    package static func start(
        tls: TLS = .none, certificate: String = "server", user: String? = nil, password: String = "",
        mechanisms: [String] = ["PLAIN"]
    ) async throws -> TestMailServer {
        var arguments = [TestCertificates.fixture("smtp_server.py"), "--tls", tls.rawValue]
        if tls != .none {
            arguments += ["--certificate", try TestCertificates.path(certificate + ".pem")]
            arguments += ["--key", try TestCertificates.path(certificate + ".key")]
        }
        if let user { arguments += ["--user", user, "--password", password] }
        for mechanism in mechanisms { arguments += ["--mechanism", mechanism] }
        let process = try TestProcess(TestProcess.python, arguments)
        guard let port = await process.line().flatMap({ Int($0) }) else { throw POSIXError(.ECHILD) }
        return TestMailServer(process, port: port)
    }

    /// The next mail, once it is there.
    package func next() async throws -> Mail {
        guard let line = await process.line() else { throw POSIXError(.ECHILD) }
        return try JSONDecoder().decode(Mail.self, from: Data(line.utf8))
    }
}
