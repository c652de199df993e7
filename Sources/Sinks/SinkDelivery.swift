import Streams
import Transport

/// What a service said to a document that was posted to it.
struct ServiceAnswer {
    var status: Int
    /// The body as far as it is kept; what was secret in the request is not in it.
    var text: String
    /// How long the service asks to be left alone.
    var retryAfter: Duration?
}

/// What the sinks that speak HTTP share: sending a document, and judging the answer.
extension SinkContext {
    /// Posts JSON and waits for the answer.
    /// - Parameter secrets: what the document holds that an answer might repeat and no error may show. The URL's own and
    ///   those of the settings are known.
    /// - Throws: when no answer came: `.unavailable`, or `.refused` where trying again is no use.
    func post(
        _ document: JSONValue, to url: URLString, headers: [HTTPField] = [], settings: HTTPSettings, timeout: Duration,
        secrets: [Secret] = []
    ) async throws(DeliveryError) -> ServiceAnswer {
        let request = HTTPRequest(
            .post, url, headers: [HTTPField("Content-Type", "application/json")] + headers, body: document.bytes,
            timeout: timeout, connectTimeout: timeout, bodyBytesMax: Self.answerBytesMax, settings: settings)
        do throws(TransportError) {
            let response = try await http.send(request)
            let redaction = Redaction(url, settings, secrets)
            return ServiceAnswer(
                status: response.status, text: redaction.applied(to: response.body.text(max: Self.answerKeptMax)),
                retryAfter: response.retryAfter(now: clock.now()))
        } catch {
            switch error {
            case .cancelled: throw .cancelled
            case .invalidURL, .invalidRequest: throw .refused(reason: error.description)
            // `bodyTooLarge` too: it has answered, at such length that it can't be the service; the status is not known.
            default: throw .unavailable(reason: error.description, retryAfter: nil)
            }
        }
    }

    private static let answerBytesMax = 1 << 20
    private static let answerKeptMax = 1 << 16

    /// Any 2xx is acceptance; 429 and 5xx (and 408, 425) are tried again; the rest is a no.
    func judge(_ answer: ServiceAnswer, of service: String) throws(DeliveryError) {
        let reason = "\(service) answered HTTP \(answer.status)" + excerpt(answer.text)
        switch answer.status {
        case 200..<300: return
        case 408, 425, 429, 500...: throw .unavailable(reason: reason, retryAfter: answer.retryAfter)
        default: throw .refused(reason: reason)
        }
    }

    /// The beginning of an answer's text, on one line and printable.
    func excerpt(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first ?? ""
        let shown = line.prefix(200).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return shown.isEmpty ? "" : ": " + String(shown)
    }
}

/// Takes out of a text what is secret in a request: error pages like to repeat the path or a header.
struct Redaction {
    private let secrets: [String]

    /// Words of a path shorter than that are no keys, and may well stand in an honest answer.
    private static let keyBytesMin = 16

    init(_ url: URLString, _ settings: HTTPSettings, _ others: [Secret]) {
        var secrets = others.map { $0.reveal() }
        let path = url.pathAndQuery.prefix { $0 != "?" }
        secrets += [url.text, url.pathAndQuery, String(path)]
        secrets += url.pathAndQuery.split { "/?&=".contains($0) }.map(String.init)
            .filter { $0.utf8.count >= Self.keyBytesMin }
        secrets += [url.userInfo?.password.reveal(), settings.proxyURL?.reveal()].compactMap(\.self)
        secrets += Self.credentials(settings)
        // The longest first, so that nothing is left of one that holds another.
        self.secrets = Set(secrets.filter { $0.utf8.count > 1 }).sorted { $0.utf8.count > $1.utf8.count }
    }

    private static func credentials(_ settings: HTTPSettings) -> [String] {
        var texts = settings.headers.map(\.value)
        switch settings.authentication {
        case .basic(let user, let password):
            texts.append(password)
            if let user = read(user), let password = read(password) {
                texts.append(SecretText(Base64.encode(Array("\(user):\(password)".utf8))))
            }
        case .credentials(_, let token): texts.append(token)
        case nil: break
        }
        return texts.compactMap(read)
    }

    // A secret that can't be read now was not sent either.
    private static func read(_ text: SecretText) -> String? { try? text.read().reveal() }

    func applied(to text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: "<secret>") }
    }
}

extension [JSONValue.Member] {
    /// A text under a name; an empty one is left out.
    mutating func add(_ name: String, _ value: String) {
        if !value.isEmpty { append(.init(name, .string(value))) }
    }
}

extension String {
    /// At most `count` characters (Unicode scalars), the last of them an ellipsis where something was cut, as
    /// Alertmanager cuts what services bound.
    func truncated(toScalars count: Int) -> String {
        guard unicodeScalars.count > count else { return self }
        if count <= 3 { return String(String.UnicodeScalarView(unicodeScalars.prefix(count))) }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(count - 1))) + "…"
    }
}
