import CLibCurl
import Streams

/// One of libcurl's easy handles, being told what to do.
struct CurlHandle {
    let easy: UnsafeMutableRawPointer

    /// Sets every option that the request needs on a fresh handle. False when libcurl refuses one, or is out of memory.
    func prepare(_ transfer: CurlTransfer, _ client: HTTPClient.Settings) -> Bool {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        let request = transfer.request
        return set(CURLOPT_PRIVATE, context) && set(CURLOPT_NOSIGNAL, 1)
            // Without it, ending a transfer in mid-look-up waits for the resolver.
            && set(CURLOPT_QUICK_EXIT, 1)
            && set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(transfer.errorText))
            && set(CURLOPT_PROTOCOLS_STR, "http,https")
            // Where a redirect leads is asked anew, without what is secret: libcurl would tell others our own headers.
            && set(CURLOPT_FOLLOWLOCATION, 0)
            && set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.timeout))
            && set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
            && set(CURLOPT_USERAGENT, client.userAgent) && set(CURLOPT_PATH_AS_IS, 1)
            && (!request.acceptsGzip || set(CURLOPT_ACCEPT_ENCODING, "gzip"))
            && receive(context) && method(request) && address(transfer) && headers(transfer)
            && proxy(request.settings) && tls(request)
    }

    private func receive(_ context: UnsafeMutableRawPointer) -> Bool {
        let body: tc_bytes_callback = { bytes, size, count, context in
            let length = size * count
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : length ^ 1
        }
        let header: tc_bytes_callback = { bytes, size, count, context in
            let length = size * count
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : length ^ 1
        }
        return tc_easy_set_bytes_callback(easy, CURLOPT_WRITEFUNCTION, body) == CURLE_OK
            && set(CURLOPT_WRITEDATA, context)
            && tc_easy_set_bytes_callback(easy, CURLOPT_HEADERFUNCTION, header) == CURLE_OK
            && set(CURLOPT_HEADERDATA, context)
    }

    private func method(_ request: HTTPRequest) -> Bool {
        let body = {
            tc_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)) == CURLE_OK
                && request.body.withUnsafeBytes { set(CURLOPT_COPYPOSTFIELDS, $0.baseAddress ?? Self.nothing) }
        }
        switch request.method {
        case .get: return set(CURLOPT_HTTPGET, 1)
        case .head: return set(CURLOPT_NOBODY, 1)
        case .post: return set(CURLOPT_POST, 1) && body()
        case .put, .delete: return body() && set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }

    // Never written to and never freed: where an empty body begins.
    nonisolated(unsafe) private static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

    /// A server name of the settings' own is asked for as the host, and reached under the URL's: libcurl takes the name for
    /// SNI and for the check of the certificate from the host.
    private func address(_ transfer: CurlTransfer) -> Bool {
        let url = transfer.request.url
        guard url.scheme == "https", let name = transfer.request.settings.tls.serverName, !name.isEmpty else {
            return set(CURLOPT_URL, url.text)
        }
        transfer.connectList = curl_slist_append(nil, "\(name):\(url.port):\(url.host):\(url.port)")
        return transfer.connectList != nil && set(CURLOPT_CONNECT_TO, transfer.connectList)
            && set(CURLOPT_URL, "https://\(name):\(url.port)\(url.pathAndQuery)")
    }

    private func headers(_ transfer: CurlTransfer) -> Bool {
        var lines = transfer.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // Sending a body is never put off until the server says so.
        lines.append("Expect:")
        let request = transfer.request
        let has = { (name: String) in transfer.fields.contains { $0.name.lowercased() == name } }
        // libcurl would call every body a form.
        if !request.body.isEmpty || request.method == .post, !has("content-type") { lines.append("Content-Type:") }
        if request.settings.tls.serverName?.isEmpty == false, request.url.scheme == "https", !has("host") {
            lines.append("Host: \(request.url.port == 443 ? request.url.host : request.url.peer)")
        }
        for line in lines {
            guard let longer = curl_slist_append(transfer.headerList, line) else { return false }
            transfer.headerList = longer
        }
        return set(CURLOPT_HTTPHEADER, transfer.headerList)
    }

    private func proxy(_ settings: HTTPSettings) -> Bool {
        // Set even when empty, so that libcurl does not ask the environment.
        set(CURLOPT_PROXY, settings.proxyURL?.reveal() ?? "")
            && (settings.noProxy.isEmpty || set(CURLOPT_NOPROXY, settings.noProxy))
    }

    private func tls(_ request: HTTPRequest) -> Bool {
        let tls = request.settings.tls
        let http2 = request.settings.http2 && request.url.scheme == "https"
        return set(CURLOPT_HTTP_VERSION, Int(http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1))
            && set(CURLOPT_SSL_VERIFYPEER, tls.skipsVerification ? 0 : 1)
            && set(CURLOPT_SSL_VERIFYHOST, tls.skipsVerification ? 0 : 2)
            && set(CURLOPT_SSLVERSION, Self.versions(tls))
            && pem(tls.authorities, file: CURLOPT_CAINFO, blob: CURLOPT_CAINFO_BLOB)
            // A file of one's own is read again for each connection, so that it can be rotated.
            && (tls.authorities == nil || set(CURLOPT_CA_CACHE_TIMEOUT, 0))
            && pem(tls.certificate, file: CURLOPT_SSLCERT, blob: CURLOPT_SSLCERT_BLOB)
            && pem(tls.key, file: CURLOPT_SSLKEY, blob: CURLOPT_SSLKEY_BLOB)
            // A key with a password is refused; otherwise OpenSSL would ask for it at the terminal.
            && (tls.key == nil || set(CURLOPT_KEYPASSWD, ""))
    }

    private func pem(_ source: TLSSettings.PEM?, file: CURLoption, blob: CURLoption) -> Bool {
        switch source {
        case nil: return true
        case .file(let path): return set(file, path)
        case .text(let secret):
            return Array(secret.reveal().utf8).withUnsafeBytes { bytes in
                bytes.baseAddress.map { tc_easy_set_blob(easy, blob, $0, bytes.count) == CURLE_OK } ?? false
            }
        }
    }

    private static func versions(_ tls: TLSSettings) -> Int {
        let minimum =
            switch tls.versionMin {
            case .tls10: CURL_SSLVERSION_TLSv1_0
            case .tls11: CURL_SSLVERSION_TLSv1_1
            case .tls12: CURL_SSLVERSION_TLSv1_2
            case .tls13: CURL_SSLVERSION_TLSv1_3
            }
        let maximum =
            switch tls.versionMax {
            case nil: 0
            case .tls10: CURL_SSLVERSION_MAX_TLSv1_0
            case .tls11: CURL_SSLVERSION_MAX_TLSv1_1
            case .tls12: CURL_SSLVERSION_MAX_TLSv1_2
            case .tls13: CURL_SSLVERSION_MAX_TLSv1_3
            }
        return Int(minimum) | Int(maximum)
    }

    /// At least one: 0 would mean for ever.
    private static func milliseconds(_ duration: Duration) -> Int {
        Int(min(max(1, duration.wholeMilliseconds), Int64(Int32.max)))
    }

    private func set(_ option: CURLoption, _ value: Int) -> Bool { tc_easy_set_long(easy, option, value) == CURLE_OK }

    private func set(_ option: CURLoption, _ value: String) -> Bool {
        // A C string would end at a zero byte and mean something else.
        !value.utf8.contains(0) && tc_easy_set_string(easy, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ value: UnsafeRawPointer?) -> Bool {
        tc_easy_set_pointer(easy, option, value) == CURLE_OK
    }
}
