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

extension ServiceAnswer {
    /// Nil for what is no JSON, or longer than what is kept of an answer.
    var json: JSONValue? {
        // What services say in their answers helps and is not needed: one that can't be read is judged by its status.
        try? JSONValue(parsing: text.utf8)
    }
}

extension JSONValue {
    /// A number of seconds, maybe with a fraction, as services name the time to wait; at most a day.
    var seconds: Duration? {
        let dayMax = 86_400.0
        switch self {
        case .integer(let count) where count >= 0: return .seconds(min(count, Int64(dayMax)))
        case .number(let text):
            guard let count = Double(text), count >= 0 else { return nil }
            return .milliseconds(Int64((min(count, dayMax) * 1000).rounded(.up)))
        default: return nil
        }
    }
}

/// What is asked of a service.
struct ServiceRequest {
    enum Body {
        case json(JSONValue)
        /// `application/x-www-form-urlencoded`.
        case form([(name: String, value: String)])
    }

    var method = HTTPRequest.Method.post
    var url: URLString
    var headers: [HTTPField] = []
    var body: Body?
    /// What is in it that an answer might repeat and no error may show. The URL's own and those of the HTTP settings are
    /// known.
    var secrets: [Secret] = []

    init(
        _ method: HTTPRequest.Method = .post, _ url: URLString, _ body: Body? = nil, headers: [HTTPField] = [],
        secrets: [Secret] = []
    ) {
        self.method = method
        self.url = url
        self.body = body
        self.headers = headers
        self.secrets = secrets
    }

    fileprivate var fields: [HTTPField] {
        switch body {
        case .json: [HTTPField("Content-Type", "application/json")] + headers
        case .form: [HTTPField("Content-Type", "application/x-www-form-urlencoded")] + headers
        case nil: headers
        }
    }

    var bytes: [UInt8] {
        switch body {
        case .json(let document): document.bytes
        case .form(let fields): Array(URLString.query(fields).utf8)
        case nil: []
        }
    }
}

/// What the sinks that speak HTTP share: sending a request, and judging the answer.
extension SinkContext {
    /// Posts JSON and waits for the answer.
    func post(
        _ document: JSONValue, to url: URLString, headers: [HTTPField] = [], settings: HTTPSettings, timeout: Duration,
        secrets: [Secret] = []
    ) async throws(DeliveryError) -> ServiceAnswer {
        try await send(
            ServiceRequest(.post, url, .json(document), headers: headers, secrets: secrets), settings, timeout)
    }

    /// Sends a request and waits for the answer, whatever it is.
    func send(_ request: ServiceRequest, _ service: ServiceSettings) async throws(DeliveryError) -> ServiceAnswer {
        try await send(request, service.http, service.timeout)
    }

    /// - Throws: when no answer came: `.unavailable`, or `.refused` where trying again is no use.
    func send(
        _ request: ServiceRequest, _ settings: HTTPSettings, _ timeout: Duration
    ) async throws(DeliveryError) -> ServiceAnswer {
        var sent = HTTPRequest(
            request.method, request.url, headers: request.fields, body: request.bytes, timeout: timeout,
            connectTimeout: timeout, bodyBytesMax: Self.answerBytesMax, settings: settings)
        sent.holdsSecrets = !request.secrets.isEmpty
        do throws(TransportError) {
            let response = try await http.send(sent)
            let redaction = Redaction(request.url, settings, request.secrets)
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

    /// A URL below another one; what can't be put together is refused.
    func url(
        _ base: URLString, _ path: [String], query: [(name: String, value: String)] = []
    ) throws(DeliveryError) -> URLString {
        do throws(TransportError) {
            return try base.appending(path, query: query)
        } catch {
            throw .refused(reason: error.description)
        }
    }

    private static let answerBytesMax = 1 << 20
    private static let answerKeptMax = 1 << 16

    /// Any 2xx is acceptance; 429 and 5xx (and 408, 425) are tried again; the rest is a no.
    /// - Parameter passing: further statuses that are tried again.
    func judge(_ answer: ServiceAnswer, of service: String, passing: Set<Int> = []) throws(DeliveryError) {
        let reason = "\(service) answered HTTP \(answer.status)" + excerpt(answer.text)
        if passing.contains(answer.status) { throw .unavailable(reason: reason, retryAfter: answer.retryAfter) }
        switch answer.status {
        case 200..<300: return
        case 408, 425, 429, 500...: throw .unavailable(reason: reason, retryAfter: answer.retryAfter)
        default: throw .refused(reason: reason)
        }
    }

    /// The beginning of an answer's text, on one line and printable.
    func excerpt(_ text: String) -> String {
        let lines = text.unicodeScalars.split { Character($0).isNewline }
        // Scalars, not characters: one of these may have thousands of accents.
        let shown = (lines.first ?? Substring.UnicodeScalarView()).prefix(200).map { scalar in
            switch scalar.properties.generalCategory {
            // Marks of direction turn a line around in a terminal.
            case .control, .format, .lineSeparator, .paragraphSeparator: " " as Unicode.Scalar
            default: scalar
            }
        }
        return shown.isEmpty ? "" : ": " + String(String.UnicodeScalarView(shown))
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

    /// By bytes: an accent behind a secret makes another character of its last one.
    func applied(to text: String) -> String {
        let bytes = secrets.reduce(Array(text.utf8)) { $0.replacing(Array($1.utf8), with: Array("<secret>".utf8)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [JSONValue.Member] {
    /// A text under a name; an empty one is left out.
    mutating func add(_ name: String, _ value: String) {
        if !value.isEmpty { append(.init(name, .string(value))) }
    }

    /// A list under a name; an empty one is left out.
    mutating func add(_ name: String, _ items: [JSONValue]) {
        if !items.isEmpty { append(.init(name, .array(items))) }
    }
}
