import Streams
import Synchronization
import Transport
import YAML

/// Whom Amazon Web Services take us for, and where: Prometheus's `sigv4`, completed by the environment and the files of
/// Amazon's own tools.
struct AWSAccess: Equatable, Sendable {
    /// Empty: that of the environment or of the profile.
    var region: String
    var accessKey: String
    var secretKey: SecretText?
    var profile: String
    /// The role to be taken on for the requests; empty: none.
    var role: String
    var externalID: String
    var usesFIPS: Bool

    init() {
        region = ""
        accessKey = ""
        profile = ""
        role = ""
        externalID = ""
        usesFIPS = false
    }

    init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a sigv4 config", diagnostics)
        defer { reader.finish() }
        region = reader.text("region", default: "")
        accessKey = reader.text("access_key", default: "")
        secretKey = reader.filled("secret_key").flatMap { Format.secret.decode($0, diagnostics) }.map { .text($0) }
        profile = reader.text("profile", default: "")
        role = reader.text("role_arn", default: "")
        externalID = reader.text("external_id", default: "")
        usesFIPS = reader.bool("use_fips_sts_endpoint", default: false)
        if accessKey.isEmpty != (secretKey == nil) {
            let missing = accessKey.isEmpty ? "access_key" : "secret_key"
            reader.report(.missingKey(missing, in: "a sigv4 config that has the other half"), at: missing)
        }
    }
}

/// Finds credentials and keeps those of a role until they end. One for each integration.
final class AWSCredentialSource: Sendable {
    private let access: AWSAccess
    private let context: SinkContext
    private let service: ServiceSettings
    private let assumed = Mutex<(credentials: AWSCredentials, until: Timestamp)?>(nil)

    /// - Parameter service: how the token service is spoken to.
    init(_ access: AWSAccess, _ context: SinkContext, _ service: ServiceSettings) {
        self.access = access
        self.context = context
        self.service = service
    }

    /// Of the settings, of `AWS_REGION` or of the profile; nil where nobody says.
    func region() -> String? {
        if !access.region.isEmpty { return access.region }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let region = context.environment(name), !region.isEmpty { return region }
        }
        let section = profile == "default" ? profile : "profile \(profile)"
        return values("AWS_CONFIG_FILE", "config", section)["region"]
    }

    func credentials(region: String) async throws(DeliveryError) -> AWSCredentials {
        let own = try ownCredentials()
        guard !access.role.isEmpty else { return own }
        let now = context.clock.now()
        if let kept = assumed.withLock({ $0 }), now < kept.until { return kept.credentials }
        let credentials = try await assume(own, region)
        assumed.withLock { $0 = (credentials, now + Self.roleKept) }
        return credentials
    }

    /// A role's credentials were not taken: the next delivery asks for others.
    func forget() { assumed.withLock { $0 = nil } }

    // MARK: the settings, the environment, the files

    private var profile: String {
        if !access.profile.isEmpty { return access.profile }
        return context.environment("AWS_PROFILE").flatMap { $0.isEmpty ? nil : $0 } ?? "default"
    }

    private func ownCredentials() throws(DeliveryError) -> AWSCredentials {
        if let key = access.secretKey {
            let secret = try opened(key)
            return AWSCredentials(accessKey: access.accessKey, secretKey: secret)
        }
        if access.profile.isEmpty, let key = context.environment("AWS_ACCESS_KEY_ID"),
            let secret = context.environment("AWS_SECRET_ACCESS_KEY"), !key.isEmpty, !secret.isEmpty
        {
            let token = context.environment("AWS_SESSION_TOKEN").flatMap { $0.isEmpty ? nil : Secret($0) }
            return AWSCredentials(accessKey: key, secretKey: Secret(secret), sessionToken: token)
        }
        let values = values("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile)
        guard let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
            throw .refused(
                reason:
                    "no AWS credentials in sigv4, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor in the profile "
                    + "\"\(profile)\"")
        }
        return AWSCredentials(
            accessKey: key, secretKey: Secret(secret), sessionToken: values["aws_session_token"].map { Secret($0) })
    }

    private func opened(_ text: SecretText) throws(DeliveryError) -> Secret {
        do throws(TransportError) {
            return try text.read()
        } catch {
            throw .refused(reason: error.description)
        }
    }

    /// What a section of one of Amazon's files says; nothing where there is no such file.
    private func values(_ variable: String, _ file: String, _ section: String) -> [String: String] {
        let home = context.environment("HOME").map { "\($0)/.aws/\(file)" }
        guard let path = context.environment(variable) ?? home,
            // Who has no such file has its credentials elsewhere, or is told that there are none.
            let text = try? SecretText.file(path).read().reveal()
        else { return [:] }
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline).map(\.trimmed) {
            if line.hasPrefix("[") {
                isInside = line.dropFirst().prefix { $0 != "]" }.trimmed == section
            } else if isInside, !line.hasPrefix("#"), let mark = line.firstIndex(of: "=") {
                values[line[..<mark].trimmed] = line[line.index(after: mark)...].trimmed
            }
        }
        return values
    }

    // MARK: roles

    /// They are given for 15 minutes; a request takes its time.
    private static let roleSeconds = 900
    private static let roleKept = Duration.seconds(600)

    /// docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    private func assume(_ own: AWSCredentials, _ region: String) async throws(DeliveryError) -> AWSCredentials {
        var fields = [
            ("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", access.role),
            ("RoleSessionName", "tocsin"), ("DurationSeconds", String(Self.roleSeconds)),
        ]
        if !access.externalID.isEmpty { fields.append(("ExternalId", access.externalID)) }
        let name = access.usesFIPS ? "sts-fips" : "sts"
        let text = context.environment("AWS_ENDPOINT_URL_STS") ?? AWSRequest.endpoint(name, region)
        let request = try AWSRequest(text, "sts", region, fields)
        let answer = try await request.send(own, context, service)
        if answer.status != 200 { try AWSRequest.judge(answer, of: "AWS STS", context) }
        let parts = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map { AWSRequest.element($0, of: answer.text) }
        guard let key = parts[0], let secret = parts[1], let token = parts[2] else {
            throw .unavailable(reason: "AWS STS answered without credentials", retryAfter: nil)
        }
        return AWSCredentials(accessKey: key, secretKey: Secret(secret), sessionToken: Secret(token))
    }
}

/// A request of Amazon's query protocol: a signed form, answered in XML.
struct AWSRequest {
    private let url: URLString
    private let service: String
    private let region: String
    private let fields: [(name: String, value: String)]

    init(
        _ url: String, _ service: String, _ region: String, _ fields: [(name: String, value: String)]
    ) throws(DeliveryError) {
        do throws(TransportError) {
            self.url = try URLString(url)
        } catch {
            throw .refused(reason: error.description)
        }
        self.service = service
        self.region = region
        self.fields = fields
    }

    /// Where a service is in a region.
    static func endpoint(_ service: String, _ region: String) -> String {
        let domain =
            region.hasPrefix("cn-")
            ? "amazonaws.com.cn"
            : region.hasPrefix("us-iso-")
                ? "c2s.ic.gov" : region.hasPrefix("us-isob-") ? "sc2s.sgov.gov" : "amazonaws.com"
        return "https://\(service).\(region).\(domain)/"
    }

    func send(
        _ credentials: AWSCredentials, _ context: SinkContext, _ settings: ServiceSettings
    ) async throws(DeliveryError) -> ServiceAnswer {
        var settings = settings
        settings.http.authentication = nil
        let body = ServiceRequest.Body.form(fields)
        let type = HTTPField("Content-Type", "application/x-www-form-urlencoded")
        let signature = AWSSignature(
            credentials: credentials, region: region, service: service, time: context.clock.now())
        let headers = signature.headers(.post, url, [type], body: ServiceRequest(.post, url, body).bytes)
        let secrets = headers.filter { $0.name != "X-Amz-Date" }.map { Secret($0.value) }
        return try await context.send(
            ServiceRequest(.post, url, body, headers: headers, secrets: secrets + [credentials.secretKey]), settings)
    }

    /// Says why it was not done; being asked too often comes with HTTP 400 too.
    static func judge(_ answer: ServiceAnswer, of service: String, _ context: SinkContext) throws(DeliveryError) {
        guard let code = element("Code", of: answer.text) else { return try context.judge(answer, of: service) }
        let message = element("Message", of: answer.text) ?? ""
        let passes = ["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "ExpiredToken"]
            .contains { code.contains($0) }
        let short = ServiceAnswer(
            status: answer.status, text: "\(code): \(message)", retryAfter: answer.retryAfter)
        try context.judge(short, of: service, passing: passes ? [answer.status] : [])
    }

    /// The text of the first element of that name.
    static func element(_ name: String, of xml: String) -> String? {
        guard let open = xml.firstRange(of: "<\(name)>") else { return nil }
        let rest = xml[open.upperBound...]
        guard let close = rest.firstRange(of: "</\(name)>") else { return nil }
        let text = rest[..<close.lowerBound].replacing("&lt;", with: "<").replacing("&gt;", with: ">")
            .replacing("&quot;", with: "\"").replacing("&apos;", with: "'").replacing("&amp;", with: "&")
        return text.trimmed
    }
}
