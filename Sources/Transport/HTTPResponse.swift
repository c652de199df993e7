import CLibCurl
package import Streams

/// The answer to a request, after redirects, with its whole body.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: [HTTPField]
    package var body: ResponseBody

    /// The first header of that name, in whatever case.
    package subscript(_ name: String) -> String? {
        headers.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased() }?.value
    }

    package var contentType: String? { self["Content-Type"] }

    /// How long the server asks to be left alone (`Retry-After`: seconds or a date), seen from `now`; at most a day.
    package func retryAfter(now: Timestamp) -> Duration? {
        guard let text = self["Retry-After"] else { return nil }
        let day = 86_400
        if let seconds = Int(text) { return seconds < 0 ? nil : .seconds(min(seconds, day)) }
        let date = curl_getdate(text, nil)
        guard date >= 0 else { return nil }
        let seconds = Int64(date) - now.milliseconds / 1000
        return .seconds(min(max(0, seconds), Int64(day)))
    }
}
