import Foundation
import Server
import ServerKit
import Streams
import Synchronization
import TestKit
import Testing

@Suite struct QueryAPITests {
    @Test func `the tree of an expression has the form that Prometheus's pages read`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let data = try await server.client.form(
                "parse_query",
                "query=sum by(job)(rate(x%7Ba!~%22b%22%7D%5B5m%5D offset 1m)) > bool on(job) group_left(c) -y @ 10")
            let expected = #"""
                {"type":"binaryExpr","op":">","bool":true,
                 "matching":{"card":"many-to-one","labels":["job"],"on":true,"include":["c"],
                             "fillValues":{"lhs":null,"rhs":null}},
                 "lhs":{"type":"aggregation","op":"sum","grouping":["job"],"without":false,"param":null,
                   "expr":{"type":"call",
                     "func":{"name":"rate","argTypes":["matrix"],"variadic":0,"returnType":"vector"},
                     "args":[{"type":"matrixSelector","name":"x","range":300000,"rangeExpr":null,"offset":60000,
                       "offsetExpr":null,"timestamp":null,"startOrEnd":null,"anchored":false,"smoothed":false,
                       "matchers":[{"name":"a","value":"b","type":"!~"},{"name":"__name__","value":"x","type":"="}]}]}},
                 "rhs":{"type":"unaryExpr","op":"-","expr":{"type":"vectorSelector","name":"y","offset":0,
                   "offsetExpr":null,"timestamp":10000,"startOrEnd":null,"anchored":false,"smoothed":false,
                   "matchers":[{"name":"__name__","value":"y","type":"="}]}}}
                """#
            let tree = try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? NSDictionary
            #expect(try data.json()["data"] as? NSDictionary == tree, "\(data.text)")
        }
    }

    @Test func `an expression is laid out`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let data = try await server.client.data("format_query?query=sum(foo)by(a)%2Fbar")
            #expect(data as? String == "sum by (a) (foo) / bar")
        }
    }

    @Test func `limit, statistics and what is worth knowing come with a result`() async throws {
        try await withSeries { server, now in
            let client = server.client
            let cut = try await client.get("/api/v1/query?query=http_requests_total&limit=2").json()
            #expect(((cut["data"] as? NSDictionary)?["result"] as? [Any])?.count == 2)
            #expect(cut["warnings"] as? [String] == ["results truncated due to limit"])
            let range = "query_range?query=http_requests_total&start=\(now)&end=\(now + 60)&step=60&limit=1"
            let cutRange = try await client.get("/api/v1/" + range).json()
            #expect(((cutRange["data"] as? NSDictionary)?["result"] as? [Any])?.count == 1)
            #expect(cutRange["warnings"] as? [String] == ["results truncated due to limit"])
            let note = try await client.get("/api/v1/query?query=quantile(2,up)").json()
            #expect(
                note["warnings"] as? [String]
                    == ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"])
            let statistics = try await client.data("query?query=up&stats=all") as? NSDictionary
            let timings = (statistics?["stats"] as? NSDictionary)?["timings"] as? [String: Double]
            #expect(timings?["evalTotalTime"] ?? 0 > 0)
            let samples = (statistics?["stats"] as? NSDictionary)?["samples"] as? [String: Int]
            #expect(samples == ["totalQueryableSamples": 1, "samplesRead": 1, "peakSamples": 2])
            let odd = try await client.get("/api/v1/query?query=up&stats=yes").json()
            #expect((odd["warnings"] as? [String])?.first?.hasPrefix(#"value "yes" for parameter "stats""#) == true)
            let points = "query_range?query=1&start=0&end=11000&step=1"
            #expect(try await client.get("/api/v1/" + points).status == 200)
        }
    }

    @Test func `statistics count what a query over many series reads`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let lines = (0..<3000).map { "x{n=\"\($0)\"} \($0)\n" }.joined()
            #expect(try await server.client.send("POST", "/api/v1/import/prometheus", text: lines).status == 204)
            let data =
                try await server.client.data("query?query=sum(sum_over_time(x%5B1h%5D))&stats=true") as? NSDictionary
            let samples = (data?["stats"] as? NSDictionary)?["samples"] as? [String: Int]
            #expect(samples?["samplesRead"] == 3000)
        }
    }

    @Test func `a large result comes whole, plain and compressed`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let lines = (0..<300).map { "x{n=\"\($0)\"} \($0).5\n" }.joined()
            #expect(try await server.client.send("POST", "/api/v1/import/prometheus", text: lines).status == 204)
            let now = Int(Date().timeIntervalSince1970)
            let path = "/api/v1/query_range?query=x%20*%20time()&start=\(now + 1)&end=\(now + 201)&step=1"
            let plain = try await server.client.get(path)
            let result = (try plain.json()["data"] as? NSDictionary)?["result"] as? [NSDictionary]
            #expect(result?.count == 300)
            #expect(result?.allSatisfy { ($0["values"] as? [Any])?.count == 201 } == true)
            let packed = try await server.client.get(path, headers: ["Accept-Encoding": "gzip"])
            #expect(try await gunzip(packed.body) == plain.body)
        }
    }
}

/// Many series of random walks, so that a query over them takes its time.
private func withHeavyData(
    _ options: TestServer.Options = .init(), _ test: @escaping @Sendable (TestServer, String) async throws -> Void
) async throws {
    try await TestServer.with(pushPipeline, options) { server async throws in
        let now = Int(Date().timeIntervalSince1970)
        var text = ""
        for step in 0..<20 {
            for series in 0..<500 {
                text += "heavy{n=\"\(series)\"} \(series * step % 17) \(now - 200 + step * 10)000\n"
            }
        }
        #expect(try await server.client.send("POST", "/api/v1/import/prometheus", text: text).status == 204)
        // Half a million windows of 1800 values each, to be sorted.
        let query = "count(quantile_over_time(0.5,heavy%5B30m:1s%5D))"
        try await test(server, "query_range?query=\(query)&start=\(now - 3600)&end=\(now)&step=1")
    }
}

/// One after the other: each takes all cores for a while, and other suites run beside them.
@Suite(.serialized) struct QueryLimitTests {
    @Test func `a query that takes too long is ended at its timeout`() async throws {
        try await withHeavyData { server, path in
            let answer = try await server.client.get("/api/v1/\(path)&timeout=50ms")
            #expect(answer.status == 503)
            #expect(try answer.json()["errorType"] as? String == "timeout")
            #expect(try answer.json()["error"] as? String == "query timed out in expression evaluation")
            #expect(await eventually { server.metric("tocsin_queries_running") == 0 })
        }
    }

    @Test func `a query ends when its client hangs up`() async throws {
        try await withHeavyData { server, path in
            try await server.client.talk { socket in
                _ = socket.write(Array("GET /api/v1/\(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                let deadline = Date().addingTimeInterval(60)
                while server.metric("tocsin_queries_running") != 1, Date() < deadline { sched_yield() }
                #expect(server.metric("tocsin_queries_running") == 1)
            }
            #expect(await eventually { server.metric("tocsin_queries_running") == 0 })
        }
    }

    @Test func `while heavy queries run, pushes are taken, rules are evaluated, and others wait their turn`()
        async throws
    {
        var options = TestServer.Options()
        options.queries.concurrencyMax = 2
        options.queries.waitingMax = 1
        try await withHeavyData(options) { server, path in
            let isDone = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Their clients hang up at the end, whatever comes of the test.
                defer { for _ in 0..<2 { isDone.signal() } }
                for _ in 0..<2 {
                    group.addTask {
                        try await server.client.talk { socket in
                            _ = socket.write(Array("GET /api/v1/\(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                            isDone.wait()
                        }
                    }
                }
                #expect(await eventually { server.metric("tocsin_queries_running") == 2 })
                let push = try await server.client.send("PUT", "/metrics/job/a", text: "job_failed 1\n")
                #expect(push.status == 200)
                // The alert is seen without a query, since those wait.
                #expect(
                    await eventually {
                        let alerts = try? await server.client.data("alerts") as? NSDictionary
                        return (alerts?["alerts"] as? [Any])?.count == 1
                    })
                #expect(server.metric("tocsin_queries_running") == 2)
                let waited = try await server.client.get("/api/v1/query?query=1&timeout=100ms")
                #expect(waited.status == 503)
                #expect(try waited.json()["error"] as? String == "query timed out in query queue")
                async let patient = server.client.get("/api/v1/query?query=1")
                #expect(await eventually { server.metric("tocsin_queries_waiting") == 1 })
                let refused = try await server.client.get("/api/v1/query?query=1")
                #expect(refused.status == 503)
                #expect(try refused.json()["errorType"] as? String == "unavailable")
                #expect(refused.headers["retry-after"] != nil)
                for _ in 0..<2 { isDone.signal() }
                #expect(try await patient.status == 200)
            }
        }
    }

    @Test func `requests for series, labels and search wait for their turn, and no longer than their clients`()
        async throws
    {
        var options = TestServer.Options()
        options.queries.concurrencyMax = 1
        options.queries.waitingMax = 1
        options.queries.timeout = .seconds(60)
        try await withHeavyData(options) { server, path in
            let isDone = DispatchSemaphore(value: 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { isDone.signal() }
                group.addTask {
                    try await server.client.talk { socket in
                        _ = socket.write(Array("GET /api/v1/\(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                        isDone.wait()
                    }
                }
                #expect(await eventually { server.metric("tocsin_queries_running") == 1 })
                for path in [
                    "series?match[]=heavy", "labels", "label/n/values", "search/metric_names", "search/label_names",
                    "search/label_values?label=n", "query_exemplars?query=heavy", "status/tsdb",
                ] {
                    try await server.client.talk { socket in
                        _ = socket.write(Array("GET /api/v1/\(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                        let deadline = Date().addingTimeInterval(60)
                        while server.metric("tocsin_queries_waiting") != 1, Date() < deadline { sched_yield() }
                        #expect(server.metric("tocsin_queries_waiting") == 1, "\(path)")
                    }
                    #expect(await eventually { server.metric("tocsin_queries_waiting") == 0 })
                }
                async let patient = server.client.get("/api/v1/labels")
                #expect(await eventually { server.metric("tocsin_queries_waiting") == 1 })
                #expect(try await server.client.get("/api/v1/series?match[]=heavy").status == 503)
                isDone.signal()
                #expect(try await patient.status == 200)
            }
        }
    }

    @Test func `a query that would hold too many samples is refused`() async throws {
        var options = TestServer.Options()
        options.queries.samplesMax = 1000
        try await withHeavyData(options) { server, _ in
            let answer = try await server.client.get("/api/v1/query?query=heavy%5B10m%5D")
            #expect(answer.status == 422)
            #expect(try answer.json()["errorType"] as? String == "execution")
            #expect(
                try answer.json()["error"] as? String
                    == "query processing would load too many samples into memory in query execution")
        }
    }
}
