import Testing
import Transport

@Suite struct URLStringTests {
    @Test func `a URL is taken apart`() throws {
        let url = try URLString("https://[::1]:8443/a/b?c=d#e")
        #expect(url.scheme == "https")
        #expect(url.host == "[::1]")
        #expect(url.port == 8443)
        #expect(url.pathAndQuery == "/a/b?c=d")
        #expect(url.text == "https://[::1]:8443/a/b?c=d")
        #expect(url.peer == "[::1]:8443")
        #expect(try URLString("http://h").port == 80)
        #expect(try URLString("https://h").port == 443)
        #expect(try URLString("https://h").text == "https://h/")
    }

    static let malformed: [(String, String)] = [
        ("", "it does not begin with http:// or https://"),
        ("example.com/x", "it does not begin with http:// or https://"),
        ("ftp://example.com", "the scheme \"ftp\" is not http or https"),
        ("http://", "its host is missing or malformed"),
        ("http://h:99999/", "its port is not a number from 1 to 65535"),
        ("http://h:0/", "its port is not a number from 1 to 65535"),
        ("http://h:x/", "its port is not a number from 1 to 65535"),
        ("http://[::1/", "its IPv6 address is malformed"),
        ("http://a b/", "its host is missing or malformed"),
        ("http://h/a\u{0}b", "it holds a zero byte"),
        ("http://h/a\r\nX: y", "it is malformed"),
    ]

    @Test("what is no URL says why, without quoting it", arguments: malformed)
    func bad(_ text: String, _ reason: String) {
        #expect(throws: TransportError.invalidURL(reason: reason)) { try URLString(text) }
    }
}
