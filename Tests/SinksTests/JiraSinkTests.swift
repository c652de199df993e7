import Sinks
import Streams
import TestKit
import Testing

@Suite struct JiraSinkTests {
    private static let nothing = TestHTTPServer.Answer.text(200, #"{"issues":[],"isLast":true}"#)
    /// `printf '%s' '{}:{alertname="Down"}' | sha256sum`
    private static let label = "ALERT{af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e}"

    @Test func `Jira is a sink as every other`() async throws {
        try await SinkContract(JiraSink.self, accepted: Self.nothing, requests: 2, secrets: ["j-SECRET"]) { url in
            """
            api_url: \(url)/rest/api/2
            project: P
            issue_type: Bug
            http_config: {basic_auth: {username: u, password: j-SECRET}}
            """
        }.check()
    }

    /// A Jira with one issue at most, of that category of status.
    private static func jira(_ category: String?) -> @Sendable (TestHTTPServer.Request) -> TestHTTPServer.Answer {
        { request in
            if request.path.contains("/search") {
                guard let category else { return nothing }
                return .text(
                    200,
                    #"{"issues":[{"key":"P-7","fields":{"status":{"name":"s","statusCategory":{"key":"\#(category)"}}}}]}"#
                )
            }
            if request.method == "GET" {
                return .text(200, #"{"transitions":[{"id":"11","name":"Done"},{"id":"12","name":"Reopen"}]}"#)
            }
            return request.method == "POST" ? .text(201, #"{"id":"1","key":"P-8"}"#) : .respond(204)
        }
    }

    private func exchange(
        _ settings: String = "", api: String = "/rest/api/2/", issue category: String? = nil, isOver: Bool = false
    ) async throws -> SinkExchange {
        let notification = SinkBench.group { if isOver { $0.alerts.removeFirst() } }
        return try await SinkExchange.run(
            JiraSink.self, "api_url: URL\(api)\nproject: P\nissue_type: Bug\n" + settings, notification,
            answer: Self.jira(category))
    }

    private func asked(_ exchange: SinkExchange) -> [String] { exchange.requests.map { "\($0.method) \($0.path)" } }

    @Test func `a group without an issue opens one`() async throws {
        let exchange = try await exchange()
        #expect(exchange.error == nil)
        #expect(asked(exchange) == ["POST /rest/api/2/search", "POST /rest/api/2/issue"])
        #expect(exchange.requests[0].headers["accept-language"] == "en")
        #expect(
            try exchange.document == [
                "jql": .string(
                    #"statusCategory != Done and project="P" and labels="\#(Self.label)" order by status ASC,"#
                        + "resolutiondate DESC"), "maxResults": 2, "fields": ["status"],
            ])
        let fields = try #require(try exchange.document(1)["fields"])
        #expect(fields["project"] == ["key": "P"] && fields["issuetype"] == ["name": "Bug"])
        #expect(fields["summary"]?.string == "[FIRING:1] Down (critical)")
        #expect(fields["description"]?.string?.contains("# Alerts Firing:") == true)
        #expect(fields["labels"] == [.string(Self.label)])
        #expect(fields["priority"] == ["name": "High"])
    }

    @Test func `every key reaches Jira under its name, filled in`() async throws {
        let exchange = try await exchange(
            """
            summary: "s\\n{{ .Status }}"
            description: {template: 'd {{ .Status }}'}
            labels: [zeta, '{{ .Receiver }}']
            priority: ''
            fields:
              components: [{name: '{{ .Receiver }}'}]
              customfield_1: '{{ len .Alerts }}'
              project: {id: '10000x'}
            """)
        let fields = try #require(try exchange.document(1)["fields"])
        #expect(fields.texts("summary", "description") == ["s firing", "d firing"])
        #expect(fields["labels"] == [.string(Self.label), "team", "zeta"])
        #expect(fields["priority"] == nil)
        #expect(fields["components"] == [["name": "team"]] && fields["customfield_1"] == 2)
        #expect(fields["project"] == ["id": "10000x"])
    }

    @Test func `an open issue is brought up to date, without the texts that are to stay`() async throws {
        let whole = try await exchange(issue: "new")
        #expect(asked(whole) == ["POST /rest/api/2/search", "PUT /rest/api/2/issue/P-7"])
        #expect(try whole.document(1)["fields"]?["summary"] != nil)
        let kept = try await exchange(
            "summary: {enable_update: false}\ndescription: {template: d, enable_update: false}", issue: "new")
        let fields = try #require(try kept.document(1)["fields"])
        #expect(fields["summary"] == nil && fields["description"] == nil && fields["labels"] != nil)
    }

    @Test func `what is over resolves its issue, and opens none`() async throws {
        #expect(try await asked(exchange(isOver: true)) == ["POST /rest/api/2/search"])
        let resolved = try await exchange("resolve_transition: Done", issue: "indeterminate", isOver: true)
        #expect(
            asked(resolved) == [
                "POST /rest/api/2/search", "PUT /rest/api/2/issue/P-7", "GET /rest/api/2/issue/P-7/transitions",
                "POST /rest/api/2/issue/P-7/transitions",
            ])
        #expect(try resolved.document(3) == ["transition": ["id": "11"]])
        let none = try await exchange("resolve_transition: Close", issue: "new", isOver: true)
        #expect(none.error == .refused(reason: #"the issue P-7 has no transition "Close""#))
    }

    @Test func `what fires again opens its issue again`() async throws {
        let exchange = try await exchange(
            "reopen_transition: Reopen\nreopen_duration: 2h\nwont_fix_resolution: Won't \"Do\"", issue: "done")
        #expect(
            try exchange.document["jql"]?.string?.hasPrefix(
                #"(resolution is EMPTY or resolution != "Won't \"Do\"") and (resolutiondate is EMPTY OR "#
                    + #"resolutiondate >= -120m) and project="P""#) == true)
        #expect(try exchange.document(3) == ["transition": ["id": "12"]])
    }

    @Test func `Jira Cloud searches by version 3, and version 3 takes documents`() async throws {
        let cloud = try await exchange("api_type: cloud\ndescription: plain", api: "/rest/api/3")
        #expect(asked(cloud) == ["POST /rest/api/3/search/jql", "POST /rest/api/3/issue"])
        #expect(
            try cloud.document(1)["fields"]?["description"] == [
                "type": "doc", "version": 1,
                "content": [["type": "paragraph", "content": [["type": "text", "text": "plain"]]]],
            ])
        let own = try await exchange(
            #"description: '{"type":"doc","version":1,"content":[]}'"#, api: "/rest/api/3/")
        #expect(asked(own)[0] == "POST /rest/api/3/search")
        #expect(try own.document(1)["fields"]?["description"] == ["type": "doc", "version": 1, "content": []])
        let mixed = try await exchange("api_type: cloud")
        #expect(asked(mixed) == ["POST /rest/api/3/search/jql", "POST /rest/api/2/issue"])
    }

    @Test func `what is too long is cut`() async throws {
        let fields = try await exchange("summary: \(long(300))\ndescription: \(long(33_000))").document(1)["fields"]
        #expect(fields?["summary"]?.string == long(254) + "…")
        #expect(fields?["description"]?.string == long(32_766) + "…")
    }

    @Test func `an answer that is none is an outage`() async throws {
        for body in ["<html>", "{}", #"{"issues":[{"id":"1"}]}"#] {
            let exchange = try await SinkExchange.run(
                JiraSink.self, "project: P\nissue_type: Bug", globals: "jira_api_url: URL"
            ) { _ in .text(200, body) }
            guard case .unavailable? = exchange.error else {
                Issue.record("\(body): \(String(describing: exchange.error))")
                continue
            }
        }
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(
            JiraSink.self, "{}",
            [
                "1:1: key \"issue_type\" is missing", "1:1: key \"project\" is missing",
                "1:1: no Jira address: set \"api_url\" here",
            ])
        try expectErrors(
            JiraSink.self, "{api_url: 'http://j', project: P, issue_type: B, api_type: x}", ["1:60: expected \"auto\""])
        try expectErrors(
            JiraSink.self, "{api_url: 'http://j', project: P, issue_type: B, fields: {a: ['{{ nope }}']}}",
            ["1:67: invalid template"])
        try expectErrors(
            JiraSink.self, "{api_url: 'http://j', project: P, issue_type: B, summary: {text: x}}",
            ["1:60: unknown key \"text\" in the summary of a jira config"])
    }
}
