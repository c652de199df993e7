package import Foundation
import Glibc

/// What a server on 127.0.0.1 answered.
package struct LoopbackAnswer: Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
    /// The body as JSON; fails the caller when it is none.
    package func json() throws -> NSDictionary {
        guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? NSDictionary else {
            throw POSIXError(.EBADMSG)
        }
        return object
    }
}

/// An HTTP client made of one blocking socket a request, which sends exactly what a test says, however wrong. Each call
/// has a thread of its own, so that none waits on the pool of tasks.
package struct LoopbackClient: Sendable {
    package let port: Int
    package init(port: Int) { self.port = port }

    /// One request on a connection of its own.
    package func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
    ) async throws -> LoopbackAnswer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if headers["Transfer-Encoding"] == nil { head += "Content-Length: \(body.count)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + body
        return try await talk { socket in
            // A server may answer and close before it has read everything.
            _ = socket.write(bytes)
            return try Self.answer(from: socket, hasBody: method != "HEAD")
        }
    }

    package func send(
        _ method: String, _ path: String, headers: [String: String] = [:], text: String
    ) async throws -> LoopbackAnswer {
        try await send(method, path, headers: headers, body: Array(text.utf8))
    }

    package func get(_ path: String, headers: [String: String] = [:]) async throws -> LoopbackAnswer {
        try await send("GET", path, headers: headers)
    }

    /// Talks on a connection as the test likes, on a thread of its own; it is closed afterwards.
    package func talk<Result: Sendable>(
        _ body: @escaping @Sendable (TestSocket) throws -> Result
    ) async throws -> Result {
        let port = port
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Swift.Result { try Self.onConnection(to: port, body) })
            }
        }
    }

    private static func onConnection<Result>(to port: Int, _ body: (TestSocket) throws -> Result) throws -> Result {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return try body(TestSocket(descriptor))
    }

    /// Reads one answer; its body is what its length or its chunks say, else everything until the end.
    package static func answer(from socket: TestSocket, hasBody: Bool = true) throws -> LoopbackAnswer {
        guard let head = socket.read(until: Array("\r\n\r\n".utf8)) else { throw POSIXError(.ECONNRESET) }
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw POSIXError(.EBADMSG) }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw POSIXError(.EBADMSG) }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        var answer = LoopbackAnswer(status: status, headers: headers, body: [])
        if !hasBody || status == 204 || status == 304 || status < 200 { return answer }
        if headers["transfer-encoding"] == "chunked" {
            while let size = socket.read(until: [13, 10]),
                let count = Int(String(decoding: size, as: UTF8.self), radix: 16)
            {
                guard let chunk = socket.read(count: count + 2) else { throw POSIXError(.ECONNRESET) }
                if count == 0 { break }
                answer.body += chunk.dropLast(2)
            }
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            guard let body = socket.read(count: length) else { throw POSIXError(.ECONNRESET) }
            answer.body = body
        } else {
            while let chunk = socket.read(), !chunk.isEmpty { answer.body += chunk }
        }
        return answer
    }
}

/// Waits until something holds, looking again and again; false when it still does not after a time that is long even on
/// a busy machine.
package func eventually(
    within limit: Duration = .seconds(60), _ holds: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock().now + limit
    while true {
        if try await holds() { return true }
        if ContinuousClock().now > deadline { return false }
        try? await Task.sleep(for: .milliseconds(2))  // tidy: lets others go on; what is waited for is the fact
    }
}
