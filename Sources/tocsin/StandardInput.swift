import Actors
import Glibc
import NIOPosix
import Streams

/// Standard input, whatever it is: a terminal, a pipe, a file. Waits on a thread of its own.
struct StandardInput: Sendable {
    struct Unreadable: Error, CustomStringConvertible {
        let number: Int32
        var description: String { "can't read standard input: \(String(cString: strerror(number)))" }
    }

    /// What one look at the input brought.
    struct Piece: Sendable {
        var bytes: [UInt8]
        /// When it came.
        var time: Timestamp
    }

    struct Reading: Sendable {
        var pieces: [Piece] = []
        /// Nothing more will come.
        var isEnd = false

        var byteCount: Int { pieces.reduce(0) { $0 + $1.bytes.count } }
    }

    var clock: any WallClock = SystemClock()

    /// What comes: returns at `max` bytes, at the end, and, once there is something, when `duration` has passed.
    func read(max: Int, within duration: Duration?) async throws -> Reading {
        try await NIOThreadPool.singleton.runIfActive { try collect(max: max, within: duration) }
    }

    private func collect(max: Int, within duration: Duration?) throws -> Reading {
        var reading = Reading()
        var deadline: ContinuousClock.Instant?
        while reading.byteCount < max {
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero, try Self.isReadable(within: left) else { break }
            }
            guard let piece = try Self.piece(max: min(max - reading.byteCount, 64 << 10)) else {
                reading.isEnd = true
                break
            }
            reading.pieces.append(Piece(bytes: piece, time: clock.now()))
            if deadline == nil { deadline = duration.map { ContinuousClock.now + $0 } }
        }
        return reading
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
