import COpenSSL
import Glibc
import Streams

/// The client's side of TLS, as a machine without a socket: what came from the other side is fed in, what has to go there is
/// taken out.
final class TLSSession {
    enum Reading {
        case bytes([UInt8])
        case needsInput
        case ended
    }

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let peer: String

    init(_ settings: TLSSettings, host: String, peer: String) throws(TransportError) {
        self.peer = peer
        let context = try TLSContext(settings, peer: peer)
        guard let ssl = SSL_new(context.pointer) else { throw .tls(peer: peer, reason: "out of memory") }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .tls(peer: peer, reason: "out of memory")
        }
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        (self.ssl, self.input, self.output) = (ssl, input, output)
        try expect(settings.serverName.flatMap { $0.isEmpty ? nil : $0 } ?? host, settings)
    }

    // It owns its context's reference and both buffers.
    deinit { SSL_free(ssl) }

    /// Who the certificate must name: a name, which is told to the server (SNI), or an address.
    private func expect(_ name: String, _ settings: TLSSettings) throws(TransportError) {
        var plain = name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : name
        // The root of all names is written in no certificate.
        if plain.hasSuffix(".") { plain.removeLast() }
        guard !plain.isEmpty, !plain.utf8.contains(0) else { throw .tls(peer: peer, reason: "the server has no name") }
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        var isSet = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), plain) == 1
        if !isSet { isSet = SSL_set1_host(ssl, plain) == 1 && tc_ssl_set_server_name(ssl, plain) == 1 }
        ERR_clear_error()
        guard isSet else { throw .tls(peer: peer, reason: "\"\(plain)\" is not the name of a host") }
        SSL_set_verify(ssl, settings.skipsVerification ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
    }

    /// True once both sides are done; false when more has to come in.
    func handshake() throws(TransportError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return true }
        if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return false }
        throw failure()
    }

    func feed(_ bytes: [UInt8]) { _ = BIO_write(input, bytes, Int32(bytes.count)) }

    /// What has to be sent to the other side now.
    func takeOutput() -> [UInt8] {
        let count = tc_bio_pending(output)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
            initialized = Int(max(0, BIO_read(output, buffer.baseAddress, count)))
        }
    }

    func read(max: Int) throws(TransportError) -> Reading {
        ERR_clear_error()
        var count: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max) { buffer, initialized in
            count = SSL_read(ssl, buffer.baseAddress, Int32(clamping: max))
            initialized = Int(Swift.max(0, count))
        }
        if count > 0 { return .bytes(bytes) }
        switch SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: throw failure()
        }
    }

    /// Takes all of it: the output buffer grows.
    func write(_ bytes: [UInt8]) throws(TransportError) {
        ERR_clear_error()
        guard !bytes.isEmpty else { return }
        guard SSL_write(ssl, bytes, Int32(bytes.count)) == bytes.count else { throw failure() }
    }

    func close() {
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
    }

    private func failure() -> TransportError {
        let verified = SSL_get_verify_result(ssl)
        if verified != X509_V_OK, SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE {
            return .tls(
                peer: peer,
                reason: "the certificate is refused: " + String(cString: X509_verify_cert_error_string(Int(verified))))
        }
        return .tls(peer: peer, reason: TLSContext.lastError())
    }
}
