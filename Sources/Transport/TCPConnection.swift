import COpenSSL
import Glibc
import Streams

/// A TCP connection, with TLS from `startTLS` on. All calls to the system are non-blocking; what has to wait, waits in the
/// poller.
actor TCPConnection: ByteStream {
    private let socket: Socket
    private var tls: TLSSession?

    init(_ poller: SocketPoller, _ address: SocketAddress, peer: String) async throws(TransportError) {
        socket = try Socket(poller, family: address.family, peer: peer)
        try await socket.connect(to: address)
    }

    func read(max: Int) async throws(TransportError) -> [UInt8] {
        guard let tls else { return try await socket.receive(max: max) }
        while true {
            switch try tls.read(max: max) {
            case .bytes(let bytes):
                return bytes
            case .ended:
                return []
            case .needsInput:
                try await socket.send(tls.takeOutput())
                let bytes = try await socket.receive(max: 16 << 10)
                if bytes.isEmpty { return [] }
                tls.feed(bytes)
            }
        }
    }

    func write(_ bytes: [UInt8]) async throws(TransportError) {
        guard let tls else { return try await socket.send(bytes) }
        var rest = bytes[...]
        // A piece at a time, so that the encrypted copy stays small.
        while !rest.isEmpty {
            let piece = rest.prefix(64 << 10)
            rest = rest.dropFirst(piece.count)
            try tls.write(Array(piece))
            try await socket.send(tls.takeOutput())
        }
    }

    func startTLS(_ settings: TLSSettings, host: String) async throws(TransportError) {
        precondition(tls == nil, "TLS starts once")
        let session = try TLSSession(settings, host: host, peer: socket.peer)
        while !(try session.handshake()) {
            try await socket.send(session.takeOutput())
            let bytes = try await socket.receive(max: 16 << 10)
            guard !bytes.isEmpty else {
                throw .tls(peer: socket.peer, reason: "the connection was closed in the handshake")
            }
            session.feed(bytes)
        }
        try await socket.send(session.takeOutput())
        tls = session
    }

    func close() {
        if let tls {
            tls.close()
            socket.trySend(tls.takeOutput())
        }
        socket.close()
    }
}
