import COpenSSL

/// Digests of texts, for identifiers.
package enum Digest {
    /// SHA-256 in hexadecimal.
    package static func sha256(_ text: String) -> String {
        var text = text
        var digest = [UInt8](repeating: 0, count: 32)
        let done = text.withUTF8 { EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_sha256(), nil) }
        precondition(done == 1, "OpenSSL has no SHA-256")
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
