import Streams
import Transport

/// What the sinks that speak HTTP share: sending a document, and judging the answer.
extension SinkContext {
    /// What a service said; its body cut to what is worth showing.
    struct Answer {
        var status: Int
        var text: String
    }

    /// Posts JSON and waits for the answer.
    /// - Throws: when no answer came: `.unavailable`, or `.refused` where trying again is no use.
    func post(
        _ document: JSONValue, to url: URLString, headers: [HTTPField] = [], settings: HTTPSettings, timeout: Duration
    ) async throws(DeliveryError) -> (answer: Answer, retryAfter: Duration?) {
        let request = HTTPRequest(
            .post, url, headers: [HTTPField("Content-Type", "application/json")] + headers, body: document.bytes,
            timeout: timeout, connectTimeout: timeout, bodyBytesMax: Self.answerBytesMax, settings: settings)
        do throws(TransportError) {
            let response = try await http.send(request)
            return (
                Answer(status: response.status, text: response.body.text(max: 512)),
                response.retryAfter(now: clock.now())
            )
        } catch {
            switch error {
            case .cancelled: throw .cancelled
            case .invalidURL, .invalidRequest: throw .refused(reason: error.description)
            // The service has answered, at such length that it can't be ours; the status is not known.
            case .bodyTooLarge: throw .unavailable(reason: error.description, retryAfter: nil)
            default: throw .unavailable(reason: error.description, retryAfter: nil)
            }
        }
    }

    private static let answerBytesMax = 1 << 20

    /// Any 2xx is acceptance; 429 and 5xx (and 408, 425) are tried again; the rest is a no.
    func judge(_ answer: Answer, retryAfter: Duration?, of service: String) throws(DeliveryError) {
        let reason = "\(service) answered HTTP \(answer.status)" + excerpt(answer.text)
        switch answer.status {
        case 200..<300: return
        case 408, 425, 429, 500...: throw .unavailable(reason: reason, retryAfter: retryAfter)
        default: throw .refused(reason: reason)
        }
    }

    /// The beginning of an answer's text, on one line.
    func excerpt(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first ?? ""
        return line.isEmpty ? "" : ": " + line.prefix(200)
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
