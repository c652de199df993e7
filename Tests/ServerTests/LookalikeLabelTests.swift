import ServerKit
import Streams
import TestKit
import Testing

/// Values of labels that look the same and are written with other bytes, as Prometheus has them: two of everything.
@Suite struct LookalikeLabelTests {
    private static let pipeline = """
        name: main
        sources: [{push: {}}]
        rules: [{alert: Failed, expr: job_failed == 1}]
        routing: {route: {receiver: nobody, group_by: [name], group_wait: 1h}}
        sinks: [{name: nobody}]
        """

    @Test func `series, alerts, groups and pushes are told apart by bytes`() async throws {
        let (one, other) = ("caf\u{E9}", "cafe\u{301}")
        try await TestServer.with(Self.pipeline) { server async throws in
            let samples = "job_failed{name=\"\(one)\"} 1\njob_failed{name=\"\(other)\"} 1\n"
            let pushed = try await server.client.send("POST", "/api/v1/import/prometheus", text: samples)
            #expect((200..<300).contains(pushed.status))

            func count(_ query: String, _ path: String = "/api/v1/query") async throws -> Int? {
                let answer = try await server.client.send(
                    "POST", path, headers: ["Content-Type": "application/x-www-form-urlencoded"], text: "query=" + query
                )
                let data = try JSONValue(parsing: answer.text.utf8)["data"]
                return data?["result"]?.items?.count
            }
            #expect(try await count("job_failed") == 2)
            #expect(try await count("sum%20by(name)(job_failed)") == 2)
            #expect(try await count("job_failed*on(name)job_failed") == 2)
            #expect(try await count("job_failed%20unless%20job_failed%7Bname%3D%22caf%C3%A9%22%7D") == 1)
            #expect(
                try await count("job_failed%7Bname%3D%22caf%C3%A9%22%7D%20or%20job_failed%7Bname%3D%22cafe%CC%81%22%7D")
                    == 2)
            let values = try await server.client.get("/api/v1/label/name/values")
            #expect(try JSONValue(parsing: values.text.utf8)["data"]?.items?.count == 2)
            let series = try await server.client.get("/api/v1/series?match[]=job_failed")
            #expect(try JSONValue(parsing: series.text.utf8)["data"]?.items?.count == 2)

            #expect(await eventually { server.metric(#"tocsin_alert_groups{pipeline="main"}"#) == 2 })
            #expect(server.metric(#"tocsin_alerts{pipeline="main"}"#) == 2)
            let only = try await server.client.get("/api/v2/alerts?filter=name%3D%22caf%C3%A9%22")
            #expect(try JSONValue(parsing: only.text.utf8).items?.count == 1)

            for value in ["caf%C3%A9", "cafe%CC%81"] {
                #expect(try await server.client.send("PUT", "/metrics/job/\(value)", text: "m 1\n").status == 200)
            }
            #expect(try await count("m") == 2)
        }
    }
}
