/// Bytes both ways between two programs, used by one task at a time. Whoever waits in it and is cancelled gets `.cancelled`
/// at once, and the stream is of no more use then.
package protocol ByteStream: Sendable {
    /// At least one byte and at most `max`; none at the end.
    func read(max: Int) async throws(TransportError) -> [UInt8]
    /// Returns when the system has taken all of them.
    func write(_ bytes: [UInt8]) async throws(TransportError)
    /// Shakes hands. `host` is who the certificate must name, unless the settings have a name of their own.
    func startTLS(_ settings: TLSSettings, host: String) async throws(TransportError)
    /// Ends the stream without waiting for the other side.
    func close() async
}

/// Whoever makes byte streams: the network, or a test's own.
package protocol ByteStreamConnector: Sendable {
    /// - Parameter tls: where given, the handshake is done too, within the same time.
    func connect(
        to host: String, port: Int, tls: TLSSettings?, timeout: Duration
    ) async throws(TransportError) -> any ByteStream
}
