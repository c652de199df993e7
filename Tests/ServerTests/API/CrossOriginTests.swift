import Server
import ServerKit
import Streams
import TestKit
import Testing

/// What a browser asks before a page of another site may read the API, as Prometheus answers it.
@Suite struct CrossOriginTests {
    private static let names = [
        "access-control-allow-headers", "access-control-allow-methods", "access-control-expose-headers",
    ]

    private static func asked(
        _ client: LoopbackClient, _ path: String, from origin: String?, method: String = "GET"
    ) async throws -> LoopbackAnswer {
        try await client.send(method, "/api/v1/" + path, headers: origin.map { ["Origin": $0] } ?? [:])
    }

    @Test func `pages of any site may read the API`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for path in ["query?query=1", "query?query=(", "notifications", "search/label_names", "status/config"] {
                let answer = try await Self.asked(server.client, path, from: "http://grafana.example")
                #expect(answer.headers["access-control-allow-origin"] == "*", "\(path)")
                #expect(
                    answer.headers["access-control-allow-headers"] == "Accept, Authorization, Content-Type, Origin")
                #expect(answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS")
                #expect(answer.headers["access-control-expose-headers"] == "Date")
                #expect(answer.headers["vary"]?.contains("Origin") == true)
            }
            let plain = try await Self.asked(server.client, "query?query=1", from: nil)
            for name in Self.names + ["access-control-allow-origin"] { #expect(plain.headers[name] == nil) }
            #expect(plain.headers["vary"]?.contains("Origin") == true)
        }
    }

    @Test func `with an expression for origins, pages of other sites may not`() async throws {
        var options = TestServer.Options()
        options.crossOrigin = try CrossOrigin("https?://(grafana|dash)\\.example")
        try await TestServer.with(pushPipeline, options) { server async throws in
            let known = try await Self.asked(server.client, "labels", from: "https://dash.example")
            #expect(known.headers["access-control-allow-origin"] == "https://dash.example")
            let other = try await Self.asked(server.client, "labels", from: "https://dash.example.org")
            #expect(other.headers["access-control-allow-origin"] == nil)
            #expect(other.headers["access-control-allow-methods"] == "GET, POST, OPTIONS")
        }
    }

    @Test func `OPTIONS is answered at every path of the API`() async throws {
        var options = TestServer.Options()
        options.prefix = "/under"
        try await TestServer.with(pushPipeline, options) { server async throws in
            for path in ["query", "label/job/values", "series", "nothing", "a/b/c", "write", "admin/tsdb/snapshot"] {
                let answer = try await server.client.send(
                    "OPTIONS", "/under/api/v1/\(path)",
                    headers: ["Origin": "http://a.example", "Access-Control-Request-Method": "POST"])
                #expect(answer.status == 204, "\(path)")
                #expect(answer.headers["access-control-allow-origin"] == "*", "\(path)")
                #expect(answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS")
            }
            #expect(try await server.client.send("OPTIONS", "/under/-/ready").status == 405)
        }
    }

    @Test func `an unknown path and a wrong method are told in plain text`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for method in ["GET", "POST", "PATCH"] {
                let unknown = try await server.client.send(method, "/api/v1/nothing")
                #expect(unknown.status == 404)
                #expect(unknown.headers["content-type"] == "text/plain; charset=utf-8")
            }
            for (method, path, allowed) in [
                ("DELETE", "query", "GET, OPTIONS, POST"), ("POST", "status/config", "GET, OPTIONS"),
                ("GET", "admin/tsdb/snapshot", "OPTIONS, POST, PUT"), ("GET", "write", "OPTIONS, POST"),
            ] {
                let answer = try await server.client.send(method, "/api/v1/" + path)
                #expect(answer.status == 405)
                #expect(answer.headers["allow"] == allowed)
                #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
            }
        }
    }

    @Test func `what Prometheus has and this server has not is told as switched off`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for path in ["read", "otlp/v1/metrics"] {
                let answer = try await server.client.send("POST", "/api/v1/" + path)
                #expect(answer.status == 404)
                #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
                #expect(answer.text.contains("not available"))
            }
        }
    }
}
