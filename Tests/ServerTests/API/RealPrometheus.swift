import Foundation
import Glibc
import TestKit

/// A real Prometheus beside a test, loaded by remote write: what it answers is what clients expect.
final class RealPrometheus: Sendable {
    static let path = "/usr/bin/prometheus"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    private let process: TestProcess
    private let folder: TemporaryFolder
    let client: LoopbackClient

    struct DoesNotStart: Error {}

    /// - Parameter rules: a rule file.
    static func start(rules: String) async throws -> RealPrometheus {
        // Another program may take the port between finding it free and listening on it.
        for _ in 0..<5 {
            let started = try RealPrometheus(port: try freePort(), rules: rules)
            let isReady = await eventually(within: .seconds(30)) {
                (try? await started.client.get("/-/ready").status) == 200 || !started.process.isRunning
            }
            if isReady, started.process.isRunning { return started }
        }
        throw DoesNotStart()
    }

    private init(port: Int, rules: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("rules.yml", rules)
        let target = "scrape_configs: [{job_name: models, static_configs: [{targets: ['localhost:1']}]}]"
        let config = try folder.write(
            "prometheus.yml", "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n\(target)\n")
        self.folder = folder
        client = LoopbackClient(port: port)
        process = try TestProcess(
            Self.path,
            [
                "--config.file=\(config.path)", "--storage.tsdb.path=\(folder.path("data"))",
                "--web.listen-address=127.0.0.1:\(port)", "--web.enable-remote-write-receiver", "--log.level=error",
            ])
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
