import Foundation
import ServerKit
import Streams
import TestKit
import Testing

/// A server with a few series, and the time of their samples in seconds.
func withSeries(
    _ options: TestServer.Options = .init(), _ test: @Sendable (TestServer, Int) async throws -> Void
) async throws {
    try await TestServer.with(pushPipeline, options) { server async throws in
        let now = Int(Date().timeIntervalSince1970)
        let text = """
            http_requests_total{job="api",code="200"} 10 \(now)000
            http_requests_total{job="api",code="500"} 2 \(now)000
            http_requests_total{job="web",code="200"} 7.5 \(now)000
            up{job="api"} 1 \(now)000
            {"näme with.dots","läbel"="ü"} 3 \(now)000

            """
        let answer = try await server.client.send("POST", "/api/v1/import/prometheus", text: text)
        #expect(answer.status == 204, "\(answer.text)")
        try await test(server, now)
    }
}

extension LoopbackClient {
    /// The `data` of an answer of the API.
    func data(_ path: String) async throws -> Any? { try await get("/api/v1/\(path)").json()["data"] }

    func texts(_ path: String) async throws -> [String]? { try await data(path) as? [String] }

    func form(_ path: String, _ body: String) async throws -> LoopbackAnswer {
        try await send(
            "POST", "/api/v1/\(path)", headers: ["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"],
            text: body)
    }
}

@Suite struct SeriesAPITests {
    @Test func `labels, their values and series are found by selectors, in URL or form`() async throws {
        try await withSeries { server, now in
            let client = server.client
            #expect(try await client.texts("labels") == ["__name__", "code", "job", "läbel"])
            #expect(try await client.texts("labels?match[]=up") == ["__name__", "job"])
            #expect(
                try await client.texts("labels?match[]=up&match[]=%7Bcode=%22500%22%7D&limit=2") == [
                    "__name__", "code",
                ])
            #expect(try await client.texts("label/job/values") == ["api", "web"])
            #expect(try await client.texts("label/job/values?match[]=up") == ["api"])
            #expect(try await client.texts("label/nothing/values") == [])
            #expect(try await client.texts("label/l%C3%A4bel/values") == ["ü"])
            #expect(try await client.texts("label/U__l_e4_bel/values") == ["ü"])
            let names = ["http_requests_total", "näme with.dots", "up"]
            #expect(try await client.texts("label/__name__/values") == names)
            let series = try await client.data("series?match[]=up&match[]=http_requests_total") as? [[String: String]]
            #expect(series?.count == 4)
            #expect(series?.last == ["__name__": "up", "job": "api"])
            let form = try await client.form("series", "match%5B%5D=%7B%22n%C3%A4me+with.dots%22%7D")
            #expect(try form.json()["data"] as? [[String: String]] == [["__name__": "näme with.dots", "läbel": "ü"]])
            let past = "start=\(now - 7200)&end=\(now - 3600)"
            #expect(try await client.data("series?match[]=up&\(past)") as? [[String: String]] == [])
        }
    }

    @Test func `labels that a URL adds are decoded as a form`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let path = "/api/v1/import/prometheus?extra_label="
            let answer = try await server.client.send("POST", path + "site%3Da+b%2Bc", text: "x 1\n")
            #expect(answer.status == 204, "\(answer.text)")
            #expect(try await server.client.texts("label/site/values") == ["a b+c"])
            let malformed = try await server.client.send("POST", path + "a=%zz", text: "x 1\n")
            #expect(malformed.status == 400)
            #expect(malformed.text == "the URL can't be read: invalid URL escape \"%zz\"\n")
        }
    }

    @Test func `a list that is cut says so`() async throws {
        try await withSeries { server, _ in
            for path in [
                "labels?limit=1", "label/__name__/values?limit=1",
                "series?match[]=up&match[]=%7Bcode=~%22.%2B%22%7D&limit=1",
            ] {
                let answer = try await server.client.get("/api/v1/" + path).json()
                #expect((answer["data"] as? [Any])?.count == 1)
                #expect(answer["warnings"] as? [String] == ["results truncated due to limit"])
            }
            let exact = try await server.client.get("/api/v1/labels?limit=4").json()
            #expect(exact["warnings"] == nil)
        }
    }

    @Test func `an answer is compressed for those who ask`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let lines = (0..<200).map { "a_long_name_of_a_metric_\($0)_total 1\n" }.joined()
            #expect(try await server.client.send("POST", "/api/v1/import/prometheus", text: lines).status == 204)
            let path = "/api/v1/label/__name__/values"
            let plain = try await server.client.get(path)
            let packed = try await server.client.get(path, headers: ["Accept-Encoding": "deflate, gzip;q=0.9"])
            #expect(packed.headers["content-encoding"] == "gzip")
            #expect(packed.body.count < plain.body.count / 4)
            #expect(try await gunzip(packed.body) == plain.body)
            let refused = try await server.client.get(path, headers: ["Accept-Encoding": "gzip;q=0, br"])
            #expect(refused.body == plain.body)
        }
    }
}

@Suite struct BadParameterTests {
    struct Case: Sendable {
        var path: String
        var error: String

        init(_ path: String, _ error: String) {
            self.path = path
            self.error = error
        }
    }

    private static let time = #"cannot parse "x" to a valid timestamp"#
    private static let range = "start=0&end=10"

    static let cases = [
        Case("query", #"invalid parameter "query": unknown position: parse error: no expression found in input"#),
        Case(
            "query?query=up%7B", #"invalid parameter "query": 1:4: parse error: unexpected end of input inside braces"#),
        Case("query?query=1&time=x", #"invalid parameter "time": invalid time value for 'time': \#(time)"#),
        Case("query?query=1&timeout=x", #"invalid parameter "timeout": cannot parse "x" to a valid duration"#),
        Case(
            "query?query=1&timeout=1e30",
            #"invalid parameter "timeout": cannot parse "1e30" to a valid duration. It overflows int64"#),
        Case(
            "query?query=1&lookback_delta=x",
            #"error parsing lookback delta duration: cannot parse "x" to a valid duration"#),
        Case("query?query=1&limit=x", #"invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax"#),
        Case("query?query=1&limit=-1", #"invalid parameter "limit": limit must be non-negative"#),
        Case(
            "query?query=1&limit=99999999999999999999",
            #"invalid parameter "limit": strconv.Atoi: parsing "99999999999999999999": value out of range"#),
        Case("query_range?query=1&end=1&step=1", #"invalid parameter "start": cannot parse "" to a valid timestamp"#),
        Case("query_range?query=1&start=1&end=x&step=1", #"invalid parameter "end": \#(time)"#),
        Case(
            "query_range?query=1&start=2&end=1&step=1",
            #"invalid parameter "end": end timestamp must not be before start time"#),
        Case("query_range?query=1&\(range)", #"invalid parameter "step": cannot parse "" to a valid duration"#),
        Case(
            "query_range?query=1&\(range)&step=0",
            #"invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer"#
        ),
        Case(
            "query_range?query=1&start=0&end=11001&step=1",
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
        ),
        Case(
            "query_range?query=up%5B1m%5D&\(range)&step=1",
            #"invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector"#
        ),
        Case("format_query?query=sum(", #"invalid parameter "query": 1:5: parse error: unclosed left parenthesis"#),
        Case("parse_query", #"invalid parameter "query": unknown position: parse error: no expression found in input"#),
        Case("series", "no match[] parameter provided"),
        Case(
            "series?match[]=%7B",
            #"invalid parameter "match[]": 1:2: parse error: unexpected end of input inside braces"#),
        Case(
            "series?match[]=%7Ba=~%22.*%22%7D",
            #"invalid parameter "match[]": match[] must contain at least one non-empty matcher"#),
        Case("series?match[]=up&start=x", #"invalid parameter "start": invalid time value for 'start': \#(time)"#),
        Case("series?match[]=%zz", #"error parsing form values: invalid URL escape "%zz""#),
        Case("labels?match[]=%7B%7D", "match[] must contain at least one non-empty matcher"),
        Case("labels?end=x", #"invalid parameter "end": invalid time value for 'end': \#(time)"#),
        Case("label/a/values?limit=x", #"invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax"#),
        Case("rules?type=x", #"invalid parameter "type": not supported value "x""#),
        Case(
            "rules?exclude_alerts=x",
            #"invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax"#
        ),
        Case(
            "rules?group_next_token=x",
            #"invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups"#
        ),
        Case("rules?group_limit=0", #"invalid parameter "group_limit": group_limit needs to be greater than 0"#),
        Case(
            "rules?group_limit=x",
            #"invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax"#
        ),
        Case(
            "rules?group_limit=1&group_next_token=x",
            #"invalid parameter "group_next_token": invalid group_next_token 'x'. were rule groups changed?"#),
        Case("scrape_pools/config", "no scrapePool parameter provided"),
        Case("scrape_pools/config?scrapePool=x", #"error retrieving scrape config: scrape pool "x" not found"#),
        Case("targets/relabel_steps", "no scrapePool parameter provided"),
        Case("targets/relabel_steps?scrapePool=x", "no labels parameter provided"),
        Case(
            "targets/relabel_steps?scrapePool=x&labels=%7B%7D",
            #"error retrieving scrape config: scrape pool "x" not found"#),
        Case("targets/relabel_steps?scrapePool=x&labels=x", "error parsing labels: no JSON from byte 0 on"),
        Case("status/self_metrics?metric_name_pattern=(", "invalid metric_name_pattern: missing ): ("),
        Case("status/tsdb?limit=0", "limit must be a positive number"),
        Case("status/tsdb?limit=10001", "limit must not exceed 10000"),
    ]

    @Test func `a bad parameter is told in Prometheus's words`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for example in Self.cases {
                let answer = try await server.client.get("/api/v1/" + example.path)
                #expect(answer.status == 400, "\(example.path)")
                let document = try answer.json()
                #expect(document["status"] as? String == "error")
                #expect(document["errorType"] as? String == "bad_data")
                #expect(document["error"] as? String == example.error, "\(example.path)")
            }
        }
    }

    @Test func `admin endpoints are switched off`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for name in ["delete_series", "clean_tombstones", "snapshot"] {
                let answer = try await server.client.send("POST", "/api/v1/admin/tsdb/\(name)?match[]=up")
                #expect(answer.status == 500)
                #expect(try answer.json()["errorType"] as? String == "unavailable")
                #expect(try answer.json()["error"] as? String == "admin APIs disabled")
            }
        }
    }
}
