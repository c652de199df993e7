import Foundation
import ServerKit
import Streams
import TestKit
import Testing

@Suite struct APITests {
    @Test func `health, readiness, own metrics and a page are there; what is not says so`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            #expect(try await server.client.get("/-/healthy").text == "OK")
            #expect(try await server.client.get("/-/ready").text == "OK")
            #expect(try await server.client.send("HEAD", "/-/healthy").status == 200)
            let metrics = try await server.client.get("/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains("tocsin_edge_received_total"))
            #expect(try await server.client.get("/").headers["content-type"]?.hasPrefix("text/html") == true)
            let page = try await server.client.get("/").text
            for path in ["api/v1/targets", "api/v1/alerts", "api/v1/query", "-/healthy"] {
                #expect(page.contains(path), "\(path)")
            }
            let nowhere = try await server.client.get("/nowhere")
            #expect(nowhere.status == 404)
            #expect(nowhere.text == "there is nothing at this path; the page at / lists what there is\n")
            let wrong = try await server.client.send("DELETE", "/api/v1/query")
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "GET, OPTIONS, POST")
        }
    }

    @Test func `a reload of a broken file changes nothing and says what is wrong`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            try server.folder.write("pipelines/main.yaml", "name: default\nsorces: []\n")
            let answer = try await server.client.send("POST", "/-/reload")
            #expect(answer.status == 500)
            #expect(answer.text.contains("main.yaml:2:1"))
            #expect(answer.text.contains("sources"))
            #expect(try await server.client.send("PUT", "/metrics/job/a", text: "job_failed 1\n").status == 200)
            #expect(await eventually { (try? await server.value("ALERTS{alertname=\"Failed\"}")) == 1 })
        }
    }

    @Test func `a reload's new rules look at what is there already, and those that are gone leave nothing`()
        async throws
    {
        try await TestServer.with(pushPipeline) { server async throws in
            #expect(try await server.client.send("PUT", "/metrics/job/a", text: "job_failed 1\nloss 9\n").status == 200)
            #expect(await eventually { (try? await server.value("ALERTS{alertname=\"Failed\"}")) == 1 })
            let changed = pushPipeline.replacing("alert: Failed", with: "alert: Diverged")
                .replacing("job_failed == 1", with: "loss > 8")
            try server.folder.write("pipelines/main.yaml", changed)
            #expect(try await server.client.send("POST", "/-/reload").status == 200)
            #expect(await eventually { (try? await server.value("ALERTS{alertname=\"Diverged\"}")) == 1 })
            #expect(await eventually { (try? await server.value("ALERTS{alertname=\"Failed\"}")) == nil })
        }
    }

    @Test func `a rule that moves to another group goes on, and the metrics of a group that is gone leave`()
        async throws
    {
        let rules = """
            groups:
            - {name: old, rules: [{record: moved, expr: loss * 2}, {record: removed, expr: loss}]}
            - {name: kept, rules: [{record: other, expr: loss}]}
            """
        let moved = "groups: [{name: kept, rules: [{record: other, expr: loss}, {record: moved, expr: loss * 2}]}]"
        try await TestServer.with(pushPipeline) { server async throws in
            func load(_ rules: String) async throws {
                try server.folder.write("pipelines/main.yaml", pushPipeline + "\nrule_files: [rules.yml]\n")
                try server.folder.write("pipelines/rules.yml", rules)
                #expect(try await server.client.send("POST", "/-/reload").status == 200)
            }
            #expect(try await server.client.send("PUT", "/metrics/job/a", text: "loss 9\n").status == 200)
            try await load(rules)
            #expect(await eventually { (try? await server.value("moved")) == 18 })
            #expect(await eventually { (try? await server.value("removed")) == 9 })
            let file = server.folder.path("pipelines/rules.yml")
            func count(_ group: String) -> Double? {
                server.metric("prometheus_rule_group_rules{rule_group=\"\(file);\(group)\"}")
            }
            #expect(count("old") == 2)
            try await load(moved)
            #expect(await eventually { (try? await server.value("removed")) == nil })
            #expect(await eventually { (try? await server.value("moved")) == 18 })
            #expect(count("old") == nil)
            #expect(count("kept") == 2)
            #expect(!server.telemetry.exposition().contains(#"rule_group="old""#))
        }
    }

    // MARK: queries

    @Test func `query answers as Prometheus does`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let text = "q{n=\"1\"} 1.5 \(1000 * Int64(Date().timeIntervalSince1970))\n"
            #expect(try await server.client.send("POST", "/api/v1/import/prometheus", text: text).status == 204)
            func query(_ text: String) async throws -> String {
                try await server.client.get("/api/v1/query?\(text)").text
            }
            #expect(
                try await query("query=1%2B1&time=12.5")
                    == #"{"status":"success","data":{"resultType":"scalar","result":[12.5,"2"]}}"#)
            #expect(
                try await query("query=%22a%22&time=0")
                    == #"{"status":"success","data":{"resultType":"string","result":[0,"a"]}}"#)
            #expect(
                try await query("query=none&time=0")
                    == #"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
            #expect(try await query("query=q").contains(#"{"metric":{"__name__":"q","n":"1"},"value":["#))
            #expect(try await query("query=q[1m]").contains(#""resultType":"matrix""#))
            let form = try await server.client.send(
                "POST", "/api/v1/query", headers: ["Content-Type": "application/x-www-form-urlencoded"],
                text: "query=vector(1)&time=1")
            #expect(
                form.text
                    == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}"#)
        }
    }

    @Test func `query_range answers as Prometheus does`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            let answer = try await server.client.get("/api/v1/query_range?query=time()&start=10&end=20&step=5")
            #expect(
                answer.text == #"{"status":"success","data":{"resultType":"matrix","#
                    + #""result":[{"metric":{},"values":[[10,"10"],[15,"15"],[20,"20"]]}]}}"#)
        }
    }

    @Test func `a server under a prefix answers there only`() async throws {
        var options = TestServer.Options()
        options.prefix = "/watch/tocsin"
        try await TestServer.with(pushPipeline, options) { server async throws in
            #expect(try await server.client.get("/-/healthy").status == 404)
            #expect(try await server.client.get("/watch/tocsin/-/healthy").status == 200)
            let push = try await server.client.send("PUT", "/watch/tocsin/metrics/job/a", text: "x 1\n")
            #expect(push.status == 200)
            let empty = try await server.client.send("PUT", "/watch/tocsin/metrics/job/", text: "x 1\n")
            #expect(empty.headers["location"] == "/watch/tocsin/metrics/job")
        }
    }
}

@Suite struct AlertStreamTests {
    /// Reads events until one satisfies, and returns all of them.
    private static func read(
        _ socket: TestSocket, path: String, headers: String = "", until isLast: (String) -> Bool
    ) throws -> [String] {
        _ = socket.write(Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n".utf8))
        guard let head = socket.read(until: Array("\r\n\r\n".utf8)),
            String(decoding: head, as: UTF8.self).hasPrefix("HTTP/1.1 200")
        else { throw POSIXError(.EBADMSG) }
        var events: [String] = []
        var text = ""
        while true {
            guard let size = socket.read(until: [13, 10]),
                let count = Int(String(decoding: size, as: UTF8.self), radix: 16), count > 0,
                let chunk = socket.read(count: count + 2)
            else { return events }
            text += String(decoding: chunk.dropLast(2), as: UTF8.self)
            while let end = text.firstRange(of: "\n\n") {
                events.append(String(text[..<end.lowerBound]))
                text = String(text[end.upperBound...])
                if isLast(events[events.count - 1]) { return events }
            }
        }
    }

    @Test func `events come as they happen, are filtered, and go on after the last one seen`() async throws {
        try await TestServer.with(pushPipeline) { server async throws in
            for job in ["a", "b c"] {
                let path = "/metrics/job/" + job.replacing(" ", with: "%20")
                let answer = try await server.client.send("PUT", path, text: "job_failed 1\n")
                #expect(answer.status == 200)
                #expect(await eventually { (try? await server.value("ALERTS{job=\"\(job)\"}")) == 1 })
            }
            let path = "/api/v1/stream/alerts"
            let all = try await server.client.talk { socket in
                // An id of another run: what is known is told from the beginning, after a word on what was missed.
                try Self.read(socket, path: path, headers: "Last-Event-ID: other-5\r\n") {
                    $0.contains("\"job\":\"b c\"")
                }
            }
            #expect(all.first == ": tocsin alert stream\nretry: 1000")
            #expect(all.count { $0.contains("event: missed") } == 1)
            #expect(all.count { $0.contains("event: firing") } == 2)
            let first = try #require(all.first { $0.contains("\"job\":\"a\"") })
            let id = try #require(first.split(separator: "\n").first { $0.hasPrefix("id: ") }).dropFirst(4)
            let resumed = try await server.client.talk { socket in
                try Self.read(socket, path: path, headers: "Last-Event-ID: \(id)\r\n") { $0.contains("event:") }
            }
            #expect(resumed.count == 2)
            #expect(resumed.last?.contains("\"job\":\"b c\"") == true)
            let filtered = try await server.client.talk { socket in
                try Self.read(socket, path: path + "?filter=job%3D%22b+c%22&last_event_id=\(id)") {
                    $0.contains("event:")
                }
            }
            #expect(filtered.last?.contains("\"job\":\"b c\"") == true)
            #expect(try await server.client.get(path + "?filter=%3D%3D").status == 400)
            #expect(try await server.client.get(path + "?filter=job%3D%zz").status == 400)
        }
    }

    @Test func `a quiet stream has a heartbeat`() async throws {
        let clock = ManualClock(at: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)))
        var options = TestServer.Options()
        options.clock = clock
        try await TestServer.with(pushPipeline, options) { server async throws in
            async let events = server.client.talk { socket in
                try Self.read(socket, path: "/api/v1/stream/alerts") { $0.contains("heartbeat") }
            }
            let turning = Task {
                while !Task.isCancelled {
                    clock.advance(by: .seconds(1))
                    await Task.yield()
                }
            }
            let seen = try await events
            turning.cancel()
            #expect(seen.last == ": heartbeat")
        }
    }

    @Test func `an open stream does not keep the server from ending`() async throws {
        let ended = try await TestServer.with(pushPipeline) { server async throws in
            let opened = Latch()
            let reading = Task {
                try await server.client.talk { socket in
                    try Self.read(socket, path: "/api/v1/stream/alerts") { _ in
                        opened.open()
                        return false
                    }
                }
            }
            await opened.wait()
            return reading
        }
        #expect(try await ended.value.first == ": tocsin alert stream\nretry: 1000")
    }
}
