import Glibc

/// The server's end of a connection in a test, read and written by one thread that may wait.
package final class TestSocket {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// What has come; empty at the end; nil when the connection broke.
    package func read() -> [UInt8]? {
        if !buffer.isEmpty {
            defer { buffer = [] }
            return buffer
        }
        return receive()
    }

    private func receive() -> [UInt8]? {
        var count = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: 65536) { bytes, initialized in
            count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
            initialized = max(0, count)
        }
        return count < 0 ? nil : chunk
    }

    /// Everything up to `mark`, which is taken too and not returned.
    package func read(until mark: [UInt8]) -> [UInt8]? {
        while true {
            if let index = buffer.indices.first(where: { buffer[$0...].starts(with: mark) }) {
                defer { buffer.removeFirst(index + mark.count) }
                return Array(buffer[..<index])
            }
            guard let chunk = receive(), !chunk.isEmpty else { return nil }
            buffer += chunk
        }
    }

    package func read(count: Int) -> [UInt8]? {
        while buffer.count < count {
            guard let chunk = receive(), !chunk.isEmpty else { return nil }
            buffer += chunk
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// Waits until there is something to read, the end of the connection among it; false when the time is over before.
    package func isReadable(within limit: Duration) -> Bool {
        if !buffer.isEmpty { return true }
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waited, 1, Int32(limit / .milliseconds(1))) > 0
    }

    /// Whether all of it was taken.
    package func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = send(descriptor, bytes.baseAddress! + written, bytes.count - written, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
    }
}
