package import Streams

/// How an HTTP server is spoken to, whatever is asked: what `http_config` and a scrape's like-named keys say.
package struct HTTPSettings: Sendable, Hashable {
    package enum Authentication: Sendable, Hashable {
        case basic(user: SecretText, password: SecretText)
        /// `Authorization: <scheme> <credentials>`
        case credentials(scheme: String, SecretText)
    }

    package var authentication: Authentication?
    package var tls: TLSSettings
    /// May hold user and password.
    package var proxyURL: Secret?
    /// Hosts, domains and networks reached without the proxy, separated by commas.
    package var noProxy: String
    package var followsRedirects: Bool
    /// Offers HTTP/2 in the TLS handshake.
    package var http2: Bool
    /// Sent with each request, after the request's own.
    package var headers: [Header]

    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: SecretText
        package init(_ name: String, _ value: SecretText) {
            self.name = name
            self.value = value
        }
    }

    package init(
        authentication: Authentication? = nil, tls: TLSSettings = TLSSettings(), proxyURL: Secret? = nil,
        noProxy: String = "", followsRedirects: Bool = true, http2: Bool = true, headers: [Header] = []
    ) {
        self.authentication = authentication
        self.tls = tls
        self.proxyURL = proxyURL
        self.noProxy = noProxy
        self.followsRedirects = followsRedirects
        self.http2 = http2
        self.headers = headers
    }
}
