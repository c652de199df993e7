import Foundation
import Glibc
import Synchronization

/// A program that was started, and its end: the one way in which tests start anything.
///
/// Foundation's `Process` isn't used: before it starts a program it reads the names of all open files past the end
/// of a buffer, and crashes at times once there are about 1,300 of them; a run of every test has as many.
package final class ChildProcess: Sendable {
    /// Where a standard stream of the program goes; what isn't named goes nowhere.
    package enum Stream: Sendable {
        case nowhere
        /// A file, made if it isn't there, written from its start.
        case file(String)
        case descriptor(Int32)
    }

    package struct NotStarted: Error, CustomStringConvertible {
        package var program: String
        package var code: Int32

        package var description: String { "\(program) does not start: \(String(cString: strerror(code)))" }
    }

    private struct State {
        /// The exit code once it has ended; a signal's number negative.
        var status: Int32?
        var waiters: [@Sendable (Int32) -> Void] = []
    }

    package let pid: Int32
    private let state = Mutex(State())

    /// Starts a program, found on `PATH` unless its name has a slash.
    ///
    /// - Parameter environment: put over that of the tests.
    /// - Throws: ``NotStarted``.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: Stream = .nowhere,
        output: Stream = .nowhere, errors: Stream = .descriptor(2)
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, stream) in zip(Int32(0)..., [input, output, errors]) {
            switch stream {
            case .nowhere: posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
            case .file(let path):
                posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            case .descriptor(let other): posix_spawn_file_actions_adddup2(&actions, other, descriptor)
            }
        }
        precondition(addCloseFrom(&actions, 3) == 0)

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = Self.environment(with: environment).map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, program, &actions, nil, &words, &variables)
        guard code == 0 else { throw NotStarted(program: program, code: code) }
        self.pid = pid
        Thread.detachNewThread { [self] in reap() }
    }

    package var isRunning: Bool { state.withLock { $0.status == nil } }

    /// Sends a signal, to nobody if it has ended.
    package func signal(_ number: Int32) {
        state.withLock { if $0.status == nil { kill(pid, number) } }
    }

    /// Returns the exit code when it has ended; a signal's number negative.
    package func end() async -> Int32 {
        await withCheckedContinuation { continuation in whenEnded { continuation.resume(returning: $0) } }
    }

    /// Blocks until it has ended: for what a lazy value needs.
    package func waitForEnd() -> Int32 {
        let ended = DispatchSemaphore(value: 0)
        whenEnded { _ in ended.signal() }
        ended.wait()
        return state.withLock { $0.status ?? -1 }
    }

    private func whenEnded(_ body: @escaping @Sendable (Int32) -> Void) {
        let status = state.withLock { state in
            if state.status == nil { state.waiters.append(body) }
            return state.status
        }
        if let status { body(status) }
    }

    /// Its number can't become another's before the state says that it has ended: it's taken under the lock.
    private func reap() {
        while waitid(P_PID, id_t(pid), nil, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let (status, waiters) = state.withLock { state in
            var ended: Int32 = 0
            while waitpid(pid, &ended, 0) < 0, errno == EINTR {}
            let signal = ended & 0x7f
            let status = signal == 0 ? (ended >> 8) & 0xff : -signal
            state.status = status
            defer { state.waiters = [] }
            return (status, state.waiters)
        }
        for waiter in waiters { waiter(status) }
    }

    private static func environment(with changes: [String: String]) -> [String] {
        var result: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if changes[String(text.prefix { $0 != "=" })] == nil { result.append(text) }
            next += 1
        }
        return result + changes.map { "\($0)=\($1)" }
    }
}

/// `posix_spawn_file_actions_addclosefrom_np` (glibc 2.34), which the module of the headers leaves out.
@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
private func addCloseFrom(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32) -> Int32
