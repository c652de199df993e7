import Glibc
import NIOPosix
import Streams

/// Standard input, whatever it is: a terminal, a pipe, a file. Waits on a thread of its own.
struct StandardInput: Sendable {
    struct Unreadable: Error, CustomStringConvertible {
        let number: Int32
        var description: String { "can't read standard input: \(String(cString: strerror(number)))" }
    }

    /// What comes: returns at `max` bytes, at the end, and, once there is something, when `duration` has passed.
    /// - Returns: at least one byte; nil at the end.
    func read(max: Int, within duration: Duration?) async throws -> [UInt8]? {
        try await NIOThreadPool.singleton.runIfActive { try Self.collect(max: max, within: duration) }
    }

    private static func collect(max: Int, within duration: Duration?) throws -> [UInt8]? {
        var collected: [UInt8] = []
        var deadline: ContinuousClock.Instant?
        while collected.count < max {
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero, try isReadable(within: left) else { break }
            }
            guard let piece = try piece(max: min(max - collected.count, 64 << 10)) else {
                return collected.isEmpty ? nil : collected
            }
            collected += piece
            if deadline == nil { deadline = duration.map { ContinuousClock.now + $0 } }
        }
        return collected
    }

    private static func isReadable(within left: Duration) throws -> Bool {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: left.wholeMilliseconds + 1)
        while true {
            let count = poll(&descriptor, 1, milliseconds)
            if count >= 0 { return count > 0 }
            guard errno == EINTR else { throw Unreadable(number: errno) }
        }
    }

    /// Nil at the end.
    private static func piece(max: Int) throws -> [UInt8]? {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: max) { buffer, initialized in
                count = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                initialized = Swift.max(0, count)
            }
            if count > 0 { return bytes }
            if count == 0 { return nil }
            guard errno == EINTR else { throw Unreadable(number: errno) }
        }
    }
}
