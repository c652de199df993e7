import Foundation
import Glibc
import Synchronization
import TestKit

/// The built program beside the tests, run as a process; ended by its id when the last reference goes.
///
/// `@unchecked`: the process is told what to do before it starts, asked for its id and its end afterwards.
final class TocsinProcess: @unchecked Sendable {
    /// The program of the same build as the tests.
    static let program: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appending(path: "tocsin").path
    }()

    /// What a run that ends by itself wrote, and how it ended.
    struct Outcome: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    private let process = Process()
    private let exit: Task<Int32, Never>
    private let logFile: URL
    let folder: TemporaryFolder

    /// - Parameter pipeline: the text of its only pipeline file.
    init(_ pipeline: String, in folder: TemporaryFolder, environment: [String: String] = [:]) throws {
        self.folder = folder
        let file = try folder.write("pipelines/main.yaml", pipeline)
        logFile = folder.url.appending(path: "log-\(UUID().uuidString)")
        try Data().write(to: logFile)
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = ["run", file.path, "--listen", "127.0.0.1:0", "--data", folder.path("data")]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: logFile)
        let ended = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            ended.continuation.yield(
                process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus)
            ended.continuation.finish()
        }
        try process.run()
        exit = Task { await ended.stream.first { _ in true } ?? -1 }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

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

    var pid: Int32 { process.processIdentifier }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Returns the exit code when it has ended; a signal's number negative.
    func end() async -> Int32 { await exit.value }

    func terminate() async -> Int32 {
        signal(SIGTERM)
        return await end()
    }

    /// Runs a program to its end, on a thread of its own.
    static func outcome(
        of program: String = program, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try run(program, arguments, environment) })
            }
        }
    }

    private static func run(
        _ program: String, _ arguments: [String], _ environment: [String: String]
    ) throws -> Outcome {
        let folder = try TemporaryFolder()
        let files = [folder.url.appending(path: "out"), folder.url.appending(path: "err")]
        for file in files { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOf: files[0], encoding: .utf8),
            errors: try String(contentsOf: files[1], encoding: .utf8))
    }
}
