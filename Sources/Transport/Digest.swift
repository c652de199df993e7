import COpenSSL

/// Digests, as OpenSSL computes them.
package enum Digest {
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let done = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        precondition(done == 1, "OpenSSL has no SHA-256")
        return digest
    }

    /// SHA-256 in hexadecimal.
    package static func sha256(_ text: String) -> String { hexadecimal(sha256(Array(text.utf8))) }

    package static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let done = HMAC(
            EVP_sha256(), key, Int32(clamping: key.count), message, message.count, &digest, &count)
        precondition(done != nil, "OpenSSL has no HMAC-SHA-256")
        return digest
    }

    /// For CRAM-MD5 (RFC 2195). Nil where the machine's OpenSSL forbids MD5.
    package static func hmacMD5(key: [UInt8], _ message: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 16)
        var count: UInt32 = 0
        guard HMAC(EVP_md5(), key, Int32(clamping: key.count), message, message.count, &digest, &count) != nil else {
            ERR_clear_error()
            return nil
        }
        return digest
    }

    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
