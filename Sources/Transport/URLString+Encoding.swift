import Streams

extension URLString {
    /// A text as it may stand in a path's component or in a query's name or value: all but RFC 3986's unreserved
    /// characters is percent-encoded, blanks too.
    package static func encoded(_ text: String) -> String { encoded(text, leaving: "") }

    /// - Parameter others: ASCII characters beside the unreserved ones that stay as they are.
    private static func encoded(_ text: String, leaving others: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            case _ where others.utf8.contains(byte): result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Names and values as a query, or as a form.
    package static func query(_ fields: [(name: String, value: String)]) -> String {
        fields.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
    }

    /// What RFC 3986 lets stand in a segment of a path beside the unreserved characters.
    private static let segmentCharacters = ":@!$&'()*+,;="

    /// The URL with these segments behind its path, however that ends, and this query behind its own. Each stays one
    /// segment: a slash in it is encoded.
    package func appending(
        _ segments: [String], query: [(name: String, value: String)] = []
    ) throws(TransportError) -> URLString {
        let path = pathAndQuery.prefix { $0 != "?" }
        let queries = [String(pathAndQuery.dropFirst(path.count + 1)), Self.query(query)].filter { !$0.isEmpty }
        var user = ""
        if let userInfo {
            user = "\(Self.encoded(userInfo.user)):\(Self.encoded(userInfo.password.reveal()))@"
        }
        let standardPort = scheme == "https" ? 443 : 80
        var text = "\(scheme)://\(user)\(host)" + (port == standardPort ? "" : ":\(port)") + path
        for segment in segments {
            text += (text.hasSuffix("/") ? "" : "/") + Self.encoded(segment, leaving: Self.segmentCharacters)
        }
        return try URLString(text + (queries.isEmpty ? "" : "?" + queries.joined(separator: "&")))
    }
}
