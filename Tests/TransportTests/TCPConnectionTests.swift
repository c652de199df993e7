import Streams
import TestKit
import Testing
import Transport

@Suite struct TCPConnectionTests {
    @Test func `what is written arrives, and what comes back is read to the end`() async throws {
        let server = try TestTCPServer { socket, _ in
            guard let question = socket.read(count: 300_000) else { return }
            _ = socket.write(question.reversed())
        }
        defer { server.stop() }
        let stream = try await TCPConnector().connect(
            to: "localhost", port: server.port, tls: nil, timeout: .seconds(30))
        let question = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        try await stream.write(question)
        var answer: [UInt8] = []
        while true {
            let bytes = try await stream.read(max: 1000)
            if bytes.isEmpty { break }
            #expect(bytes.count <= 1000)
            answer += bytes
        }
        #expect(answer.count == question.count)
        #expect(answer.elementsEqual(question.reversed()))
        await stream.close()
        await #expect(throws: TransportError.closed) { try await stream.read(max: 1) }
    }

    @Test func `nobody listens: connection refused`() async throws {
        let server = try TestTCPServer { _, _ in }
        server.stop()
        await #expect(throws: TransportError.connect(peer: "127.0.0.1:\(server.port)", reason: "connection refused")) {
            _ = try await TCPConnector().connect(to: "127.0.0.1", port: server.port, tls: nil, timeout: .seconds(30))
        }
    }

    @Test func `a name without an address`() async throws {
        await #expect(throws: TransportError.resolve(host: "no-such-host.invalid", reason: "no such host")) {
            _ = try await TCPConnector().connect(to: "no-such-host.invalid", port: 25, tls: nil, timeout: .seconds(30))
        }
    }

    @Test func `a handshake that is never answered ends at the timeout`() async throws {
        let server = try TestTCPServer { socket, _ in while let bytes = socket.read(), !bytes.isEmpty {} }
        await #expect(throws: TransportError.timeout(after: .milliseconds(50))) {
            _ = try await TCPConnector().connect(
                to: "localhost", port: server.port, tls: TLSSettings(), timeout: .milliseconds(50))
        }
        await server.ended()
    }

    @Test func `cancelling ends a wait at once, in the handshake and when reading`() async throws {
        for tls in [nil, TLSSettings()] {
            let (words, told) = AsyncStream<Void>.makeStream()
            let server = try TestTCPServer { socket, _ in
                if tls == nil { _ = socket.write([1]) } else { _ = socket.read() }
                told.finish()
                while let bytes = socket.read(), !bytes.isEmpty {}
            }
            let port = server.port
            let task = Task {
                let stream = try await TCPConnector().connect(
                    to: "localhost", port: port, tls: tls, timeout: .seconds(3600))
                while !(try await stream.read(max: 10)).isEmpty {}
            }
            for await _ in words {}
            task.cancel()
            await #expect(throws: TransportError.cancelled) { try await task.value }
            await server.ended()
        }
    }

    @Test func `something that is not TLS is told apart`() async throws {
        let server = try TestTCPServer { socket, _ in
            _ = socket.write(Array("220 hello, this is mail\r\n".utf8))
            while let bytes = socket.read(), !bytes.isEmpty {}
        }
        defer { server.stop() }
        await #expect(throws: TransportError.tls(peer: "localhost:\(server.port)", reason: "wrong version number")) {
            _ = try await TCPConnector().connect(
                to: "localhost", port: server.port, tls: TLSSettings(), timeout: .seconds(30))
        }
    }
}
