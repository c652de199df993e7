import Foundation
import Glibc
import Synchronization

/// A program that runs beside a test. It is ended by its id when the last reference goes, whatever the test did.
package final class TestProcess: Sendable {
    /// The Python that has the test requirements: `TOCSIN_TEST_PYTHON`, else `python3`.
    package static let python = ProcessInfo.processInfo.environment["TOCSIN_TEST_PYTHON"] ?? "python3"

    private let process: ChildProcess
    private let input = Pipe()
    private let lines: LineReader
    package var pid: Int32 { process.pid }
    package var isRunning: Bool { process.isRunning }

    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let output = Pipe()
        process = try ChildProcess(
            program, arguments, environment: environment, input: .descriptor(input.fileHandleForReading.fileDescriptor),
            output: .descriptor(output.fileHandleForWriting.fileDescriptor))
        try input.fileHandleForReading.close()
        try output.fileHandleForWriting.close()
        lines = LineReader(output.fileHandleForReading)
        lines.start()
    }

    deinit { stop() }

    /// The next line of its standard output, without the end; nil once the program has closed it.
    package func line() async -> String? { await lines.next() }

    package func send(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    package func stop() { process.signal(SIGKILL) }

    /// What a program that ends by itself, with 0, writes to its standard output.
    package static func output(_ program: String, _ arguments: [String]) async throws -> [UInt8] {
        let outcome = try await Outcome(of: program, arguments)
        guard outcome.status == 0 else { throw outcome }
        return outcome.bytes
    }
}

/// What a run that ends by itself wrote, and how it ended.
package struct Outcome: Error, Sendable {
    /// The exit code; a signal's number negative.
    package var status: Int32
    package var bytes: [UInt8]
    package var errors: String

    package var output: String { String(decoding: bytes, as: UTF8.self) }

    /// Runs a program to its end.
    ///
    /// - Throws: ``ChildProcess/NotStarted``, or what reading its output gives.
    package init(of program: String, _ arguments: [String], environment: [String: String] = [:]) async throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            program, arguments, environment: environment, output: .file(folder.path("out")),
            errors: .file(folder.path("err")))
        status = await process.end()
        bytes = Array(try Data(contentsOf: folder.url.appending(path: "out")))
        errors = try String(contentsOf: folder.url.appending(path: "err"), encoding: .utf8)
    }
}

/// Lines from a pipe, read by a thread, taken by one task.
private final class LineReader: Sendable {
    private struct State {
        var lines: [String] = []
        var ended = false
        var waiter: CheckedContinuation<String?, Never>?
    }

    private let handle: FileHandle
    private let state = Mutex(State())

    init(_ handle: FileHandle) { self.handle = handle }

    func start() {
        Thread.detachNewThread { [self] in
            var rest = Data()
            while true {
                let chunk = handle.availableData
                if chunk.isEmpty { break }
                rest += chunk
                while let end = rest.firstIndex(of: 10) {
                    put(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
            put(nil)
        }
    }

    private func put(_ line: String?) {
        let waiter = state.withLock { state in
            if let waiter = state.waiter {
                state.waiter = nil
                if line == nil { state.ended = true }
                return Optional(waiter)
            }
            if let line { state.lines.append(line) } else { state.ended = true }
            return nil
        }
        waiter?.resume(returning: line)
    }

    func next() async -> String? {
        await withCheckedContinuation { continuation in
            let result: String?? = state.withLock { state in
                if !state.lines.isEmpty { return .some(state.lines.removeFirst()) }
                if state.ended { return .some(nil) }
                state.waiter = continuation
                return .none
            }
            if let result { continuation.resume(returning: result) }
        }
    }
}
