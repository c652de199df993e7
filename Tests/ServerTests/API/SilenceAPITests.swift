import Foundation
import ServerKit
import Streams
import TestKit
import Testing

/// Silences over HTTP, beyond what the corpus asks for.
@Suite struct SilenceAPITests {
    private static let pipelines = """
        name: default
        routing:
          route: {receiver: nobody, group_by: [alertname]}
        sinks: [{name: nobody}]
        """
    private static let json = ["Content-Type": "application/json"]

    private static func body(
        _ matchers: String = #"{"name":"alertname","value":"A","isRegex":false}"#, id: String = "",
        comment: String = "c"
    ) -> String {
        """
        {"id":"\(id)","matchers":[\(matchers)],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00.5Z",
        "createdBy":"me","comment":"\(comment)","annotations":{"ticket":"7"}}
        """
    }

    private static func post(
        _ body: String, _ server: TestServer, query: String = ""
    ) async throws -> LoopbackAnswer {
        try await server.client.send("POST", "/api/v2/silences" + query, headers: json, text: body)
    }

    private static func make(_ body: String, _ server: TestServer, query: String = "") async throws -> String {
        let answer = try await post(body, server, query: query)
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(try JSONValue(parsing: answer.body)["silenceID"]?.string)
    }

    @Test func `a silence is shown as Alertmanager shows it`() async throws {
        try await TestServer.with(Self.pipelines) { server async throws in
            let matchers =
                #"{"name":"a","value":"x.*","isRegex":true,"isEqual":false},{"name":"b","value":"1","isRegex":false}"#
            let id = try await Self.make(Self.body(matchers), server)
            let answer = try await server.client.get("/api/v2/silence/\(id)")
            let shown = try JSONValue(parsing: answer.body)
            let (updated, start) = (shown["updatedAt"]?.string ?? "", shown["startsAt"]?.string ?? "")
            #expect(
                answer.text
                    == #"{"id":"\#(id)","status":{"state":"active"},"updatedAt":"\#(updated)","annotations":{"ticket":"7"},"#
                    + #""comment":"c","createdBy":"me","endsAt":"2099-01-01T00:00:00.500Z","matchers":[{"isEqual":false,"#
                    + #""isRegex":true,"name":"a","value":"x.*"},{"isEqual":true,"isRegex":false,"name":"b","value":"1"}],"#
                    + #""startsAt":"\#(start)"}"# + "\n")
            #expect(updated == start && updated.utf8.count == 24)
            #expect(answer.headers["cache-control"] == "no-store" && answer.headers["vary"] == "Origin")
        }
    }

    static let wrong: [(String, Int, String)] = [
        ("", 422, #"{"code":602,"message":"silence in body is required"}"#),
        ("[]", 400, #"{"code":400,"message":"parsing silence body from \"\" failed, because the body is no object"}"#),
        ("{", 400, #"because the body is no JSON: see byte 1"}"#),
        ("{}", 422, #"{"code":602,"message":"comment in body is required"}"#),
        (#"{"comment":"","createdBy":3}"#, 400, "createdBy is no text"),
        (#"{"comment":""}"#, 422, "createdBy in body is required"),
        (body("", comment: "x"), 422, #"{"code":612,"message":"matchers in body should have at least 1 items"}"#),
        (body("{}"), 422, "matchers.0.isRegex in body is required"),
        (body(#"{"isRegex":true}"#), 422, "matchers.0.name in body is required"),
        (body(#"{"isRegex":true,"name":"a"}"#), 422, "matchers.0.value in body is required"),
        (body(#"{"isRegex":"yes","name":"a"}"#), 400, "isRegex is neither true nor false"),
        (body("3"), 400, "matchers.0 is no object"),
        (
            body(#"{"isRegex":true,"name":"a","value":"("}"#), 400,
            #""invalid silence: invalid label matcher 0 in set 0: "#
        ),
        (
            body(#"{"isRegex":true,"name":"a","value":".*"}"#), 400,
            "at least one matcher must not match the empty string\""
        ),
        (body(id: "x"), 404, "\"silence not found\"\n"),
        (body(comment: String(repeating: "x", count: 300_000)), 400, "\"silence exceeded maximum size: "),
        (body(comment: String(repeating: "x", count: 2_000_000)), 413, #""code":413"#),
    ]

    @Test func `what is wrong is told as Alertmanager tells it`() async throws {
        try await TestServer.with(Self.pipelines) { server async throws in
            for (body, status, text) in Self.wrong {
                let answer = try await Self.post(body, server)
                #expect(answer.status == status, "\(body.prefix(200)): \(answer.text)")
                #expect(answer.text.contains(text), "\(body.prefix(200)): \(answer.text)")
            }
            let unknown = try await Self.post(Self.body(), server, query: "?pipeline=other")
            #expect(unknown.status == 404 && unknown.text.contains("?pipeline=NAME with one of default"))
            #expect(try await server.client.get("/api/v2/silences").text == "[]\n")
        }
    }

    @Test func `what may mute everything has to be confirmed`() async throws {
        try await TestServer.with(Self.pipelines) { server async throws in
            let all = Self.body(#"{"name":"alertname","value":".*","isRegex":true}"#)
            #expect(try await Self.post(all, server).status == 400)
            #expect(try await Self.post(all, server, query: "?confirm=yes").status == 400)
            _ = try await Self.make(all, server, query: "?confirm=true")
        }
    }

    private static func comments(_ query: String, _ server: TestServer) async throws -> [String] {
        let answer = try await server.client.get("/api/v2/silences" + query)
        return (try JSONValue(parsing: answer.body).items ?? []).compactMap { $0["comment"]?.string }
    }

    @Test func `lists leave out states and are ordered by them`() async throws {
        try await TestServer.with(Self.pipelines) { server async throws in
            let expired = try await Self.make(Self.body(comment: "expired"), server)
            #expect(try await server.client.send("DELETE", "/api/v2/silence/\(expired)").status == 200)
            let pending = Self.body(comment: "pending").replacing("2026-01-01", with: "2098-01-01")
            _ = try await Self.make(pending, server)
            _ = try await Self.make(Self.body(comment: "active"), server)
            #expect(try await Self.comments("", server) == ["active", "pending", "expired"])
            #expect(try await Self.comments("?active=false", server) == ["pending", "expired"])
            #expect(try await Self.comments("?pending=false&expired=false", server) == ["active"])
            #expect(try await Self.comments("?filter=alertname%3D~A", server) == [])
            #expect(try await Self.comments("?filter=alertname%3DA&pipeline=default", server).count == 3)
        }
    }

    /// The silence that mutes the first alert.
    private static func silencer(_ server: TestServer) async throws -> String? {
        let answer = try await server.client.get("/api/v2/alerts")
        return try JSONValue(parsing: answer.body).items?.first?["status"]?["silencedBy"]?.items?.first?.string
    }

    @Test func `silences are kept over reloads, and their alerts stay suppressed`() async throws {
        let alert = #"[{"labels":{"alertname":"A"},"endsAt":"2099-01-01T00:00:00Z"}]"#
        try await TestServer.with(Self.pipelines) { server async throws in
            let id = try await Self.make(Self.body(), server)
            #expect(
                try await server.client.send("POST", "/api/v2/alerts", headers: Self.json, text: alert).status == 200)
            #expect(await eventually { (try? await Self.silencer(server)) == id })
            try server.folder.write(
                "pipelines/main.yaml", Self.pipelines.replacing("[alertname]", with: "[alertname, zone]"))
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            #expect(try await Self.silencer(server) == id)
            #expect(try await server.client.send("DELETE", "/api/v2/silence/\(id)").status == 200)
            #expect(try await Self.silencer(server) == nil)
        }
    }

    @Test func `under a prefix, with what browsers ask for`() async throws {
        var options = TestServer.Options()
        options.prefix = "/mon"
        try await TestServer.with(Self.pipelines, options) { server async throws in
            let origin = ["Origin": "http://x"]
            let missing = try await server.client.get("/mon/api/v2/nope", headers: origin)
            #expect(missing.status == 404)
            #expect(missing.text == #"{"code":404,"message":"path /api/v2/nope was not found"}"# + "\n")
            #expect(missing.headers["access-control-allow-origin"] == "*")
            let put = try await server.client.send("PUT", "/mon/api/v2/silences")
            #expect(put.status == 405 && put.headers["allow"] == "GET,POST")
            #expect(put.text == #"{"code":405,"message":"method PUT is not allowed, but [GET,POST] are"}"# + "\n")
            #expect(try await server.client.get("/mon/api/v2/silence/x").status == 422)
            for (method, isAllowed) in [("GET", true), ("POST", true), ("DELETE", false)] {
                let headers = origin.merging(["Access-Control-Request-Method": method]) { $1 }
                let answer = try await server.client.send("OPTIONS", "/mon/api/v2/alerts", headers: headers)
                #expect(answer.status == 204)
                #expect(answer.headers["access-control-allow-methods"] == (isAllowed ? method : nil))
            }
        }
    }
}
