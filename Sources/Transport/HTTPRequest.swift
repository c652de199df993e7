import Streams

/// One request. What is the same for all requests to that server is in `settings`.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable, Hashable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    package var method: Method
    package var url: URLString
    package var headers: [HTTPField]
    package var body: [UInt8]
    /// For all of it, from the name's look-up to the body's last byte.
    package var timeout: Duration
    package var connectTimeout: Duration
    /// Of the answer, after decompression.
    package var bodyBytesMax: Int
    /// Asks for gzip, and decompresses.
    package var acceptsGzip: Bool
    package var settings: HTTPSettings
    /// The body is for this server alone: a redirect to another one is an error.
    package var holdsSecrets = false

    package init(
        _ method: Method, _ url: URLString, headers: [HTTPField] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(10), connectTimeout: Duration = .seconds(10), bodyBytesMax: Int = 16 << 20,
        acceptsGzip: Bool = true, settings: HTTPSettings = HTTPSettings()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.bodyBytesMax = bodyBytesMax
        self.acceptsGzip = acceptsGzip
        self.settings = settings
    }
}

/// A header's name and value.
package struct HTTPField: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// RFC 9110, section 5.1: names are tokens.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Values hold no control characters but the tab, so none can begin a header of its own.
    static func isValue(_ text: String) -> Bool { text.utf8.allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 != 0x7f) } }
}
