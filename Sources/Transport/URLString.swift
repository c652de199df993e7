import CLibCurl
package import Streams

/// A checked URL of the schemes `http` and `https`, taken apart by libcurl's own parser, so that what is checked is what
/// is asked. It prints without user and password.
package struct URLString: Sendable, Hashable, CustomStringConvertible {
    /// User and password that stood before the host, decoded. They leave as basic authentication.
    package struct UserInfo: Sendable, Hashable {
        package var user: String
        package var password: Secret
    }

    /// The URL without user, password and fragment.
    package let text: String
    package let scheme: String
    /// As written: a name, an IPv4 address, or an IPv6 address in brackets.
    package let host: String
    /// The one written, or the scheme's own.
    package let port: Int
    /// From the first slash on, with the query.
    package let pathAndQuery: String
    package private(set) var userInfo: UserInfo?

    /// Throws `.invalidURL`; the reason quotes nothing of the text but its scheme, for what it quotes could be a secret.
    package init(_ text: String) throws(TransportError) {
        guard !text.utf8.contains(0) else { throw .invalidURL(reason: "it holds a zero byte") }
        guard let parts = curl_url() else { throw .invalidURL(reason: "out of memory") }
        defer { curl_url_cleanup(parts) }
        func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard curl_url_get(parts, part, &value, flags) == CURLUE_OK, let value else { return nil }
            defer { curl_free(value) }
            return String(validatingCString: value)
        }
        // Without a scheme libcurl would guess one.
        let written = text.prefix { $0 != ":" }
        guard text.dropFirst(written.count).hasPrefix("://") else {
            throw .invalidURL(reason: "it does not begin with http:// or https://")
        }
        let code = curl_url_set(parts, CURLUPART_URL, text, Flag.anyScheme | Flag.pathAsIs)
        guard code == CURLUE_OK else { throw .invalidURL(reason: Self.reason(code)) }
        guard let scheme = part(CURLUPART_SCHEME), scheme == "http" || scheme == "https" else {
            throw .invalidURL(reason: "the scheme \"\(written)\" is not http or https")
        }
        guard let host = part(CURLUPART_HOST), !host.isEmpty else { throw .invalidURL(reason: "it has no host") }
        guard let port = part(CURLUPART_PORT, Flag.defaultPort).flatMap({ Int($0) }), port > 0 else {
            throw .invalidURL(reason: "its port is not a number from 1 to 65535")
        }
        self.scheme = scheme
        self.host = host
        self.port = port
        let query = part(CURLUPART_QUERY)
        pathAndQuery = (part(CURLUPART_PATH) ?? "/") + (query.map { "?" + $0 } ?? "")
        if let user = part(CURLUPART_USER, Flag.decode) {
            userInfo = UserInfo(user: user, password: Secret(part(CURLUPART_PASSWORD, Flag.decode) ?? ""))
        } else {
            userInfo = nil
        }
        for unwanted in [CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT] {
            curl_url_set(parts, unwanted, nil, 0)
        }
        guard let plain = part(CURLUPART_URL) else { throw .invalidURL(reason: "it can't be written out again") }
        self.text = plain
    }

    /// libcurl's `CURLU_` macros, by what they do.
    private enum Flag {
        static let defaultPort: UInt32 = 1 << 0
        static let anyScheme: UInt32 = 1 << 3
        static let pathAsIs: UInt32 = 1 << 4
        static let decode: UInt32 = 1 << 6
    }

    private static func reason(_ code: CURLUcode) -> String {
        switch code {
        case CURLUE_BAD_PORT_NUMBER: "its port is not a number from 1 to 65535"
        case CURLUE_NO_HOST, CURLUE_BAD_HOSTNAME: "its host is missing or malformed"
        case CURLUE_BAD_IPV6: "its IPv6 address is malformed"
        case CURLUE_BAD_SCHEME, CURLUE_UNSUPPORTED_SCHEME, CURLUE_NO_SCHEME: "its scheme is not http or https"
        case CURLUE_BAD_SLASHES: "its scheme is followed by too many slashes"
        case CURLUE_BAD_USER, CURLUE_BAD_LOGIN, CURLUE_BAD_PASSWORD: "its user or password is malformed"
        default: "it is malformed"
        }
    }

    func withUser(of other: URLString) -> URLString {
        var url = self
        url.userInfo = other.userInfo
        return url
    }

    /// `host:port`, as errors name the far side.
    package var peer: String { "\(host):\(port)" }

    package var description: String {
        guard userInfo != nil else { return text }
        return "\(scheme)://<secret>@" + text.dropFirst(scheme.utf8.count + 3)
    }
}
