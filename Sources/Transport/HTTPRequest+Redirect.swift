import CLibCurl
import Streams

extension HTTPRequest {
    /// What is asked next when the answer says that it is elsewhere; nil: the answer is the last one. A redirected POST
    /// stays one, for who sends something must not be told 200 for a GET of where it moved to.
    ///
    /// What is secret stays with its server, as it does with Go's client: to another host, port or scheme neither the
    /// credentials go nor the headers of the settings.
    /// - Throws: where the new place is none, or a body with secrets would go elsewhere.
    func redirected(by response: HTTPResponse) throws(TransportError) -> HTTPRequest? {
        guard settings.followsRedirects, [301, 302, 303, 307, 308].contains(response.status),
            let location = response["Location"]
        else { return nil }
        var next = self
        do throws(TransportError) {
            next.url = try url.following(location)
        } catch {
            throw .protocol(reason: "it redirects to what is no URL of http or https")
        }
        if (next.url.scheme, next.url.host, next.url.port) == (url.scheme, url.host, url.port) {
            // What stood in the URL is known for its whole server.
            if next.url.userInfo == nil { next.url = next.url.withUser(of: url) }
            return next
        }
        if holdsSecrets { throw .protocol(reason: "it redirects to another server, which is not told the secrets") }
        next.settings.authentication = nil
        next.settings.headers = []
        next.headers.removeAll { Self.credentialNames.contains($0.name.lowercased()) }
        return next
    }

    private static let credentialNames: Set<String> = ["authorization", "cookie", "cookie2", "www-authenticate"]
}

extension URLString {
    /// Where a `Location` leads that this URL's server sent.
    fileprivate func following(_ location: String) throws(TransportError) -> URLString {
        guard let parts = curl_url() else { throw .invalidURL(reason: "out of memory") }
        defer { curl_url_cleanup(parts) }
        guard !location.utf8.contains(0), curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK,
            curl_url_set(parts, CURLUPART_URL, location, 0) == CURLUE_OK
        else { throw .invalidURL(reason: "it is malformed") }
        var whole: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parts, CURLUPART_URL, &whole, 0) == CURLUE_OK, let whole else {
            throw .invalidURL(reason: "it is malformed")
        }
        defer { curl_free(whole) }
        return try URLString(String(cString: whole))
    }
}
