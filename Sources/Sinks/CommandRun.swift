import Glibc
import Streams

/// One run of a program: its input written, its output read as far as it is kept, its end awaited for a while.
struct CommandRun: Sendable {
    /// The program's path and its arguments.
    var words: [String]
    /// `NAME=value`; all that the program sees.
    var variables: [String]
    var input: [UInt8]
    var timeout: Duration

    enum Outcome {
        /// With the beginning of what was printed, standard error among it.
        case exited(Int32, [UInt8])
        case killed(signal: Int32, [UInt8])
        case timedOut
        case cancelled
        case notStarted(Int32)
    }

    /// Of the output; the rest is read and forgotten.
    private static let outputKept = 4096
    /// How long nothing is looked at but the pipes.
    private static let tick: Int32 = 20

    /// Blocks until the program has ended. One that takes too long, or that nobody waits for any more, is killed with all
    /// that it has started in its group.
    func run(_ cancellation: BlockingWork.Cancellation) -> Outcome {
        Self.withoutBrokenPipes { exchange(cancellation) }
    }

    /// Writing to a program that does not read is an error and no signal, which would end this one.
    private static func withoutBrokenPipes(_ body: () -> Outcome) -> Outcome {
        var (pipe, before) = (sigset_t(), sigset_t())
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer {
            var none = timespec()
            if sigismember(&before, SIGPIPE) == 0 { while sigtimedwait(&pipe, nil, &none) == SIGPIPE {} }
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return body()
    }

    private func exchange(_ cancellation: BlockingWork.Cancellation) -> Outcome {
        var (feed, drain): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe2(&feed, O_CLOEXEC) == 0 else { return .notStarted(errno) }
        guard pipe2(&drain, O_CLOEXEC) == 0 else {
            let code = errno
            feed.forEach { close($0) }
            return .notStarted(code)
        }
        var pid: pid_t = 0
        let code = spawn(&pid, input: feed[0], output: drain[1])
        close(feed[0])
        close(drain[1])
        guard code == 0 else {
            close(feed[1])
            close(drain[0])
            return .notStarted(code)
        }
        var pipes = Pipes(input: feed[1], output: drain[0], bytes: input)
        defer { pipes.end() }
        return wait(for: pid, &pipes, cancellation)
    }

    private func wait(
        for pid: pid_t, _ pipes: inout Pipes, _ cancellation: BlockingWork.Cancellation
    ) -> Outcome {
        let deadline = ContinuousClock.now + timeout
        while true {
            pipes.exchange(wait: Self.tick)
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            if ended == pid {
                pipes.exchange(wait: 0)
                let signal = status & 0x7f
                return signal == 0 ? .exited((status >> 8) & 0xff, pipes.kept) : .killed(signal: signal, pipes.kept)
            }
            let isLate = ContinuousClock.now >= deadline
            guard isLate || cancellation.isRequested else { continue }
            // Its group bears its number, and the number is its own until it has been waited for.
            kill(-pid, SIGKILL)
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            return isLate ? .timedOut : .cancelled
        }
    }

    private func spawn(_ pid: inout pid_t, input: Int32, output: Int32) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var arguments = words.map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        return posix_spawn(&pid, words[0], &actions, &attributes, &arguments, &environment)
    }

    /// Both ends of ours, neither of which waits.
    private struct Pipes {
        private var input: Int32
        private var output: Int32
        private var rest: ArraySlice<UInt8>
        private(set) var kept: [UInt8] = []

        init(input: Int32, output: Int32, bytes: [UInt8]) {
            self.input = input
            self.output = output
            rest = bytes[...]
            for descriptor in [input, output] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        }

        /// Writes and reads as much as can be, after waiting that many milliseconds for the first byte of either.
        mutating func exchange(wait: Int32) {
            var polls = [
                pollfd(fd: input, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            ]
            // Closed ends are -1, which poll passes over: then it is the pause between two looks at the program.
            poll(&polls, 2, wait)
            write()
            read()
        }

        private mutating func write() {
            while input >= 0 {
                let count = rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
                if count > 0 { rest = rest.dropFirst(count) }
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { return }
                // All is written, or the program does not want it.
                guard count < 0 || rest.isEmpty else { continue }
                close(input)
                input = -1
            }
        }

        private mutating func read() {
            var buffer = [UInt8](repeating: 0, count: 4096)
            // A program that prints without end is looked after all the same.
            for _ in 0..<64 where output >= 0 {
                let count = Glibc.read(output, &buffer, buffer.count)
                if count < 0, errno == EAGAIN || errno == EINTR { return }
                if count > 0 {
                    kept += buffer.prefix(min(count, CommandRun.outputKept - kept.count))
                } else {
                    close(output)
                    output = -1
                }
            }
        }

        mutating func end() {
            for descriptor in [input, output] where descriptor >= 0 { close(descriptor) }
            (input, output) = (-1, -1)
        }
    }
}

/// Linux's `pipe2`, which the module of the headers leaves out: no other program that starts meanwhile gets the ends.
@_silgen_name("pipe2")
private func pipe2(_ ends: UnsafeMutablePointer<Int32>, _ flags: Int32) -> Int32
