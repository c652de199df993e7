import Glibc
import Synchronization

/// A non-blocking TCP socket, closed with its last reference.
final class Socket: Sendable {
    let peer: String
    private let poller: SocketPoller
    /// -1 once it is closed.
    private let slot: Mutex<Int32>

    init(_ poller: SocketPoller, family: Int32, peer: String) throws(TransportError) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw .connect(peer: peer, reason: SystemError.text(errno)) }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        self.peer = peer
        self.poller = poller
        slot = Mutex(descriptor)
    }

    deinit { close() }

    func close() {
        slot.withLock { descriptor in
            guard descriptor >= 0 else { return }
            poller.forget(descriptor)
            Glibc.close(descriptor)
            descriptor = -1
        }
    }

    private func open() throws(TransportError) -> Int32 {
        let descriptor = slot.withLock { $0 }
        guard descriptor >= 0 else { throw .closed }
        return descriptor
    }

    private func failure(_ number: Int32) -> TransportError {
        .connect(peer: peer, reason: SystemError.text(number))
    }

    func connect(to address: SocketAddress) async throws(TransportError) {
        let descriptor = try open()
        let result = address.bytes.withUnsafeBytes { bytes in
            Glibc.connect(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        if result == 0 { return }
        guard errno == EINPROGRESS || errno == EINTR else { throw failure(errno) }
        try await poller.ready(descriptor, .write)
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length)
        if number != 0 { throw failure(number) }
    }

    /// At least one byte; none at the end.
    func receive(max: Int) async throws(TransportError) -> [UInt8] {
        while true {
            let descriptor = try open()
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: max) { buffer, initialized in
                count = recv(descriptor, buffer.baseAddress, max, 0)
                initialized = Swift.max(0, count)
            }
            if count >= 0 { return bytes }
            switch errno {
            case EINTR: continue
            case EAGAIN: try await poller.ready(descriptor, .read)
            default: throw failure(errno)
            }
        }
    }

    func send(_ bytes: [UInt8]) async throws(TransportError) {
        var sent = 0
        while sent < bytes.count {
            let descriptor = try open()
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { Glibc.send(descriptor, $0 + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
                    ?? 0
            }
            if count >= 0 {
                sent += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try await poller.ready(descriptor, .write)
            default: throw failure(errno)
            }
        }
    }

    /// Sends what the system takes at once; the rest is lost.
    func trySend(_ bytes: [UInt8]) {
        guard let descriptor = try? open() else { return }  // closed: nobody to say goodbye to
        _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
