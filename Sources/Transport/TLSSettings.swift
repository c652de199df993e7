package import Streams

/// How a TLS connection is made and whom it trusts: what `tls_config` says.
package struct TLSSettings: Sendable, Hashable {
    package enum Version: Int, Sendable, Hashable, Comparable {
        case tls10, tls11, tls12, tls13
        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Certificates or a key in PEM: in a file, read again at each connection, or in place.
    package enum PEM: Sendable, Hashable {
        case file(String)
        case text(Secret)
    }

    /// Who is trusted instead of the system's authorities.
    package var authorities: PEM?
    /// The client's own certificate, followed by its chain.
    package var certificate: PEM?
    package var key: PEM?
    /// The name that the certificate must bear, where it is not the host's.
    package var serverName: String?
    /// Anyone is believed.
    package var skipsVerification: Bool
    package var versionMin: Version
    package var versionMax: Version?

    package init(
        authorities: PEM? = nil, certificate: PEM? = nil, key: PEM? = nil, serverName: String? = nil,
        skipsVerification: Bool = false, versionMin: Version = .tls12, versionMax: Version? = nil
    ) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
        self.serverName = serverName
        self.skipsVerification = skipsVerification
        self.versionMin = versionMin
        self.versionMax = versionMax
    }
}
