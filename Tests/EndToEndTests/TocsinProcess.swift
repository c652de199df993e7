import Foundation
import Glibc
import Synchronization
import TestKit

/// The built program beside the tests, run as a process; ended by its id when the last reference goes.
final class TocsinProcess: Sendable {
    /// The program of the same build as the tests.
    static let program: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "tocsin").path
    }()

    private let process: ChildProcess
    private let logFile: URL
    let folder: TemporaryFolder

    /// - Parameter pipeline: the text of its only pipeline file.
    init(_ pipeline: String, in folder: TemporaryFolder, environment: [String: String] = [:], options: [String] = [])
        throws
    {
        self.folder = folder
        let file = try folder.write("pipelines/main.yaml", pipeline)
        logFile = folder.url.appending(path: "log-\(UUID().uuidString)")
        process = try ChildProcess(
            Self.program, ["run", file.path, "--listen", "127.0.0.1:0", "--data", folder.path("data")] + options,
            environment: environment, errors: .file(logFile.path))
    }

    deinit { process.signal(SIGKILL) }

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    /// Waits until it listens.
    func client() async throws -> LoopbackClient {
        let found = Port()
        let isListening = await eventually {
            found.value = log.split(separator: "\n").first { $0.contains("Listening.") }
                .flatMap { $0.split(separator: ":").last.flatMap { Int($0) } }
            return found.value != nil || !process.isRunning
        }
        guard isListening, let port = found.value else { throw Failed(description: "it does not listen: \(log)") }
        let client = LoopbackClient(port: port)
        let isReady = await eventually { (try? await client.get("/-/ready").status) == 200 }
        guard isReady else { throw Failed(description: "it is not ready: \(log)") }
        return client
    }

    private final class Port {
        var value: Int?
    }

    var pid: Int32 { process.pid }

    func signal(_ number: Int32) { process.signal(number) }

    /// Returns the exit code when it has ended; a signal's number negative.
    func end() async -> Int32 { await process.end() }

    func terminate() async -> Int32 {
        signal(SIGTERM)
        return await end()
    }

    /// Runs a program to its end.
    static func outcome(
        of program: String = program, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await Outcome(of: program, arguments, environment: environment)
    }
}
