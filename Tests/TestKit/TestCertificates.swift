import Foundation

/// Certificates made once for all tests of a process: `ca`, and below it `server` (localhost, 127.0.0.1), `named`
/// (mail.example), `wild` (*.mail.example, p*.example), `nameless` (a common name localhost only), `expired` and `client`; `selfsigned` is its own authority. Each as `.pem` and `.key`.
package enum TestCertificates {
    private static let folder = Result { () throws -> TemporaryFolder in
        let folder = try TemporaryFolder()
        let script = try ChildProcess(TestProcess.python, [fixture("certificates.py"), folder.url.path])
        guard script.waitForEnd() == 0 else { throw POSIXError(.ECHILD) }
        atexit { TestCertificates.remove() }
        return folder
    }

    private static func remove() {
        guard case .success(let folder) = folder else { return }
        // What can't be removed is the machine's to clean.
        try? FileManager.default.removeItem(at: folder.url)
    }

    package static func path(_ file: String) throws -> String { try folder.get().path(file) }

    /// A script beside this file.
    package static func fixture(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
    }
}
