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
    }

    /// What the connections' threads share with the test.
    private final class Log: Sendable {
        let state = Mutex(State())
    }

    private let server: TestTCPServer
    private let log: Log

    package init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        let log = Log()
        self.log = log
        server = try TestTCPServer { socket, connection in Self.serve(socket, connection, log, answer) }
    }

    package var port: Int { server.port }
    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [Request] { log.state.withLock { $0.requests } }

    /// Returns once that many requests have come in.
    package func received(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let now = log.state.withLock { state in
                if state.requests.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Returns once a connection has been ended by its client, or by the server after its answer.
    package func connectionEnded() async { await server.ended() }

    /// Ends the listening and all connections.
    package func stop() { server.stop() }

    private static func serve(
        _ socket: TestSocket, _ connection: Int, _ log: Log, _ answer: (Request) -> Answer
    ) {
        while let request = read(socket, connection) {
            let waiters = log.state.withLock { state in
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
                    usleep(UInt32(pause / .microseconds(1)))  // tidy: being slow is what this server is for
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

    private static func read(_ socket: TestSocket, _ connection: Int) -> Request? {
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
