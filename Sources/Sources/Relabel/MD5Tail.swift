import COpenSSL

/// The last 8 bytes of the text's MD5 digest as a big-endian number: what `hashmod` divides, so that shards of a fleet
/// of scrapers agree with Prometheus's.
func md5Tail(_ text: String) -> UInt64 {
    var text = text
    var digest = [UInt8](repeating: 0, count: 16)
    let done = text.withUTF8 { EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_md5(), nil) }
    precondition(done == 1, "OpenSSL has no MD5")
    return digest[8...].reduce(0) { $0 << 8 | UInt64($1) }
}
