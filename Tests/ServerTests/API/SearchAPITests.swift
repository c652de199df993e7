import Foundation
import Server
import ServerKit
import Streams
import TestKit
import Testing

@Suite struct SearchAPITests {
    private static func lines(_ client: LoopbackClient, _ path: String) async throws -> [NSDictionary] {
        let answer = try await client.get("/api/v1/search/" + path)
        #expect(answer.headers["content-type"] == "application/x-ndjson; charset=utf-8", "\(answer.text)")
        return try answer.text.split(separator: "\n").compactMap {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary
        }
    }

    private static func names(_ client: LoopbackClient, _ path: String) async throws -> [String] {
        try await lines(client, path).flatMap { $0["results"] as? [NSDictionary] ?? [] }.compactMap {
            $0["name"] as? String ?? $0["value"] as? String
        }
    }

    @Test func `names are found by what somebody types`() async throws {
        try await withSeries { server, _ async throws in
            let client = server.client
            #expect(try await Self.names(client, "metric_names") == ["http_requests_total", "näme with.dots", "up"])
            #expect(try await Self.names(client, "metric_names?sort_by=alpha&sort_dir=dsc&limit=1") == ["up"])
            #expect(try await Self.names(client, "metric_names?search[]=hrt") == ["http_requests_total"])
            #expect(try await Self.names(client, "metric_names?search[]=HRT") == [])
            #expect(try await Self.names(client, "metric_names?search[]=UP&case_sensitive=false") == ["up"])
            #expect(
                try await Self.names(client, "metric_names?search[]=total&search[]=up&sort_by=score")
                    == ["up", "http_requests_total"])
            #expect(
                try await Self.names(client, "metric_names?match[]=%7Bcode=%22500%22%7D") == ["http_requests_total"])
            #expect(try await Self.names(client, "label_names?search[]=j") == ["job"])
            #expect(try await Self.names(client, "label_values?label=job&search[]=w") == ["web"])
            let similar = "metric_names?search[]=http_requets_total&fuzz_alg=jarowinkler&fuzz_threshold=90"
            #expect(try await Self.names(client, similar) == ["http_requests_total"])
        }
    }

    @Test func `results come in batches with a last line`() async throws {
        try await withSeries { server, _ async throws in
            let lines = try await Self.lines(server.client, "metric_names?limit=2&batch_size=1&include_score=true")
            #expect(lines.count == 3)
            let first = (lines.first?["results"] as? [NSDictionary])?.first
            #expect(first == ["name": "http_requests_total", "score": 1])
            #expect(lines.last == ["status": "success", "has_more": true])
            let none = try await Self.lines(server.client, "label_values?label=none")
            #expect(none == [["results": []], ["status": "success", "has_more": false]])
        }
    }

    static let wrong = [
        ("metric_names?fuzz_threshold=101", #"invalid fuzz_threshold "101": must be 0-100"#),
        ("metric_names?fuzz_alg=x", #"unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]"#),
        ("metric_names?sort_dir=asc", "sort_dir is only valid when sort_by is set"),
        ("metric_names?sort_by=score", "sort_by=score requires search[] to be set"),
        ("metric_names?sort_by=x", #"invalid sort_by "x" for metric_names: must be "alpha" or "score""#),
        ("metric_names?limit=0", #"invalid limit "0": must be a positive integer"#),
        ("metric_names?batch_size=x", #"invalid batch_size "x": must be a positive integer"#),
        ("metric_names?include_score=maybe", #"invalid include_score "maybe": must be boolean"#),
        ("metric_names?start=2&end=1", "end timestamp must not be before start timestamp"),
        ("metric_names?start=x", #"invalid time value for 'start': cannot parse "x" to a valid timestamp"#),
        ("label_values", #"missing required parameter "label""#),
    ]

    @Test func `a wrong search is told`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for (path, error) in Self.wrong {
                let answer = try await server.client.get("/api/v1/search/" + path)
                #expect(answer.status == 400)
                #expect(try answer.json()["error"] as? String == error)
            }
        }
    }
}
