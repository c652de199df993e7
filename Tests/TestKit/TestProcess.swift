import Foundation
import Glibc
import Synchronization

/// A program that runs beside a test. It is ended by its id when the last reference goes, whatever the test did.
///
/// `@unchecked`: `Process` is told what to do before it starts, asked for its id and its end afterwards.
package final class TestProcess: @unchecked Sendable {
    /// The Python that has the test requirements: `TOCSIN_TEST_PYTHON`, else `python3`.
    package static let python = ProcessInfo.processInfo.environment["TOCSIN_TEST_PYTHON"] ?? "python3"

    private let process = Process()
    private let input = Pipe()
    private let lines: LineReader
    package var pid: Int32 { process.processIdentifier }
    package var isRunning: Bool { process.isRunning }

    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        lines = LineReader(output.fileHandleForReading)
        try process.run()
        lines.start()
    }

    deinit { stop() }

    /// The next line of its standard output, without the end; nil once the program has closed it.
    package func line() async -> String? { await lines.next() }

    package func send(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    package func stop() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// What a program that ends by itself writes to its standard output.
    package static func output(_ program: String, _ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw POSIXError(.ECHILD) }
        return Array(bytes)
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
