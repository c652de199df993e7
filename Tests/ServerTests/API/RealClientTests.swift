import Foundation
import ServerKit
import Streams
import TestKit
import Testing

/// The requests that Grafana's Prometheus data source and other clients make, answered as a real Prometheus answers them.
@Suite struct RealClientTests {
    /// How much of two answers has to be the same.
    enum Sameness: Sendable {
        /// Everything.
        case equal
        /// The status, and the kind of error: its words have changed since.
        case kind
        /// Every member that Prometheus has, of the same type; lists have elements of the same form. Prometheus's version is
        /// older, so there may be more.
        case form
    }

    struct Request: Sendable {
        var path: String
        /// The body of a POST; nil: a GET.
        var form: String?
        /// The body of a GET, which nobody looks at.
        var isGet = false
        var sameness: Sameness

        static func get(_ path: String, _ sameness: Sameness = .equal) -> Request {
            Request(path: path, form: nil, sameness: sameness)
        }

        static func post(_ path: String, _ form: String, _ sameness: Sameness = .equal) -> Request {
            Request(path: path, form: form, sameness: sameness)
        }
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    /// - Parameter end: the newest sample's time, in seconds.
    static func requests(_ end: Int) -> [Request] {
        let times = "start=\(end - 300)&end=\(end)"
        let latency = "histogram_quantile(0.9, sum by(le, job) (rate(latency_seconds_bucket[2m])))"
        return [
            // Saving and testing a data source.
            .get("status/buildinfo", .form),
            .post("query", "query=1%2B1&time=\(end)"),
            .get("query?query=1%2B1&time=\(end).123"),
            // A dashboard's panels, in the form Grafana sends them.
            .post("query_range", "query=\(encoded("sum by(job)(rate(requests_total[1m]))"))&\(times)&step=15"),
            .post("query_range", "query=\(encoded(latency))&\(times)&step=15.000"),
            .post(
                "query_range", "query=\(encoded("ratio{job!=\"ü\"} * 3"))&start=\(end - 60).5&end=\(end).5&step=30s"),
            .post("query", "query=\(encoded("topk(2, requests_total)"))&time=\(end)"),
            // No sample at the border, which a range had both of in old versions.
            .post("query", "query=\(encoded("requests_total[1m]"))&time=\(end + 5)"),
            .post("query", "query=\(encoded("label_replace(up_ratio, \"a\", \"$1\", \"job\", \"(.*)\")"))&time=\(end)"),
            .post("query", "query=\(encoded("\"text\""))&time=\(end)"),
            .post("query", "query=\(encoded("-1 / 0"))&time=\(end)"),
            .post("query", "query=\(encoded("vector(1e-9)"))&time=\(end)"),
            .post("query", "query=\(encoded("vector(123456789e15)"))&time=\(end)"),
            .post("query", "query=\(encoded("vector(0/0)"))&time=\(end)"),
            .get("query_range?query=nothing&\(times)&step=15"),
            .post("query", "query=\(encoded("requests_total"))&time=\(end).5&timeout=30s&limit=0"),
            .post("query_range", "query=\(encoded("ratio"))&start=\(end - 60)&end=\(end)&step=1m0s&timeout=60"),
            .get("query_exemplars?query=\(encoded("rate(latency_seconds_bucket[1m])"))&\(times)"),
            // Variables and completion.
            .get("labels?\(times)&limit=40000"), .get("label/job/values?\(times)&limit=40000"),
            .post("series", "match%5B%5D=\(encoded("ratio{job!=\"ü\"}"))&\(times)&limit=40000"),
            .get("label/le/values?match[]=\(encoded("latency_seconds_bucket{job=\"api\"}"))&\(times)"),
            .get("series?match[]=\(encoded("{__name__=\"latency_seconds_bucket\",le!=\"1\"}"))&\(times)"),
            .get("labels?\(times)"),
            .post("labels", "\(times)&match%5B%5D=requests_total"),
            .get("labels?\(times)&match[]=\(encoded("{job=~\"a.*\"}"))&match[]=ratio"),
            .get("label/job/values?\(times)"),
            .get("label/__name__/values?\(times)&match[]=\(encoded("{job=\"web\"}"))"),
            .get("label/none/values?\(times)"),
            .post("series", "match%5B%5D=\(encoded("requests_total{job=\"api\"}"))&\(times)"),
            .get("series?match[]=ratio&match[]=\(encoded("{__name__=~\"up_.*\"}"))&\(times)"),
            .get("metadata"), .get("metadata?metric=none"), .get("targets/metadata"),
            .post("query_exemplars", "query=requests_total&\(times)"),
            // Explore, alerting, status pages.
            .get("rules", .form), .get("rules?type=alert", .form), .get("rules?type=record", .form),
            .get("alerts", .form), .get("alertmanagers"), .get("targets", .form), .get("targets?state=active", .form),
            .get("format_query?query=\(encoded("sum(rate(a[5m]))by(b)"))"),
            .get("status/tsdb", .form), .get("status/runtimeinfo", .form), .get("status/config", .form),
            .get("status/walreplay", .form),
            // Mistakes.
            .post("query", "query=\(encoded("sum(up"))"), .post("query", "query=\(encoded("up{"))"),
            .get("query?query=1&timeout=x"),
            .get("query?query=\(encoded("rate(up)"))"), .get("query?query=\(encoded("nofunction(up)"))"),
            .get("query?query=\(encoded("up + on(a) group_left up_ratio\n  + + )"))"),
            .get("query_range?query=1&start=5&end=1&step=1"), .get("query_range?query=1&start=1&end=5&step=0"),
            .get("query_range?query=1&start=1&end=50000&step=1"), .get("query_range?query=up&start=1&end=2&step=x"),
            .get("series"), .get("series?match[]=\(encoded("{"))"),
            .get("rules?type=x"), .get("format_query?query=\(encoded("1 +"))"),
        ]
    }

    /// Parameters as clients spell them, rightly or wrongly.
    static func spellings(_ end: Int) -> [Request] {
        let query = "query=requests_total"
        let times = "start=\(end - 300)&end=\(end)"
        var requests: [Request] = [
            // Where they stand, and how often.
            Request(path: "query", form: "\(query)&time=\(end)", isGet: true, sameness: .kind),
            Request(path: "query?query=1&time=5", form: "query=2&time=7", isGet: true, sameness: .equal),
            .post("query?query=1&time=5", "query=2"), .post("query?query=1&time=5", "query=2&time=7"),
            .post("query?\(query)&time=\(end)", ""), .get("query?query=1&query=2&time=1&time=2"),
            .get("query?query=&query=2&time=1", .kind), .get("query?time=1", .kind), .get("query?%71uery=1&time=3"),
            .get("query?query=1;time=3", .kind), .get("query?query=%zz&time=3", .kind),
            .get("query?query=1&time=%zz", .form),
            .post("labels", ""), .post("series?match[]=ratio", "match[]=up_ratio&\(times)"),
            .get("series?match[]=ratio&match[]=ratio&\(times)"), .get("labels?match[]=", .kind),
            .get("series?match[]=", .kind),
            .get("query?query=1&time=&timeout=&stats=", .form), .get("query_range?query=1&start=&end=&step="),
            .get("query?query=%22a+b%2Bc%20%C3%BC%22&time=1"), .post("query", "query=%22a+b%2Bc%20%C3%BC%22&time=1"),
            .post("query", "query=%22ü%22&time=1"), .get("query?query=%22%ff%22&time=1", .kind),
            .get("label/job/values?match[]=ratio&\(times)"),
            .get("label/job/values?match[]=requests_total&match[]=up_ratio&\(times)"),
            // Bounds.
            .get("labels?start=\(end + 1000)&end=\(end + 2000)&match[]=ratio"), .get("labels?start=5&end=1", .kind),
            .get("series?match[]=ratio&start=5&end=1", .kind), .get("query_exemplars?query=up&start=5&end=1"),
            .get("query_exemplars?query=1"), .get("query_exemplars?query=up{"),
            .get("series?match[]=ratio&start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z"),
            .get("query?query=requests_total&time=\(end)&lookback_delta=0"),
            .get("query?query=requests_total&time=\(end + 100)&lookback_delta=-5"),
            .get("query?query=1&timeout=0", .kind), .get("query?query=1&timeout=-1", .kind),
            .get("query_range?query=1&start=1&end=2&step=1&timeout=0s", .kind),
            .get("query?query=1&time=1&timeout=1e1"),
            .get("query?query=1&time=1&timeout=1h30m"), .get("query?query=1&timeout=1.5h"),
            .get("metadata?limit=0"), .get("metadata?limit=x"), .get("metadata?limit=-1"),
            .get("targets/metadata?limit=x"), .get("targets/metadata?match_target=%7B"),
            .get("targets?state=none", .form),
            .get("query_range?query=requests_total&\(times)&step=60&stats=all", .form),
            .get("query?query=requests_total&time=\(end)&stats=true", .form),
            .get("format_query", .kind), .post("format_query", "query=a%2Bb"), .get("format_query?query=%22"),
        ]
        for time in [
            "1.5e3", "+5", ".5", "5.", "-1.25", "1e3.5", "0x10", "1_000", "%205", "1970-01-01T00:00:10Z",
            "1970-01-01T02:00:10%2B02:00", "1970-01-01T02:00:10+02:00", "1970-01-01T00:00:10.123456789Z",
            "1970-01-01t00:00:10z", "1970-01-01T00:00:10", "1970-01-01", "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:60Z", "1969-12-31T23:59:59.5-01:00", "1e400", "now", "5s",
            "1.0005", "1.00049", "1234567.8915",
        ] {
            requests.append(.get("query?query=time()&time=\(time)"))
            requests.append(.get("query_range?query=time()&start=\(time)&end=\(time)&step=1"))
        }
        for step in [
            "15", "15s", "1.5e1", "15.000", "0.5", "1m30s", "1h", "1d", "1500ms", "-1", "1.5m", "1e400", "x", "+5",
        ] {
            requests.append(.get("query_range?query=time()&start=100&end=130&step=\(step)"))
        }
        return requests
    }

    private static let rules = """
        groups:
          - name: g
            rules:
              - {record: 'job:requests:sum', expr: 'sum by(job) (requests_total)', labels: {team: ml}}
              - {alert: Firing, expr: 'vector(1)', labels: {severity: page}, annotations: {summary: 'it is {{ $value }}'}}
        """

    private static let pipeline = """
        name: default
        global: {evaluation_interval: 1s}
        sources:
          - push: {}
          - scrape: {job_name: models, static_configs: [{targets: ['localhost:1']}]}
        rule_files: ['FILE']
        routing: {route: {receiver: nobody}}
        sinks: [{name: nobody}]
        """

    private static func body(_ end: Int) -> [UInt8] {
        var body = RemoteWriteBody()
        func samples(_ value: (Int) -> Double) -> [(Double, Int64)] {
            (0...30).map { (value($0), Int64(end - 300 + $0 * 10) * 1000) }
        }
        for (job, rate) in [("api", 3.0), ("web", 0.25)] {
            body.series([("__name__", "requests_total"), ("job", job)], samples { Double($0) * rate })
            for (bound, share) in [("+Inf", 1.0), ("0.1", 0.5), ("1", 0.75)] {
                body.series(
                    [("__name__", "latency_seconds_bucket"), ("job", job), ("le", bound)],
                    samples { (Double($0) * rate * share * 8).rounded() })
            }
        }
        body.series([("__name__", "ratio"), ("läbel", "ü")], samples { 1 / Double($0 + 1) })
        body.series([("__name__", "up_ratio"), ("job", "api")], samples { _ in 1e-7 })
        return snappy(body.bytes)
    }

    private static let writeHeaders = [
        "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    ]

    private static let formHeaders = ["Content-Type": "application/x-www-form-urlencoded"]

    private static func ask(_ request: Request, _ client: LoopbackClient) async throws -> LoopbackAnswer {
        guard let form = request.form else { return try await client.get("/api/v1/" + request.path) }
        if request.isGet {
            return try await client.send("GET", "/api/v1/" + request.path, headers: formHeaders, text: form)
        }
        return try await client.form(request.path, form)
    }

    @Test(.enabled(if: RealPrometheus.isInstalled))
    func `what clients ask is answered as a real Prometheus answers it`() async throws {
        let peer = try await RealPrometheus.start(rules: Self.rules)
        let folder = try TemporaryFolder()
        let file = try folder.write("rules.yml", Self.rules)
        try await TestServer.with(Self.pipeline.replacing("FILE", with: file.path)) { server async throws in
            let end = Int(Date().timeIntervalSince1970) - 60
            for client in [server.client, peer.client] {
                let answer = try await client.send(
                    "POST", "/api/v1/write", headers: Self.writeHeaders, body: Self.body(end))
                #expect(answer.status == 204, "\(answer.text)")
                let isFiring = try await eventually {
                    try await client.get("/api/v1/alerts").text.contains("\"firing\"")
                }
                #expect(isFiring)
                let isRecorded = try await eventually {
                    let path = "/api/v1/query?query=job:requests:sum%7Bjob=%22web%22%7D"
                    return try await client.get(path).text.contains("team")
                }
                #expect(isRecorded)
            }
            for request in Self.requests(end) + Self.spellings(end) {
                let expected = try await Self.ask(request, peer.client)
                let found = try await Self.ask(request, server.client)
                let name = Comment(rawValue: request.path + (request.form.map { " \($0)" } ?? ""))
                #expect(found.status == expected.status, name)
                // Nothing to say is no document.
                let (left, right) = (try Self.document(found), try Self.document(expected))
                switch request.sameness {
                case .equal:
                    let isSame = Self.sorted(left) == Self.sorted(right)
                    #expect(isSame, "\(name): \(found.text.prefix(2000))\nPrometheus: \(expected.text.prefix(2000))")
                case .kind:
                    #expect(left["errorType"] as? String == right["errorType"] as? String, name)
                case .form: #expect(Self.lacks(left, right, at: "") == [], name)
                }
            }
        }
        _ = consume peer
    }

    private static func document(_ answer: LoopbackAnswer) throws -> NSDictionary {
        guard !answer.body.isEmpty else { return [:] }
        var answer = answer
        // Older versions have a capital letter there.
        answer.body = Array(answer.text.replacing("Invalid time value", with: "invalid time value").utf8)
        return try answer.json()
    }

    private static func text(_ value: Any?) -> String {
        let bytes = value.flatMap { try? JSONSerialization.data(withJSONObject: $0, options: .sortedKeys) }
        return String(decoding: bytes ?? Data(), as: UTF8.self)
    }

    /// Rules and scrapes write series of their own; those and the order of the series are not compared.
    private static func sorted(_ answer: NSDictionary) -> NSDictionary {
        let own: Set<String> = [
            "ALERTS", "ALERTS_FOR_STATE", "job:requests:sum", "up", "scrape_duration_seconds",
            "scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added",
        ]
        var result = answer as? [String: Any] ?? [:]
        if let data = answer["data"] as? NSDictionary, let list = data["result"] as? [NSDictionary] {
            let ordered = list.sorted { text($0["metric"]) < text($1["metric"]) }
            result["data"] = ["resultType": data["resultType"] ?? "", "result": ordered] as NSDictionary
        } else if let list = answer["data"] as? [String] {
            let names: Set<String> = ["alertname", "alertstate", "severity", "team", "instance"]
            result["data"] = list.filter { !own.contains($0) && !names.contains($0) && $0 != "models" }
        } else if let list = answer["data"] as? [NSDictionary] {
            result["data"] = list.sorted { text($0) < text($1) }
        }
        return result as NSDictionary
    }

    /// What the other has and this one has not, or has of another type.
    private static func lacks(_ found: Any, _ expected: Any, at path: String) -> [String] {
        switch expected {
        case let expected as NSDictionary:
            guard let found = found as? NSDictionary else { return ["\(path): no object"] }
            // Keys of these are data.
            if path.hasSuffix("abels") || path.hasSuffix("nnotations") { return [] }
            return expected.flatMap { key, value -> [String] in
                guard let own = found[key] else { return ["\(path).\(key) is missing"] }
                return lacks(own, value, at: "\(path).\(key)")
            }
        case let expected as NSArray:
            guard let found = found as? NSArray else { return ["\(path): no list"] }
            guard let first = expected.firstObject, let own = found.firstObject else {
                return expected.count > 0 && found.count == 0 ? ["\(path) is empty"] : []
            }
            return lacks(own, first, at: "\(path)[]")
        case is NSString: return found is NSString ? [] : ["\(path): no text"]
        case is NSNumber: return found is NSNumber ? [] : ["\(path): no number"]
        default: return []
        }
    }
}
