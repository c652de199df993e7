import COpenSSL
import Streams

/// OpenSSL's settings object, made from ours: versions, authorities, the client's certificate.
final class TLSContext {
    let pointer: OpaquePointer
    private let peer: String

    init(_ settings: TLSSettings, peer: String) throws(TransportError) {
        guard let pointer = SSL_CTX_new(TLS_client_method()) else { throw .tls(peer: peer, reason: "out of memory") }
        self.pointer = pointer
        self.peer = peer
        SSL_CTX_set_default_passwd_cb(pointer, tc_no_password)
        let versions = (Self.number(settings.versionMin), settings.versionMax.map(Self.number) ?? 0)
        guard tc_ssl_context_set_versions(pointer, versions.0, versions.1) == 1 else {
            throw .tls(peer: peer, reason: "no such version")
        }
        try trust(settings.authorities)
        try present(settings.certificate, settings.key)
    }

    deinit { SSL_CTX_free(pointer) }

    private static func number(_ version: TLSSettings.Version) -> Int32 {
        switch version {
        case .tls10: TLS1_VERSION
        case .tls11: TLS1_1_VERSION
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }

    private func trust(_ authorities: TLSSettings.PEM?) throws(TransportError) {
        guard let authorities else {
            SSL_CTX_set_default_verify_paths(pointer)
            return
        }
        let certificates = try certificates(authorities, "the CA certificates")
        guard let store = SSL_CTX_get_cert_store(pointer) else { throw .tls(peer: peer, reason: "out of memory") }
        for certificate in certificates { X509_STORE_add_cert(store, certificate.pointer) }
    }

    private func present(_ certificate: TLSSettings.PEM?, _ key: TLSSettings.PEM?) throws(TransportError) {
        guard let certificate else { return }
        guard let key else { throw .tls(peer: peer, reason: "the client certificate comes without its key") }
        for (index, part) in try certificates(certificate, "the client certificate").enumerated() {
            let taken =
                index == 0
                ? SSL_CTX_use_certificate(pointer, part.pointer) : tc_ssl_context_add_chain(pointer, part.pointer)
            guard taken == 1 else { throw .tls(peer: peer, reason: "the client certificate: " + Self.lastError()) }
        }
        let buffer = try Buffer(Self.text(key), peer)
        ERR_clear_error()
        guard let parsed = PEM_read_bio_PrivateKey(buffer.pointer, nil, tc_no_password, nil) else {
            throw .tls(peer: peer, reason: "the client's key is not an unencrypted key in PEM")
        }
        defer { EVP_PKEY_free(parsed) }
        guard SSL_CTX_use_PrivateKey(pointer, parsed) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            throw .tls(peer: peer, reason: "the client's key does not belong to its certificate")
        }
    }

    /// Every certificate of a PEM text, at least one.
    private func certificates(_ source: TLSSettings.PEM, _ what: String) throws(TransportError) -> [Certificate] {
        let buffer = try Buffer(Self.text(source), peer)
        var certificates: [Certificate] = []
        while let certificate = PEM_read_bio_X509(buffer.pointer, nil, tc_no_password, nil) {
            certificates.append(Certificate(certificate))
        }
        ERR_clear_error()
        guard !certificates.isEmpty else { throw .tls(peer: peer, reason: "\(what): no certificate in PEM found") }
        return certificates
    }

    private static func text(_ source: TLSSettings.PEM) throws(TransportError) -> [UInt8] {
        switch source {
        case .text(let secret): Array(secret.reveal().utf8)
        case .file(let path): Array(try SecretText.file(path).read().reveal().utf8)
        }
    }

    /// The latest error of OpenSSL on this thread, in its words.
    static func lastError() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return "the handshake failed" }
        return String(cString: reason)
    }
}

private final class Certificate {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { X509_free(pointer) }
}

/// Bytes as OpenSSL reads them.
private struct Buffer: ~Copyable {
    let pointer: OpaquePointer

    init(_ bytes: [UInt8], _ peer: String) throws(TransportError) {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw .tls(peer: peer, reason: "out of memory") }
        self.pointer = pointer
        _ = BIO_write(pointer, bytes, Int32(clamping: bytes.count))
    }

    deinit { BIO_free(pointer) }
}
