import Foundation
import ServerKit
import Streams
import TestKit
import Testing

/// What clients of Alertmanager's API read.
@Suite struct AlertmanagerAPITests {
    private static let pipeline = """
        name: default
        sources: [{push: {}}]
        rules: [{alert: Failed, expr: job_failed == 1}]
        routing:
          route:
            receiver: nobody
            group_by: [alertname]
            group_interval: 2m
            routes:
              - {receiver: web, matchers: ['team="web"'], continue: true}
              - {receiver: "on", matchers: ['team=~"w.*"'], group_by: ['...']}
          inhibit_rules:
            - {source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [zone]}
        sinks: [{name: nobody}, {name: web}, {name: "on"}]
        """

    /// A server that knows five alerts, one of them a rule's, one inhibited, one over.
    private static func with(_ test: @escaping @Sendable (TestServer) async throws -> Void) async throws {
        try await TestServer.with(pipeline) { server async throws in
            let body = """
                [{"labels": {"alertname": "A", "team": "web", "severity": "critical", "zone": "z 1"},
                  "annotations": {"summary": "one"}, "startsAt": "2026-01-02T03:04:05.6Z",
                  "endsAt": "2099-01-01T00:00:00Z", "generatorURL": "http://p/1"},
                 {"labels": {"alertname": "B", "severity": "warning", "zone": "z 1"}},
                 {"labels": {"alertname": "C"}},
                 {"labels": {"alertname": "D"}, "endsAt": "2026-01-01T00:00:00Z"}]
                """
            let headers = ["Content-Type": "application/json"]
            #expect(
                try await server.client.send("POST", "/api/v2/alerts", headers: headers, text: body).status == 200)
            #expect(try await server.client.send("PUT", "/metrics/job/x", text: "job_failed 1\n").status == 200)
            #expect(await eventually { (try? await names(server, "").count) == 4 })
            try await test(server)
        }
    }

    private static func alerts(_ server: TestServer, _ query: String) async throws -> [JSONValue] {
        let answer = try await server.client.get("/api/v2/alerts" + query)
        #expect(answer.status == 200, "\(query): \(answer.text)")
        #expect(answer.headers["cache-control"] == "no-store")
        return try JSONValue(parsing: answer.body).items ?? []
    }

    private static func names(_ server: TestServer, _ query: String) async throws -> [String] {
        try await alerts(server, query).compactMap { $0["labels"]?["alertname"]?.string }.sorted()
    }

    @Test func `an alert is shown with where it goes and what mutes it`() async throws {
        try await Self.with { server async throws in
            let all = try await Self.alerts(server, "")
            let fingerprints = all.compactMap { $0["fingerprint"]?.string }
            #expect(fingerprints == fingerprints.sorted() && fingerprints.count == 4)
            let alert = try #require(try await Self.alerts(server, "?filter=alertname%3DA").first)
            var known = try #require(JSONValue(parsing: alert.bytes).members)
            known.removeAll { $0.name == "updatedAt" }
            #expect(
                JSONValue.object(known).text
                    == #"{"annotations":{"summary":"one"},"endsAt":"2099-01-01T00:00:00.000Z","#
                    + #""fingerprint":"\#(alert["fingerprint"]?.string ?? "")","receivers":[{"name":"web"},{"name":"on"}],"#
                    + #""startsAt":"2026-01-02T03:04:05.600Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"#
                    + #""state":"active"},"generatorURL":"http://p/1","labels":{"alertname":"A","severity":"critical","#
                    + #""team":"web","zone":"z 1"}}"#)
            let muted = try #require(try await Self.alerts(server, "?filter=alertname%3DB").first)
            #expect(muted["status"]?["state"] == "suppressed")
            #expect(muted["status"]?["inhibitedBy"]?.items == [try #require(alert["fingerprint"])])
            let ruled = try #require(try await Self.alerts(server, "?filter=alertname%3DFailed").first)
            #expect(ruled["endsAt"] == "0001-01-01T00:00:00.000Z")
        }
    }

    static let queries: [(String, [String])] = [
        ("?filter=zone%3D%22z+1%22", ["A", "B"]), ("?filter=zone%3D%22z%201%22&filter=team%3D%22%22", ["B"]),
        ("?filter=alertname%3D~%22A%7CC%22", ["A", "C"]), ("?filter=x%3Dy", []),
        ("?receiver=w.b", ["A"]), ("?receiver=we", []), ("?receiver=nobody&active=false", ["B"]),
        ("?active=false", ["B"]), ("?active=maybe", ["B"]), ("?active=", ["A", "B", "C", "Failed"]),
        ("?inhibited=false", ["A", "C", "Failed"]), ("?inhibited=false&active=false", []),
        ("?silenced=false&unprocessed=false", ["A", "B", "C", "Failed"]),
        ("?pipeline=default", ["A", "B", "C", "Failed"]), ("?pipeline=other", []),
    ]

    @Test func `filters leave out what they should`() async throws {
        try await Self.with { server async throws in
            for (query, wanted) in Self.queries {
                #expect(try await Self.names(server, query) == wanted, "\(query)")
            }
            for query in ["?filter=x", "?receiver=(", "?filter=a%3D~%22(%22"] {
                let answer = try await server.client.get("/api/v2/alerts" + query)
                #expect(answer.status == 400, "\(query)")
                // What a handler refuses is a text.
                #expect(answer.text.hasPrefix("\""), "\(answer.text)")
            }
        }
    }

    @Test func `receivers come in the order of the file, the status has the routing`() async throws {
        try await TestServer.with(Self.pipeline) { server async throws in
            let receivers = try await server.client.get("/api/v2/receivers")
            #expect(receivers.text == #"[{"name":"nobody"},{"name":"web"},{"name":"on"}]"# + "\n")
            let status = try JSONValue(parsing: try await server.client.get("/api/v2/status").body)
            #expect(status["cluster"]?["status"] == "disabled")
            #expect(status["versionInfo"]?["version"] == "test")
            #expect(status["uptime"]?.string.flatMap { Timestamp(rfc3339: $0) } != nil)
            #expect(
                status["config"]?["original"]?.string == """
                    global:
                      resolve_timeout: 5m
                    route:
                      receiver: nobody
                      group_by:
                      - alertname
                      continue: false
                      routes:
                      - receiver: web
                        matchers:
                        - team="web"
                        continue: true
                      - receiver: "on"
                        group_by:
                        - '...'
                        matchers:
                        - team=~"w.*"
                        continue: false
                      group_interval: 2m
                    inhibit_rules:
                    - source_matchers:
                      - severity="critical"
                      target_matchers:
                      - severity="warning"
                      equal:
                      - zone
                    receivers:
                    - name: nobody
                    - name: web
                    - name: "on"
                    templates: []

                    """)
        }
    }
}

extension JSONValue {
    fileprivate var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}
