import Foundation
import ServerKit
import Streams
import TestKit
import Testing

/// Rules, targets and what the server tells of itself.
@Suite struct StateAPITests {
    private static let rules = """
        name: default
        global: {external_labels: {cluster: a}}
        sources:
          - push: {}
        windows:
          - record: job:loss:max
            expr: max by(job)(loss)
            labels: {team: ml}
        rules:
          - alert: Failed
            expr: job_failed   == 1
            labels: {severity: critical}
            annotations: {summary: 'Job {{ $labels.job }} failed'}
          - alert: Slow
            expr: job_speed < 1
            for: 5m
            keep_firing_for: 1m
            labels: {severity: warning}
        routing: {route: {receiver: nobody}}
        sinks: [{name: nobody}]
        """

    private static func groups(_ client: LoopbackClient, _ query: String) async throws -> [NSDictionary] {
        let data = try await client.data("rules?" + query) as? NSDictionary
        return data?["groups"] as? [NSDictionary] ?? []
    }

    private static func names(_ client: LoopbackClient, _ query: String) async throws -> [String] {
        try await groups(client, query).flatMap {
            ($0["rules"] as? [NSDictionary] ?? []).compactMap { $0["name"] as? String }
        }
    }

    @Test func `rules tell their state, and are found by type, name, group, file and label`() async throws {
        try await TestServer.with(Self.rules) { server async throws in
            let client = server.client
            #expect(try await client.send("PUT", "/metrics/job/a", text: "job_failed 1\nloss 2\n").status == 200)
            #expect(await eventually { (try? await server.value("ALERTS{alertname=\"Failed\"}")) == 1 })
            let group = try #require(try await Self.groups(client, "").first)
            let file = try #require(group["file"] as? String)
            #expect(group["name"] as? String == "default")
            #expect(group["interval"] as? Double == 60)
            #expect(group["limit"] as? Int == 0)
            let rules = try #require(group["rules"] as? [NSDictionary])
            let failed = try #require(rules.first { $0["name"] as? String == "Failed" })
            #expect(failed["state"] as? String == "firing")
            #expect(failed["query"] as? String == "job_failed == 1")
            #expect(failed["health"] as? String == "ok")
            #expect(failed["type"] as? String == "alerting")
            #expect(failed["annotations"] as? [String: String] == ["summary": "Job {{ $labels.job }} failed"])
            let alert = try #require((failed["alerts"] as? [NSDictionary])?.first)
            #expect(alert["annotations"] as? [String: String] == ["summary": "Job a failed"])
            #expect(alert["value"] as? String == "1e+00")
            let slow = try #require(rules.first { $0["name"] as? String == "Slow" })
            #expect(slow["duration"] as? Double == 300)
            #expect(slow["keepFiringFor"] as? Double == 60)
            #expect(slow["alerts"] as? [NSDictionary] == [])

            #expect(try await Self.names(client, "type=record") == ["job:loss:max"])
            #expect(try await Self.names(client, "type=alert") == ["Failed", "Slow"])
            #expect(try await Self.names(client, "rule_name[]=Slow&rule_name[]=none") == ["Slow"])
            #expect(try await Self.names(client, "rule_group[]=none") == [])
            #expect(try await Self.names(client, "file[]=\(file)").count == 3)
            #expect(
                try await Self.names(client, "match[]=%7Bseverity=~%22w.*%22%7D&match[]=%7Bteam=%22ml%22%7D") == [
                    "job:loss:max", "Slow",
                ])
            let bare = try await Self.groups(client, "exclude_alerts=true&rule_name[]=Failed")
            #expect((bare.first?["rules"] as? [NSDictionary])?.first?["alerts"] is NSNull)
            let alerts = try await client.data("alerts") as? NSDictionary
            #expect(
                (alerts?["alerts"] as? [NSDictionary])?.first?["labels"] as? [String: String]
                    == ["alertname": "Failed", "job": "a", "severity": "critical", "instance": ""].filter {
                        !$0.value.isEmpty
                    })
            #expect(
                try await client.data("alertmanagers") as? NSDictionary == [
                    "activeAlertmanagers": [], "droppedAlertmanagers": [],
                ])
        }
    }

    @Test func `groups come page by page`() async throws {
        let folder = try TemporaryFolder()
        let groups = (1...5).map { "- name: g\($0)\n  rules: [{record: r\($0), expr: up}]\n" }.joined()
        let file = try folder.write("rules.yml", "groups:\n" + groups)
        try await TestServer.with(pushPipeline + "\nrule_files: ['\(file.path)']\n") { server async throws in
            var pages: [[String]] = []
            var token: String?
            repeat {
                let path = "rules?group_limit=2" + (token.map { "&group_next_token=\($0)" } ?? "")
                let data = try await server.client.data(path) as? NSDictionary
                pages.append((data?["groups"] as? [NSDictionary] ?? []).compactMap { $0["name"] as? String })
                token = data?["groupNextToken"] as? String
            } while token != nil && pages.count < 10
            #expect(pages.map(\.count) == [2, 2, 2])
            #expect(Set(pages.joined()) == ["default", "g1", "g2", "g3", "g4", "g5"])
        }
    }

    private static let scraping = """
        name: default
        sources:
          - scrape:
              job_name: models
              params: {token: [hidden-parameter], module: [m]}
              basic_auth: {username: me, password: hidden-password}
              static_configs: [{targets: ['localhost:1', 'localhost:2']}]
              relabel_configs:
                - {source_labels: [__address__], regex: '.*:2', action: drop}
          - scrape:
              job_name: others
              authorization: {credentials: hidden-credentials}
              http_headers: {X_Ref: {values: [hidden-header]}, API_File: {secrets: [hidden-secret]}}
          - push: {}
        routing: {route: {receiver: hook}}
        sinks:
          - name: hook
            webhook_configs: [{url: 'http://user:hidden-user@localhost:9/hidden-url'}]
        """

    @Test func `targets are told with those that were dropped, and no secret`() async throws {
        try await TestServer.with(Self.scraping) { server async throws in
            let client = server.client
            func targets(_ query: String) async throws -> NSDictionary {
                try await client.data("targets?" + query) as? NSDictionary ?? [:]
            }
            let all = try await targets("")
            let active = try #require((all["activeTargets"] as? [NSDictionary])?.first)
            #expect(active["scrapePool"] as? String == "models")
            #expect(active["scrapeUrl"] as? String == "http://localhost:1/metrics?module=<secret>&token=<secret>")
            #expect(active["globalUrl"] as? String == "http://tocsin.test:1/metrics?module=<secret>&token=<secret>")
            #expect(active["labels"] as? [String: String] == ["instance": "localhost:1", "job": "models"])
            let discovered = active["discoveredLabels"] as? [String: String]
            #expect(discovered?["__param_token"] == "<secret>")
            #expect(discovered?["__address__"] == "localhost:1")
            #expect((all["droppedTargets"] as? [NSDictionary])?.count == 1)
            #expect(all["droppedTargetCounts"] as? [String: Int] == ["models": 1, "others": 0])
            #expect(try await (targets("state=active")["droppedTargets"] as? [NSDictionary]) == [])
            #expect(try await (targets("state=dropped")["activeTargets"] as? [NSDictionary]) == [])
            #expect(try await (targets("scrapePool=others")["activeTargets"] as? [NSDictionary]) == [])
            #expect(try await client.data("scrape_pools") as? NSDictionary == ["scrapePools": ["models", "others"]])

            let config = try #require((try await client.data("status/config") as? [String: String])?["yaml"])
            #expect(config.contains("job_name: models"))
            #expect(config.contains("scrape_interval: 1m"))
            for text in [config, try await client.get("/api/v1/targets").text] {
                #expect(!text.contains("hidden"))
            }
        }
    }

    private static let relabelling = """
        name: default
        sources:
          - scrape:
              job_name: models
              params: {token: [hidden-parameter]}
              basic_auth: {username: me, password: hidden-password}
              static_configs: [{targets: ['localhost:2'], labels: {docs: 'http://hidden-token@docs.example/'}}]
              relabel_configs:
                - {source_labels: [__address__], regex: '(.*):\\d+', target_label: host}
                - {source_labels: [host, zone], regex: 'a;.*', action: drop}
                - {action: labeldrop, regex: zone}
        """

    @Test func `a job's configuration is told, and what its relabelling makes of labels, step by step`() async throws {
        try await TestServer.with(Self.relabelling) { server async throws in
            let client = server.client
            let config = try #require(
                (try await client.data("scrape_pools/config?scrapePool=models") as? [String: String])?["yaml"])
            #expect(config.hasPrefix("job_name: models\n"))
            #expect(config.contains("target_label: host"))
            #expect(!config.contains("hidden"))
            #expect(!(try await client.get("/api/v1/targets").text.contains("hidden")))

            func steps(_ labels: String) async throws -> [NSDictionary] {
                let text = labels.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                let data = try await client.data("targets/relabel_steps?scrapePool=models&labels=\(text)")
                return (data as? NSDictionary)?["steps"] as? [NSDictionary] ?? []
            }
            let kept = try await steps(#"{"__address__":"b:80","zone":"z"}"#)
            #expect(kept.map { $0["keep"] as? Bool } == [true, true, true])
            #expect(
                kept.map { $0["output"] as? [String: String] } == [
                    ["__address__": "b:80", "zone": "z", "host": "b"],
                    ["__address__": "b:80", "zone": "z", "host": "b"], ["__address__": "b:80", "host": "b"],
                ])
            #expect(
                kept.first?["rule"] as? NSDictionary == [
                    "source_labels": ["__address__"], "separator": ";", "regex": "(.*):\\d+", "target_label": "host",
                    "replacement": "$1", "action": "replace",
                ])
            let dropped = try await steps(#"{"__address__":"a:80","zone":"z"}"#)
            #expect(dropped.map { $0["keep"] as? Bool } == [true, false, false])
            #expect(dropped.last?["output"] as? [String: String] == [:])
        }
    }

    @Test func `the server's own metrics come as JSON families`() async throws {
        try await withSeries { server, _ in
            let client = server.client
            #expect(try await client.get("/api/v1/query?query=1").status == 200)
            let families = try #require(
                try await client.data("status/self_metrics?metric_name_pattern=tocsin_quer.*") as? [NSDictionary])
            let running = try #require(families.first { $0["name"] as? String == "tocsin_queries_running" })
            #expect(running["type"] as? String == "GAUGE")
            let gauge = (running["metric"] as? [NSDictionary])?.first?["gauge"] as? [String: Double]
            #expect(gauge == ["value": 0])
            let durations = try #require(families.first { $0["name"] as? String == "tocsin_query_duration_seconds" })
            #expect(durations["type"] as? String == "HISTOGRAM")
            let series = try #require((durations["metric"] as? [NSDictionary])?.first)
            #expect(series["label"] as? [[String: String]] == [["name": "phase", "value": "evaluation"]])
            let histogram = try #require(series["histogram"] as? NSDictionary)
            #expect(histogram["sampleCount"] as? String == "1")
            #expect((histogram["bucket"] as? [NSDictionary])?.last?["cumulativeCount"] as? String == "1")
            #expect((try await client.data("status/self_metrics") as? [Any])?.count ?? 0 > families.count)
        }
    }

    @Test func `the server tells of its build, its flags, its store and its reloads`() async throws {
        try await withSeries { server, _ in
            let client = server.client
            let build = try await client.data("status/buildinfo") as? [String: String]
            #expect(build?["version"]?.hasPrefix("3.") == true)
            #expect(build?["applicationVersion"] == "test")
            #expect(try await client.data("status/flags") as? [String: String] == ["query.timeout": "2m"])
            let store = try #require(try await client.data("status/tsdb?limit=2") as? NSDictionary)
            let head = store["headStats"] as? NSDictionary
            #expect(head?["numSeries"] as? Int == 5)
            #expect(head?["numLabelPairs"] as? Int == 8)
            #expect(
                (store["seriesCountByMetricName"] as? [NSDictionary])?.first
                    == ["name": "http_requests_total", "value": 3])
            #expect((store["seriesCountByLabelValuePair"] as? [NSDictionary])?.count == 2)
            #expect(try await client.data("status/walreplay") as? [String: Int] == ["min": 0, "max": 0, "current": 0])
            let features = try await client.data("features") as? [String: [String: Bool]]
            #expect(features?["promql_functions"]?["rate"] == true)
            #expect(features?["promql_functions"]?["info"] == false)
            #expect(features?["promql_operators"]?["atan2"] == true)
            #expect(try await client.get("/api/v1/notifications/live").status == 204)

            func succeeded() async throws -> Bool? {
                (try await client.data("status/runtimeinfo") as? NSDictionary)?["reloadConfigSuccess"] as? Bool
            }
            #expect(try await succeeded() == true)
            #expect(try await client.data("notifications") as? [NSDictionary] == [])
            try server.folder.write("pipelines/main.yaml", "name: [\n")
            #expect(try await client.send("POST", "/-/reload").status == 500)
            #expect(try await succeeded() == false)
            let notes = try await client.data("notifications") as? [NSDictionary]
            #expect(notes?.first?["text"] as? String == "Configuration reload has failed.")
        }
    }

    @Test func `the OpenAPI document describes endpoints that are there`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let answer = try await server.client.get("/api/v1/openapi.yaml")
            #expect(answer.headers["content-type"] == "application/yaml; charset=utf-8")
            let paths = answer.text.split(separator: "\n").filter { $0.hasPrefix("  /") }.map {
                $0.dropFirst(3).dropLast().replacing("{name}", with: "job")
            }
            #expect(paths.count > 25)
            for path in paths {
                let status = try await server.client.get("/api/v1/\(path)").status
                #expect(status == 200 || status == 204 || status == 400, "\(path)")
            }
        }
    }
}
