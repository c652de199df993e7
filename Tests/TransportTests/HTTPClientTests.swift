import Foundation
import Streams
import TestKit
import Testing
import Transport

@Suite struct HTTPClientTests {
    @Test func `a request arrives as it was sent, and the answer comes back whole`() async throws {
        let server = try TestHTTPServer { _ in
            .text(201, "fine", headers: ["Content-Type": "text/plain", "X-One": "a"])
        }
        try await withClient { client in
            let response = try await client.send(
                HTTPRequest(
                    .post, URLString("\(server.url)/a/../b%20c?x=1&y=%2F"),
                    headers: [HTTPField("Content-Type", "application/json"), HTTPField("X-Empty", "")],
                    body: Array("{}".utf8)))
            #expect(response.status == 201)
            #expect(response.contentType == "text/plain")
            #expect(response["x-one"] == "a")
            #expect(response.body.text() == "fine")
        }
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.path == "/a/../b%20c?x=1&y=%2F")
        #expect(request.text == "{}")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["x-empty"] == "")
        #expect(request.headers["user-agent"] == "Tocsin")
        #expect(request.headers["expect"] == nil)
    }

    @Test(arguments: [HTTPRequest.Method.get, .head, .post, .put, .delete])
    func `every method leaves under its own name`(_ method: HTTPRequest.Method) async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        let body: [UInt8] = method == .get || method == .head ? [] : Array("body".utf8)
        try await withClient { client in
            let response = try await client.send(HTTPRequest(method, URLString(server.url), body: body))
            #expect(response.body.text() == (method == .head ? "" : "ok"))
        }
        #expect(server.requests.map(\.method) == [method.rawValue])
        #expect(server.requests.first?.body == body)
    }

    @Test func `an empty body is sent as one, without a kind`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "") }
        try await withClient { client in _ = try await client.send(HTTPRequest(.post, URLString(server.url))) }
        #expect(server.requests.first?.headers["content-length"] == "0")
        #expect(server.requests.first?.headers["content-type"] == nil)
    }

    @Test func `requests one after the other share a connection`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        try await withClient { client in
            for _ in 0..<5 { _ = try await client.send(HTTPRequest(.get, URLString(server.url))) }
        }
        #expect(server.requests.map(\.connection) == [0, 0, 0, 0, 0])
    }

    @Test func `requests at the same time use no more connections than allowed`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        try await withClient(HTTPClient.Settings(connectionsPerHostMax: 2)) { client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await client.send(HTTPRequest(.get, URLString(server.url))).status }
                }
                for try await status in group { #expect(status == 200) }
            }
        }
        #expect(server.requests.count == 50)
        #expect(Set(server.requests.map(\.connection)).count <= 2)
    }

    @Test func `the body's memory ends in 64 zero bytes`() async throws {
        let server = try TestHTTPServer {
            .respond(200, body: [UInt8](repeating: 7, count: Int($0.path.dropFirst()) ?? 0))
        }
        try await withClient { client in
            for count in [10_000, 1, 0, 4032, 4033] {
                let response = try await client.send(HTTPRequest(.get, URLString("\(server.url)/\(count)")))
                response.body.withUnsafeBytes { bytes in
                    #expect(bytes.count == count)
                    #expect(bytes.allSatisfy { $0 == 7 })
                    let slack = UnsafeRawBufferPointer(start: bytes.baseAddress! + count, count: ResponseBody.slack)
                    #expect(slack.allSatisfy { $0 == 0 })
                }
            }
        }
    }

    @Test func `user and password of the URL become basic authentication and are never printed`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        let url = try URLString("http://me:s%40crt@127.0.0.1:\(server.port)/")
        try await withClient { client in _ = try await client.send(HTTPRequest(.get, url)) }
        #expect(
            server.requests.first?.headers["authorization"] == "Basic " + Data("me:s@crt".utf8).base64EncodedString())
        #expect("\(url)" == "http://<secret>@127.0.0.1:\(server.port)/")
    }

    @Test func `settings say who asks, with which headers`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        let folder = try TemporaryFolder()
        let file = try folder.write("token", "  from-file\n")
        let settings = [
            HTTPSettings(authentication: .basic(user: SecretText("u"), password: SecretText("p"))),
            HTTPSettings(authentication: .credentials(scheme: "Bearer", SecretText("t"))),
            HTTPSettings(authentication: .credentials(scheme: "Token", .file(file.path))),
            HTTPSettings(headers: [.init("X-Scope", SecretText("1"))]),
        ]
        try await withClient { client in
            for settings in settings {
                _ = try await client.send(HTTPRequest(.get, URLString(server.url), settings: settings))
            }
        }
        #expect(
            server.requests.map { $0.headers["authorization"] } == ["Basic dTpw", "Bearer t", "Token from-file", nil])
        #expect(server.requests.last?.headers["x-scope"] == "1")
    }

    @Test func `redirects are followed unless the settings forbid it, and the password stays with its host`()
        async throws
    {
        let other = try TestHTTPServer { _ in .text(200, "other") }
        let otherURL = other.url
        let server = try TestHTTPServer { request in
            switch request.path {
            case "/here": .text(302, "moved", headers: ["Location": "/there"])
            case "/away": .text(307, "moved", headers: ["Location": otherURL])
            case "/loop": .text(302, "", headers: ["Location": "/loop"])
            case "/file": .text(302, "", headers: ["Location": "file:///etc/passwd"])
            default: .text(200, "there")
            }
        }
        let basic = HTTPSettings.Authentication.basic(user: SecretText("u"), password: SecretText("p"))
        try await withClient { client in
            func ask(_ path: String, follows: Bool = true) async throws(TransportError) -> HTTPResponse {
                try await client.send(
                    HTTPRequest(
                        .get, URLString(server.url + path), timeout: .seconds(60),
                        settings: HTTPSettings(authentication: basic, followsRedirects: follows)))
            }
            #expect(try await ask("/here").body.text() == "there")
            let kept = try await ask("/here", follows: false)
            #expect(kept.status == 302)
            #expect(kept["location"] == "/there")
            #expect(try await ask("/away").body.text() == "other")
            #expect(other.requests.first?.headers["authorization"] == nil)
            await #expect(throws: TransportError.protocol(reason: "more than 10 redirects")) { try await ask("/loop") }
            await #expect(throws: TransportError.self) { try await ask("/file") }
        }
    }

    @Test func `headers of the settings and secret bodies go to no other server by a redirect`() async throws {
        let other = try TestHTTPServer { _ in .text(200, "other") }
        let otherURL = other.url
        let server = try TestHTTPServer { request in
            switch request.path {
            case "/a/here": .text(308, "moved", headers: ["Location": "there?x=1"])
            case "/away": .text(307, "moved", headers: ["Location": otherURL])
            default: .text(200, "there")
            }
        }
        let settings = HTTPSettings(headers: [.init("X-Api-Key", SecretText("key"))])
        try await withClient { client async throws in
            func ask(_ path: String, isSecret: Bool = false) async throws(TransportError) -> String {
                var request = HTTPRequest(
                    .post, try URLString(server.url + path),
                    headers: [HTTPField("Content-Type", "text/plain"), HTTPField("Cookie", "c=1")],
                    body: Array("body".utf8), timeout: .seconds(60), settings: settings)
                request.holdsSecrets = isSecret
                return try await client.send(request).body.text()
            }
            #expect(try await ask("/a/here", isSecret: true) == "there")
            #expect(server.requests.last?.path == "/a/there?x=1")
            #expect(server.requests.last?.method == "POST")
            #expect(server.requests.last?.headers["x-api-key"] == "key")
            #expect(server.requests.last?.headers["cookie"] == "c=1")
            #expect(try await ask("/away") == "other")
            #expect(other.requests.last?.headers["x-api-key"] == nil)
            #expect(other.requests.last?.headers["cookie"] == nil)
            #expect(other.requests.last?.headers["content-type"] == "text/plain")
            #expect(other.requests.last?.body == Array("body".utf8))
            await #expect(
                throws: TransportError.protocol(
                    reason: "it redirects to another server, which is not told the secrets")
            ) { try await ask("/away", isSecret: true) }
            #expect(other.requests.count == 1)
        }
    }

    @Test func `gzip is asked for and taken apart`() async throws {
        // printf 'hello gzip' | gzip -9n
        let packed = try #require(Data(base64Encoded: "H4sIAAAAAAACA8tIzcnJV0ivyiwAABlq0t8KAAAA"))
        let server = try TestHTTPServer { request in
            request.path == "/broken"
                ? .respond(200, headers: ["Content-Encoding": "gzip"], body: Array("not gzip at all".utf8))
                : .respond(200, headers: ["Content-Encoding": "gzip"], body: Array(packed))
        }
        try await withClient { client in
            let response = try await client.send(HTTPRequest(.get, URLString(server.url)))
            #expect(response.body.text() == "hello gzip")
            await #expect(
                throws: TransportError.protocol(reason: "the compressed body is damaged or of an unknown kind")
            ) {
                try await client.send(HTTPRequest(.get, URLString(server.url + "/broken")))
            }
        }
        #expect(server.requests.first?.headers["accept-encoding"] == "gzip")
    }

    @Test func `a proxy is asked in the server's place, but not for hosts that need none`() async throws {
        let proxy = try TestHTTPServer { _ in .text(200, "proxied") }
        let server = try TestHTTPServer { _ in .text(200, "direct") }
        let secret = Secret("http://me:pw@127.0.0.1:\(proxy.port)")
        try await withClient { client in
            let far = try URLString("http://far.invalid/x")
            let through = HTTPSettings(proxyURL: secret)
            #expect(try await client.send(HTTPRequest(.get, far, settings: through)).body.text() == "proxied")
            let around = HTTPSettings(proxyURL: secret, noProxy: "127.0.0.0/8,example.com")
            #expect(
                try await client.send(HTTPRequest(.get, URLString(server.url), settings: around)).body.text()
                    == "direct")
        }
        #expect(proxy.requests.map(\.path) == ["http://far.invalid/x"])
        #expect(
            proxy.requests.first?.headers["proxy-authorization"] == "Basic " + Data("me:pw".utf8).base64EncodedString())
    }

    @Test func `many requests at once, again and again, are asked on kept connections`() async throws {
        let server = try TestHTTPServer { _ in .text(200, "ok") }
        try await withClient(HTTPClient.Settings(connectionsPerHostMax: 100)) { client in
            for _ in 0..<3 {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<100 {
                        group.addTask { try await client.send(HTTPRequest(.get, URLString(server.url))).body.count }
                    }
                    for try await count in group { #expect(count == 2) }
                }
            }
        }
        #expect(server.requests.count == 300)
        #expect(Set(server.requests.map(\.connection)).count <= 100)
    }
}
