import CLibCurl
import Glibc
import Streams
import Synchronization

/// One request under way.
///
/// `@unchecked`: the caller builds it and hands it to the engine; from then on only the engine's thread touches it, until
/// the continuation is resumed, once.
final class CurlTransfer: @unchecked Sendable {
    let request: HTTPRequest
    /// All headers but those that libcurl writes, checked.
    let fields: [HTTPField]
    var continuation: UnsafeContinuation<Result<HTTPResponse, TransportError>, Never>?

    /// The engine's: nil before it starts and after it ended.
    var easy: UnsafeMutableRawPointer?
    var isCancelled = false
    var headerList: UnsafeMutablePointer<curl_slist>?
    var connectList: UnsafeMutablePointer<curl_slist>?
    let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var responseFields: [HTTPField] = []
    private var headerBytes = 0
    private var body: ResponseBody
    /// Why our own callback ended the transfer.
    private(set) var stopReason: TransportError?

    static let headerBytesMax = 256 << 10

    init(_ request: HTTPRequest, fields: [HTTPField], body: ResponseBody) {
        self.request = request
        self.fields = fields
        self.body = body
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        errorText.deallocate()
        curl_slist_free_all(headerList)
        curl_slist_free_all(connectList)
    }

    /// A piece of the body, decompressed. False ends the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= request.bodyBytesMax - body.count else {
            stopReason = .bodyTooLarge(limitBytes: request.bodyBytesMax)
            return false
        }
        body.append(bytes)
        return true
    }

    /// One line of the head, with its end of line. A status line begins a new answer: after 100.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Self.headerBytesMax else {
            stopReason = .protocol(reason: "the answer's headers are longer than \(Self.headerBytesMax) bytes")
            return false
        }
        if line.starts(with: "HTTP/".utf8) {
            responseFields.removeAll()
            body.removeAll()
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let blank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d || $0 == 0x0a }
        var value = line[(colon + 1)...].drop(while: blank)
        while let last = value.last, blank(last) { value.removeLast() }
        responseFields.append(
            HTTPField(String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self)))
        return true
    }

    /// Resumes the caller; only the first time counts.
    func finish(_ result: Result<HTTPResponse, TransportError>) {
        continuation?.resume(returning: result)
        continuation = nil
    }

    /// What libcurl said at the end, as the caller hears it.
    /// `release` frees the handle, before the caller goes on.
    func complete(_ code: CURLcode, on easy: UnsafeMutableRawPointer, release: () -> Void) {
        let result = result(code, on: easy)
        release()
        finish(result)
    }

    private func result(
        _ code: CURLcode, on easy: UnsafeMutableRawPointer
    ) -> Result<HTTPResponse, TransportError> {
        if let stopReason { return .failure(stopReason) }
        guard code == CURLE_OK else { return .failure(error(code, on: easy)) }
        var status = 0
        tc_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        body.seal()
        return .success(HTTPResponse(status: status, headers: responseFields, body: body))
    }

    private func error(_ code: CURLcode, on easy: UnsafeMutableRawPointer) -> TransportError {
        let peer = request.url.peer
        let detail = String(cString: errorText)
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            return .timeout(after: request.timeout)
        case CURLE_COULDNT_RESOLVE_HOST:
            return .resolve(host: request.url.host, reason: "no such host")
        case CURLE_COULDNT_RESOLVE_PROXY:
            return .resolve(host: "the proxy", reason: "no such host")
        case CURLE_COULDNT_CONNECT, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            var number = 0
            tc_easy_get_long(easy, CURLINFO_OS_ERRNO, &number)
            return .connect(peer: peer, reason: number > 0 ? SystemError.text(Int32(truncatingIfNeeded: number)) : text)
        case CURLE_GOT_NOTHING:
            return .connect(peer: peer, reason: "the connection was closed without an answer")
        case CURLE_PARTIAL_FILE:
            return .connect(peer: peer, reason: "the connection was closed in the middle of the answer")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_SHUTDOWN_FAILED,
            CURLE_USE_SSL_FAILED:
            return .tls(peer: peer, reason: text)
        case CURLE_URL_MALFORMAT:
            return .invalidURL(reason: "it is malformed")
        case CURLE_BAD_CONTENT_ENCODING:
            return .protocol(reason: "the compressed body is damaged or of an unknown kind")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return .protocol(reason: "the answer is not HTTP")
        default:
            return .protocol(reason: text)
        }
    }
}
