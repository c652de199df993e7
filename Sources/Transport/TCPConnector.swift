import Glibc
import Streams

/// Connects over TCP. It may be kept for as long as the program runs; threads exist only while something is looked up or
/// waited for.
package final class TCPConnector: ByteStreamConnector {
    private let resolver = Resolver()
    private let poller = SocketPoller()

    package init() {}

    package func connect(
        to host: String, port: Int, tls: TLSSettings?, timeout: Duration
    ) async throws(TransportError) -> any ByteStream {
        guard (1...65535).contains(port) else { throw .invalidRequest(reason: "\(port) is not a port") }
        return try await withTimeout(timeout) { () async throws(TransportError) -> any ByteStream in
            let connection = try await self.open(host, port, timeout)
            if let tls { try await connection.startTLS(tls, host: host) }
            return connection
        }
    }

    /// Tries one address after the other; each gets its share of the time that is left.
    private func open(_ host: String, _ port: Int, _ timeout: Duration) async throws(TransportError) -> TCPConnection {
        let deadline = ContinuousClock.now + timeout
        let plain = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        var left = try await resolver.addresses(of: plain, port: port)[...]
        var failure = TransportError.timeout(after: timeout)
        while let address = left.first {
            let share = ContinuousClock.now.duration(to: deadline) / left.count
            left = left.dropFirst()
            do throws(TransportError) {
                let peer = "\(host):\(port)"
                return try await withTimeout(share) { () async throws(TransportError) -> TCPConnection in
                    try await TCPConnection(self.poller, address, peer: peer)
                }
            } catch {
                failure = error
                if error == .cancelled { break }
            }
        }
        throw failure
    }
}
