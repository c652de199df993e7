import Foundation
import Glibc
import Synchronization

/// An HTTP server for tests: real sockets on 127.0.0.1, a free port, a thread a connection, and answers as bad as asked for.
package final class TestHTTPServer: Sendable {
    package struct Request: Sendable {
        package var method: String
        /// With the query.
        package var path: String
        /// Names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]
        /// Counts connections from 0, to see which requests shared one.
        package var connection: Int

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package enum Answer: Sendable {
        case respond(Int, headers: [String: String] = [:], body: [UInt8] = [])
        /// These bytes, then the end of the connection.
        case raw([UInt8])
        /// These pieces, one after the other, each followed by the signal's wait; then the connection stays.
        case pieces([[UInt8]], pause: Duration)
        /// Nothing, until the server stops or the client goes.
        case hang
        /// The head, then zeroes for as long as the client takes them.
        case endless(head: String)

        package static func text(_ status: Int, _ body: String, headers: [String: String] = [:]) -> Answer {
            .respond(status, headers: headers, body: Array(body.utf8))
        }
    }

    private struct State {
        var requests: [Request] = []
        var waiters: [(count: Int, CheckedContinuation<Void, Never>)] = []
        var descriptors: Set<Int32> = []
        var connections = 0
        var goneWaiters: [CheckedContinuation<Void, Never>] = []
        var gone = 0
        var stopped = false
    }

    package let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let answer: @Sendable (Request) -> Answer

    package init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        self.answer = answer
        (listener, port) = try Self.listen()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                guard let self else {
                    close(descriptor)
                    return
                }
                self.take(descriptor)
            }
        }
    }

    deinit { stop() }

    private static func listen() throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) != 0 || Glibc.listen(descriptor, 1024) != 0
                    || getsockname(descriptor, $0, &length) != 0
            }
        }
        if failed { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [Request] { state.withLock { $0.requests } }

    /// Returns once that many requests have come in.
    package func received(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if state.requests.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Returns once a connection has been ended by its client, or by the server after its answer.
    package func connectionEnded() async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if state.gone > 0 { return true }
                state.goneWaiters.append(continuation)
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Ends the listening and all connections.
    package func stop() {
        let descriptors = state.withLock { state in
            guard !state.stopped else { return Set<Int32>() }
            state.stopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
            return state.descriptors
        }
        for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    private func take(_ descriptor: Int32) {
        let number: Int? = state.withLock { state in
            guard !state.stopped else { return nil }
            state.descriptors.insert(descriptor)
            state.connections += 1
            return state.connections - 1
        }
        guard let number else {
            close(descriptor)
            return
        }
        Thread.detachNewThread { [self] in
            serve(TestSocket(descriptor), number)
            let waiters = state.withLock { state in
                state.descriptors.remove(descriptor)
                close(descriptor)
                state.gone += 1
                defer { state.goneWaiters = [] }
                return state.goneWaiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private func serve(_ socket: TestSocket, _ connection: Int) {
        while let request = read(socket, connection) {
            let waiters = state.withLock { state in
                state.requests.append(request)
                let count = state.requests.count
                let due = state.waiters.filter { $0.count <= count }
                state.waiters.removeAll { $0.count <= count }
                return due
            }
            for waiter in waiters { waiter.1.resume() }
            switch answer(request) {
            case .respond(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.count)\r\n"
                for (name, value) in headers { head += "\(name): \(value)\r\n" }
                let bytes = Array((head + "\r\n").utf8) + (request.method == "HEAD" ? [] : body)
                guard socket.write(bytes) else { return }
            case .raw(let bytes):
                _ = socket.write(bytes)
                return
            case .pieces(let pieces, let pause):
                for piece in pieces {
                    guard socket.write(piece) else { return }
                    usleep(UInt32(pause / .microseconds(1)))
                }
            case .hang:
                while let chunk = socket.read(), !chunk.isEmpty {}
                return
            case .endless(let head):
                guard socket.write(Array(head.utf8)) else { return }
                while socket.write([UInt8](repeating: 0, count: 65536)) {}
                return
            }
        }
    }

    private func read(_ socket: TestSocket, _ connection: Int) -> Request? {
        guard let head = socket.read(until: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        guard let body = socket.read(count: Int(headers["content-length"] ?? "0") ?? 0) else { return nil }
        return Request(
            method: String(words[0]), path: String(words[1]), headers: headers, body: body, connection: connection)
    }
}
