import Synchronization

/// A mail server that says what a test tells it to, however wrong.
package final class ScriptedMailServer: Sendable {
    /// What was heard: command lines, and messages without their dots removed.
    package struct Heard: Sendable, Equatable {
        package var connection: Int
        package var line: String
    }

    private final class Log: Sendable {
        let heard = Mutex<[Heard]>([])
    }

    private let server: TestTCPServer
    private let log = Log()

    /// - Parameter reply: the answer to a verb on a connection (by number): `GREETING`, `EHLO`, ..., `.` for a message.
    ///   Nil: what a friendly server says. `DROP` ends the connection, `HANG` says nothing any more.
    package init(_ reply: @escaping @Sendable (_ connection: Int, _ line: String) -> String?) throws {
        let log = log
        server = try TestTCPServer { socket, connection in
            func answer(_ line: String, else friendly: String) -> String? {
                let text = reply(connection, line) ?? friendly
                if text == "DROP" { return nil }
                if text == "HANG" {
                    while let bytes = socket.read(), !bytes.isEmpty {}
                    return nil
                }
                return socket.write(Array((text + "\r\n").utf8)) ? text : nil
            }
            guard answer("GREETING", else: "220 mail.test") != nil else { return }
            while let bytes = socket.read(until: [13, 10]) {
                let line = String(decoding: bytes, as: UTF8.self)
                log.heard.withLock { $0.append(Heard(connection: connection, line: line)) }
                let verb = line.prefix { $0 != " " }.uppercased()
                guard let said = answer(line, else: Self.friendly[verb] ?? "250 fine") else { return }
                if verb == "QUIT" { return }
                guard verb == "DATA", said.hasPrefix("354") else { continue }
                var message = ""
                var isWhole = false
                while !isWhole, let bytes = socket.read(until: [13, 10]) {
                    isWhole = bytes == [46]
                    if !isWhole { message += String(decoding: bytes, as: UTF8.self) + "\n" }
                }
                // Cut off in the middle: nobody gets it.
                guard isWhole else { return }
                let whole = message
                log.heard.withLock { $0.append(Heard(connection: connection, line: whole)) }
                guard answer(".", else: "250 taken") != nil else { return }
            }
        }
    }

    private static let friendly = ["DATA": "354 go on", "QUIT": "221 bye"]

    package var port: Int { server.port }
    package var connections: Int { server.connections }
    package var heard: [Heard] { log.heard.withLock { $0 } }
    package var lines: [String] { heard.map(\.line) }
    package func ended(_ count: Int = 1) async { await server.ended(count) }
    package func stop() { server.stop() }
}
