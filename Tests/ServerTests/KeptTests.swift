import Foundation
import ServerKit
import Streams
import TestKit
import Testing

/// What is kept beside samples, as it is asked for.
@Suite struct KeptTests {
    private static let openMetrics = ["Content-Type": "application/openmetrics-text; version=1.0.0"]
    private static let form = ["Content-Type": "application/x-www-form-urlencoded"]
    private static let remoteWrite = ["Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"]

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private static func importText(_ server: TestServer, _ text: String) async throws {
        let answer = try await server.client.send(
            "POST", "/api/v1/import/prometheus?extra_label=site=x", headers: openMetrics, text: text)
        #expect(answer.status == 204, "\(answer.text)")
    }

    // MARK: metadata

    @Test func `metadata answers as Prometheus does`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            func get(_ query: String) async throws -> String {
                try await server.client.get("/api/v1/metadata\(query)").text
            }
            #expect(try await get("") == #"{"status":"success","data":{}}"#)
            try await Self.importText(
                server, "# TYPE s_seconds histogram\n# UNIT s_seconds seconds\n# HELP s_seconds S \\\"x\\\".\n# EOF\n")
            let push = "# TYPE up gauge\n# HELP up Up.\nup 1\n"
            #expect(try await server.client.send("PUT", "/metrics/job/a", text: push).status == 200)
            try await Self.importText(server, "# TYPE up counter\nup 1\n# EOF\n")
            let up = #""up":[{"type":"counter","help":"","unit":""},{"type":"gauge","help":"Up.","unit":""}]"#
            #expect(try await get("?metric=up") == #"{"status":"success","data":{\#(up)}}"#)
            #expect(
                try await get("?metric=up&limit_per_metric=1")
                    == #"{"status":"success","data":{"up":[{"type":"counter","help":"","unit":""}]}}"#)
            #expect(
                try await get("?metric=s_seconds")
                    == #"{"status":"success","data":{"s_seconds":[{"type":"histogram","help":"S \"x\".","unit":"seconds"}]}}"#
            )
            let all = try await server.client.get("/api/v1/metadata").json()["data"] as? NSDictionary
            #expect(
                Set(all?.allKeys as? [String] ?? []) == [
                    "push_failure_time_seconds", "push_time_seconds", "s_seconds", "up",
                ])
            let limited = try await server.client.get("/api/v1/metadata?limit=2").json()["data"] as? NSDictionary
            #expect(limited?.count == 2)
            #expect(try await get("?limit=0") == #"{"status":"success","data":{}}"#)
            #expect(try await get("?metric=none") == #"{"status":"success","data":{}}"#)
            for name in ["limit", "limit_per_metric"] {
                let wrong = try await server.client.get("/api/v1/metadata?\(name)=x")
                #expect(wrong.status == 400)
                #expect(
                    wrong.text == #"{"status":"error","errorType":"bad_data","error":"\#(name) must be a number"}"#)
            }
        }
    }

    @Test func `targets/metadata answers as Prometheus does`() async throws {
        let target = try TestHTTPServer { _ in
            .text(
                200, "# TYPE a gauge\n# HELP a A.\na 1\n# TYPE b counter\nb 1\n",
                headers: ["Content-Type": "text/plain"])
        }
        let pipeline = """
            name: default
            sources:
              - scrape:
                  job_name: j
                  scrape_interval: 100ms
                  static_configs: [{targets: ['127.0.0.1:\(target.port)'], labels: {instance: t}}]
            """
        try await TestServer.with(pipeline) { server async throws in
            func get(_ query: String) async throws -> String {
                try await server.client.get("/api/v1/targets/metadata\(query)").text
            }
            #expect(await eventually { (try? await get("")) != #"{"status":"success","data":[]}"# })
            let labels = #""target":{"instance":"t","job":"j"}"#
            let a = #"{\#(labels),"metric":"a","type":"gauge","help":"A.","unit":""}"#
            let b = #"{\#(labels),"metric":"b","type":"counter","help":"","unit":""}"#
            #expect(try await get("") == #"{"status":"success","data":[\#(a),\#(b)]}"#)
            #expect(try await get("?limit=1") == #"{"status":"success","data":[\#(a),\#(b)]}"#)
            #expect(try await get("?limit=0") == #"{"status":"success","data":[]}"#)
            #expect(
                try await get("?metric=a&match_target=" + Self.encoded(#"{job="j"}"#))
                    == #"{"status":"success","data":[{\#(labels),"type":"gauge","help":"A.","unit":""}]}"#)
            #expect(
                try await get("?match_target=" + Self.encoded(#"{job!="j"}"#)) == #"{"status":"success","data":[]}"#)
            let wrong = try await server.client.get("/api/v1/targets/metadata?match_target=" + Self.encoded("{job="))
            #expect(wrong.status == 400)
            #expect(
                wrong.text.contains(#""error":"invalid parameter \"match_target\": 1:6: parse error: "#),
                "\(wrong.text)")
            // The same through `metadata`, and all of it ends with the target.
            #expect(try await server.client.get("/api/v1/metadata?metric=a").text.contains(#""help":"A.""#))
            try server.folder.write("pipelines/main.yaml", "name: default\n")
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            #expect(try await get("") == #"{"status":"success","data":[]}"#)
        }
    }

    // MARK: exemplars

    private static let text = """
        # TYPE a counter
        a_total{n="1"} 1 # {trace_id="x"} 0.5 1000.25
        a_total{n="2"} 1 # {trace_id="y",span_id=""} 1e300 1001
        # EOF

        """

    @Test func `query_exemplars answers as Prometheus does`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            func get(_ query: String, _ rest: String = "") async throws -> String {
                try await server.client.get("/api/v1/query_exemplars?query=\(Self.encoded(query))\(rest)").text
            }
            #expect(try await get("a_total") == #"{"status":"success","data":[]}"#)
            try await Self.importText(server, Self.text)
            let one =
                #"{"seriesLabels":{"__name__":"a_total","n":"1","site":"x"},"exemplars":[{"labels":{"trace_id":"x"},"value":"0.5","timestamp":1000.25}]}"#
            let two =
                #"{"seriesLabels":{"__name__":"a_total","n":"2","site":"x"},"exemplars":[{"labels":{"trace_id":"y"},"value":"1e+300","timestamp":1001}]}"#
            #expect(try await get("a_total") == #"{"status":"success","data":[\#(one),\#(two)]}"#)
            #expect(
                try await get(#"rate(a_total{n="1"}[5m]) / on() sum(b)"#) == #"{"status":"success","data":[\#(one)]}"#)
            #expect(try await get("a_total", "&start=1000.5&end=1001") == #"{"status":"success","data":[\#(two)]}"#)
            let posted = try await server.client.send(
                "POST", "/api/v1/query_exemplars", headers: Self.form,
                text: "query=a_total&start=1000&end=1000.5")
            #expect(posted.text == #"{"status":"success","data":[\#(one)]}"#)
            #expect(try await server.client.get("/api/v1/query_exemplars?query=1").status == 204)
            // As old ones of their series, they are passed over or refused, and the request is taken all the same.
            try await Self.importText(server, Self.text.replacing("1000.25", with: "999"))
            #expect(try await get("a_total") == #"{"status":"success","data":[\#(one),\#(two)]}"#)
            #expect(server.metric("tocsin_exemplars_refused_total{reason=\"out_of_order\"}") == 1)
        }
    }

    @Test func `an exemplar does not bring labels in that a sample may not`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            var body = RemoteWriteBody()
            let labels = [("__name__", "a"), ("text", String(repeating: "x", count: 100_000))]
            body.exemplar(labels, [("trace_id", "x")], 1, Int64(Date().timeIntervalSince1970 * 1000))
            let answer = try await server.client.send(
                "POST", "/api/v1/write",
                headers: ["Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"],
                body: snappy(body.bytes))
            #expect(answer.status == 400)
            #expect(answer.text.contains("label_value_length_limit"))
            #expect(server.metric("tocsin_exemplars_series") == 0)
        }
    }

    @Test(arguments: [
        ("query=a&start=5&end=4", "end timestamp must not be before start timestamp"),
        (
            "query=a&start=x",
            #"invalid parameter \"start\": invalid time value for 'start': cannot parse \"x\" to a valid timestamp"#
        ),
        ("query=a%7B", "1:3: parse error: "),
    ])
    func `a bad question about exemplars is answered with why`(_ query: String, _ reason: String) async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let answer = try await server.client.get("/api/v1/query_exemplars?\(query)")
            #expect(answer.status == 400)
            #expect(answer.text.contains(#""errorType":"bad_data","error":"\#(reason)"#), "\(answer.text)")
        }
    }

    @Test func `storage.exemplars says how many are kept, a reload changes it`() async throws {
        let pipeline = pushPipeline + "\nstorage: {exemplars: {max_exemplars: 1}}\n"
        try await TestServer.with(pipeline) { server async throws in
            try await Self.importText(server, Self.text)
            #expect(server.metric("tocsin_exemplars") == 1)
            try server.folder.write("pipelines/main.yaml", pushPipeline)
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            #expect(server.metric("tocsin_exemplars_max") == 100_000)
            #expect(server.metric("tocsin_exemplars") == 1)
        }
    }

    // MARK: remote write

    private static func message(_ build: (inout RemoteWriteBody) -> Void) -> [UInt8] {
        var body = RemoteWriteBody()
        build(&body)
        return snappy(body.bytes)
    }

    @Test func `remote write's exemplars and metadata are kept`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let body = Self.message { body in
                body.series([("__name__", "rw_total")], [(1, Int64(Date().timeIntervalSince1970 * 1000))])
                body.exemplar([("__name__", "rw_total")], [("trace_id", "z")], 2, 1500)
                body.metadata("rw_total", type: 1, help: "Remote.", unit: "")
            }
            let answer = try await server.client.send("POST", "/api/v1/write", headers: Self.remoteWrite, body: body)
            #expect(answer.status == 204, "\(answer.text)")
            #expect(
                try await server.client.get("/api/v1/query_exemplars?query=rw_total").text
                    == #"{"status":"success","data":[{"seriesLabels":{"__name__":"rw_total"},"exemplars":[{"labels":{"trace_id":"z"},"value":"2","timestamp":1.5}]}]}"#
            )
            #expect(
                try await server.client.get("/api/v1/metadata").text
                    == #"{"status":"success","data":{"rw_total":[{"type":"counter","help":"Remote.","unit":""}]}}"#)
        }
    }

    @Test func `series with too many or too long labels are refused whole, with the limit's name, and counted`()
        async throws
    {
        try await TestServer.with(pushPipeline) { server async throws in
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            func refusal(_ labels: [(String, String)]) async throws -> String {
                let body = Self.message { body in
                    body.series([("__name__", "good")], [(1, now)])
                    body.series([("__name__", "bad")] + labels, [(1, now)])
                }
                let answer = try await server.client.send(
                    "POST", "/api/v1/write", headers: Self.remoteWrite, body: body)
                return "\(answer.status) \(answer.text)"
            }
            #expect(
                try await refusal([("x", String(repeating: "v", count: 65_537))])
                    == "400 a value of label \"x\" is longer than label_value_length_limit (65536 bytes)\n")
            #expect(try await refusal([(String(repeating: "n", count: 1025), "v")]).contains("label_name_length_limit"))
            #expect(try await refusal((0..<128).map { ("l\($0)", "v") }).contains("more than label_limit (128)"))
            #expect(try await server.value("good") == nil)
            #expect(server.metric("tocsin_push_label_limit_total{source=\"remote_write\"}") == 3)
            let line =
                "a{x=\"\(String(repeating: "v", count: 2000))\",\(String(repeating: "n", count: 1025))=\"1\"} 1\n"
            let text = try await server.client.send("POST", "/api/v1/import/prometheus", text: line)
            #expect(text.status == 400)
            #expect(text.text.contains("label_name_length_limit (1024 bytes)"), "\(text.text)")
        }
    }
}
