package import Streams
package import Transport

/// Who signs a request to Amazon Web Services.
package struct AWSCredentials: Equatable, Sendable {
    package var accessKey: String
    package var secretKey: Secret
    /// Of credentials that end.
    package var sessionToken: Secret?

    package init(accessKey: String, secretKey: Secret, sessionToken: Secret? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

/// Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
package struct AWSSignature {
    private let credentials: AWSCredentials
    private let region: String
    private let service: String
    private let time: Timestamp

    package init(credentials: AWSCredentials, region: String, service: String, time: Timestamp) {
        self.credentials = credentials
        self.region = region
        self.service = service
        self.time = time
    }

    private static let algorithm = "AWS4-HMAC-SHA256"

    /// The headers that have to be sent with the request beside those given, all of which are signed.
    package func headers(
        _ method: HTTPRequest.Method, _ url: URLString, _ headers: [HTTPField], body: [UInt8]
    ) -> [HTTPField] {
        var added = [HTTPField("X-Amz-Date", stamp)]
        if let token = credentials.sessionToken { added.append(HTTPField("X-Amz-Security-Token", token.reveal())) }
        var signed: [(name: String, value: String)] = (headers + added).map { field in
            (field.name.lowercased(), field.value.split(separator: " ").joined(separator: " "))
        }
        signed.append(("host", Self.host(url)))
        signed.sort { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let path = url.pathAndQuery.prefix { $0 != "?" }
        let query = url.pathAndQuery.dropFirst(path.count + 1).split(separator: "&").map(String.init).sorted()
        let request = [
            method.rawValue, path.isEmpty ? "/" : String(path), query.joined(separator: "&"),
            signed.map { "\($0.name):\($0.value)\n" }.joined(), names,
            Digest.hexadecimal(Digest.sha256(body)),
        ].joined(separator: "\n")
        let text = [Self.algorithm, stamp, scope, Digest.sha256(request)].joined(separator: "\n")
        let signature = Digest.hexadecimal(Digest.hmacSHA256(key: key, Array(text.utf8)))
        let value =
            "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), "
            + "Signature=\(signature)"
        return added + [HTTPField("Authorization", value)]
    }

    /// `20150830T123600Z`
    private var stamp: String {
        let text = time.rfc3339.prefix { $0 != "." && $0 != "Z" }
        return text.filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private var day: String { String(stamp.prefix(8)) }
    private var scope: String { "\(day)/\(region)/\(service)/aws4_request" }

    private var key: [UInt8] {
        [day, region, service, "aws4_request"].reduce(Array("AWS4\(credentials.secretKey.reveal())".utf8)) {
            Digest.hmacSHA256(key: $0, Array($1.utf8))
        }
    }

    /// As it is sent: without the scheme's own port.
    private static func host(_ url: URLString) -> String {
        url.port == (url.scheme == "https" ? 443 : 80) ? url.host : url.peer
    }
}
