import Foundation
import Glibc
import Streams
import TestKit
import Testing

/// A pipeline that tells a webhook of failed jobs at once.
private func pipeline(hook: String, alert: String = "TrainingJobFailed", sources: String = "- push: {}") -> String {
    """
    name: default
    global: {scrape_interval: 1s}
    sources:
      \(sources)
    rules:
      - alert: \(alert)
        expr: training_job_status{status="failed"} == 1
        labels: {severity: critical}
        annotations: {summary: 'Job {{ $labels.job_name }} failed'}
    routing:
      route: {receiver: ml, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
    sinks:
      - name: ml
        webhook_configs: [{url: '\(hook)/hook'}]
    """
}

private func status(_ value: Int) -> String {
    "training_job_status{status=\"failed\",job_name=\"bert\"} \(value)\n"
}

@Suite struct RunTests {
    @Test func `a push becomes a webhook of Alertmanager's kind, and its end another`() async throws {
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let tocsin = try TocsinProcess(pipeline(hook: hook.url), in: TemporaryFolder())
        let client = try await tocsin.client()
        #expect(try await client.send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        await hook.received(1)
        let request = hook.requests[0]
        #expect((request.method, request.path) == ("POST", "/hook"))
        #expect(request.headers["content-type"]?.hasPrefix("application/json") == true)
        let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
        #expect(body["version"] as? String == "4")
        #expect(body["status"] as? String == "firing")
        #expect(body["receiver"] as? String == "ml")
        #expect(body["truncatedAlerts"] as? Int == 0)
        #expect(body["groupKey"] as? String == #"{}:{alertname="TrainingJobFailed"}"#)
        #expect(body["groupLabels"] as? [String: String] == ["alertname": "TrainingJobFailed"])
        let labels = [
            "alertname": "TrainingJobFailed", "job": "train", "job_name": "bert", "severity": "critical",
            "status": "failed",
        ]
        #expect(body["commonLabels"] as? [String: String] == labels)
        #expect(body["commonAnnotations"] as? [String: String] == ["summary": "Job bert failed"])
        #expect(body["externalURL"] as? String != nil)
        let alert = try #require((body["alerts"] as? [[String: Any]])?.first)
        #expect(alert["status"] as? String == "firing")
        #expect(alert["labels"] as? [String: String] == labels)
        #expect((alert["fingerprint"] as? String)?.count == 16)
        #expect((alert["startsAt"] as? String)?.contains("T") == true)
        #expect(alert["endsAt"] as? String == "0001-01-01T00:00:00Z")
        #expect((alert["generatorURL"] as? String)?.contains("/api/v1/query?query=") == true)

        #expect(try await client.send("PUT", "/metrics/job/train", text: status(0)).status == 200)
        await hook.received(2)
        #expect(hook.requests[1].text.contains(#""status":"resolved""#))
        #expect(await tocsin.terminate() == 0)
        hook.stop()
    }

    @Test func `a push becomes a mail`() async throws {
        let mail = try await TestMailServer.start()
        let tocsin = try TocsinProcess(
            """
            name: default
            global: {smtp_smarthost: '127.0.0.1:\(mail.port)', smtp_from: tocsin@example.com, smtp_require_tls: false}
            sources: [{push: {}}]
            rules:
              - {alert: TrainingJobFailed, expr: 'training_job_status{status="failed"} == 1', labels: {severity: critical}}
            routing: {route: {receiver: ml, group_wait: 0s}}
            sinks: [{name: ml, email_configs: [{to: team@example.com}]}]
            """, in: TemporaryFolder())
        let client = try await tocsin.client()
        #expect(try await client.send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        let letter = try await mail.next()
        #expect(letter.from == "tocsin@example.com")
        #expect(letter.to == ["team@example.com"])
        #expect(letter.headers.contains { $0.key.lowercased() == "subject" && $0.value.contains("TrainingJobFailed") })
        #expect(Set(letter.parts.keys).isSuperset(of: ["text/plain", "text/html"]))
        #expect(await tocsin.terminate() == 0)
    }

    @Test func `what prometheus_client pushes and exposes becomes alerts`() async throws {
        let check = try await TocsinProcess.outcome(of: TestProcess.python, ["-c", "import prometheus_client"])
        guard check.status == 0 else {
            print("python with prometheus_client is not there, not checked")
            return
        }
        let program = """
            import sys, prometheus_client as p
            status = p.Gauge('training_job_status', 'is it?', ['status', 'job_name'])
            status.labels('failed', 'scraped').set(1)
            server, thread = p.start_http_server(0, addr='127.0.0.1')
            print(server.server_port, flush=True)
            port = sys.stdin.readline().strip()
            registry = p.CollectorRegistry()
            pushed = p.Gauge('training_job_status', 'is it?', ['status', 'job_name'], registry=registry)
            pushed.labels('failed', 'pushed').set(1)
            p.push_to_gateway('127.0.0.1:' + port, job='batch', registry=registry)
            print('pushed', flush=True)
            sys.stdin.readline()
            """
        let python = try TestProcess(TestProcess.python, ["-c", program])
        let exposed = try #require(await python.line())
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let sources = """
            - push: {}
              - scrape: {job_name: backend, static_configs: [{targets: ['127.0.0.1:\(exposed)']}]}
            """
        let tocsin = try TocsinProcess(pipeline(hook: hook.url, sources: sources), in: TemporaryFolder())
        let client = try await tocsin.client()
        try python.send("\(client.port)")
        #expect(await python.line() == "pushed")
        for name in ["scraped", "pushed"] {
            #expect(await eventually { hook.requests.contains { $0.text.contains("\"job_name\":\"\(name)\"") } })
        }
        python.stop()
        #expect(await tocsin.terminate() == 0)
        hook.stop()
    }

    @Test func `SIGHUP reloads, and a broken file leaves what runs`() async throws {
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let tocsin = try TocsinProcess(pipeline(hook: hook.url), in: TemporaryFolder())
        let client = try await tocsin.client()
        try tocsin.folder.write("pipelines/main.yaml", "name: default\nrules: 3\n")
        tocsin.signal(SIGHUP)
        #expect(await eventually { tocsin.log.contains("Pipelines were not reloaded") })
        try tocsin.folder.write("pipelines/main.yaml", pipeline(hook: hook.url, alert: "Renamed"))
        tocsin.signal(SIGHUP)
        #expect(await eventually { tocsin.log.contains("Pipelines were reloaded.") })
        #expect(try await client.send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        await hook.received(1)
        #expect(hook.requests[0].text.contains("Renamed"))
        #expect(await tocsin.terminate() == 0)
        hook.stop()
    }

    @Test func `SIGTERM with open streams and idle connections ends cleanly`() async throws {
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let tocsin = try TocsinProcess(pipeline(hook: hook.url), in: TemporaryFolder())
        let client = try await tocsin.client()
        let (isStreaming, isIdle) = (Latch(), Latch())
        async let stream = client.talk { socket in
            _ = socket.write(Array("GET /api/v1/stream/alerts HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            var seen: [UInt8] = []
            while let bytes = socket.read(), !bytes.isEmpty {
                seen += bytes
                isStreaming.open()
            }
            return String(decoding: seen, as: UTF8.self)
        }
        async let idle = client.talk { socket in
            _ = socket.write(Array("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            let status = try LoopbackClient.answer(from: socket).status
            isIdle.open()
            return (status, socket.read())
        }
        await isStreaming.wait()
        await isIdle.wait()
        #expect(await tocsin.terminate() == 0)
        #expect(try await stream.hasSuffix("0\r\n\r\n"))
        let (answered, rest) = try await idle
        #expect(answered == 200)
        #expect(rest ?? [] == [])
        #expect(!tocsin.log.contains(" error "))
        #expect(!tocsin.log.contains("CancellationError"))
        #expect(tocsin.log.contains("Stopped."))
        hook.stop()
    }

    @Test func `what a dead sink did not take is delivered after a restart`() async throws {
        let folder = try TemporaryFolder()
        let dead = try TestHTTPServer { _ in .text(503, "") }
        let first = try TocsinProcess(pipeline(hook: dead.url), in: folder)
        let client = try await first.client()
        #expect(try await client.send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        await dead.received(1)
        #expect(await first.terminate() == 0)
        dead.stop()
        let alive = try TestHTTPServer { _ in .text(200, "") }
        let second = try TocsinProcess(pipeline(hook: alive.url), in: folder)
        _ = try await second.client()
        await alive.received(1)
        #expect(alive.requests[0].text.contains(#""status":"firing""#))
        #expect(alive.requests[0].text.contains(#""job_name":"bert""#))
        #expect(await second.terminate() == 0)
        alive.stop()
    }

    @Test func `what was pushed is there again after a restart, and its alert goes on`() async throws {
        let folder = try TemporaryFolder()
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let first = try TocsinProcess(pipeline(hook: hook.url), in: folder)
        #expect(try await first.client().send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        await hook.received(1)
        #expect(await first.terminate() == 0)
        let second = try TocsinProcess(pipeline(hook: hook.url), in: folder)
        let client = try await second.client()
        let query = "/api/v1/query?query=training_job_status"
        #expect(await eventually { (try? await client.get(query).text.contains(#""job_name":"bert""#)) == true })
        #expect(try await client.get("/api/v1/metrics").text.contains(#""job":"train""#))
        // It ends because its value says so; had the group been lost, nothing would be left to say it.
        #expect(try await client.send("POST", "/metrics/job/train", text: status(0)).status == 200)
        await hook.received(2)
        #expect(hook.requests.map { $0.text.contains(#""status":"firing""#) } == [true, false])
        #expect(try await client.send("DELETE", "/metrics/job/train").status == 202)
        #expect(await second.terminate() == 0)
        let third = try TocsinProcess(pipeline(hook: hook.url), in: folder)
        #expect(try await !third.client().get("/api/v1/metrics").text.contains("train"))
        #expect(await third.terminate() == 0)
        hook.stop()
    }

    @Test func `samples are there after a restart, for queries and for rules`() async throws {
        let folder = try TemporaryFolder()
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let sources = "name: default\nsources: [{push: {}}]\n"
        let first = try TocsinProcess(sources, in: folder)
        let client = try await first.client()
        let now = Int64(Date().timeIntervalSince1970)
        let lines: [String] = (0..<40).map { (step: Int64) -> String in
            let time: Int64 = (now - 200 + step * 5) * 1000
            return "loss{job_name=\"bert\"} \(step % 7) \(time)\n"
        }
        let pushed = try await client.send("POST", "/api/v1/import/prometheus", text: lines.joined())
        #expect(pushed.status == 204)
        let query = "/api/v1/query_range?query=avg_over_time(loss%5B1m%5D)&start=\(now - 200)&end=\(now - 5)&step=5"
        let before = try await client.get(query).text
        #expect(before.contains("bert"))
        #expect(await first.terminate() == 0)
        #expect(first.log.contains("Samples were kept."))
        let kept = folder.path("data/samples.snapshot")
        #expect(FileManager.default.fileExists(atPath: kept))
        // Which alert fires is known from old samples alone.
        let second = try TocsinProcess(
            """
            \(sources)
            global: {evaluation_interval: 1s}
            rules:
              - {alert: LossWasSeen, expr: 'count_over_time(loss[5m]) >= 10'}
            routing: {route: {receiver: ml, group_wait: 0s}}
            sinks: [{name: ml, webhook_configs: [{url: '\(hook.url)/hook'}]}]
            """, in: folder)
        let again = try await second.client()
        #expect(second.log.contains("Samples of the last run were read."))
        #expect(try await again.get(query).text == before)
        await hook.received(1)
        #expect(hook.requests[0].text.contains("LossWasSeen"))
        // They were right once: a server that is killed does not come back with older ones.
        #expect(!FileManager.default.fileExists(atPath: kept))
        second.signal(SIGKILL)
        #expect(await second.end() == -SIGKILL)
        let third = try TocsinProcess(sources, in: folder)
        #expect(try await !third.client().get(query).text.contains("bert"))
        #expect(await third.terminate() == 0)
        hook.stop()
    }

    @Test func `a file of samples that is not one is set aside, and the server starts`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("data/samples.snapshot", "nonsense")
        let tocsin = try TocsinProcess("name: default\nsources: [{push: {}}]\n", in: folder)
        _ = try await tocsin.client()
        #expect(tocsin.log.contains("Samples of the last run can't be used."))
        #expect(FileManager.default.fileExists(atPath: folder.path("data/samples.snapshot.unusable")))
        #expect(await tocsin.terminate() == 0)
        #expect(FileManager.default.fileExists(atPath: folder.path("data/samples.snapshot")))
    }

    @Test func `a disk that hangs at the end does not keep the server for ever`() async throws {
        let folder = try TemporaryFolder()
        let tocsin = try TocsinProcess("name: default\nsources: [{push: {}}]\n", in: folder)
        let client = try await tocsin.client()
        #expect(try await client.send("PUT", "/metrics/job/a", text: "x 1\n").status == 200)
        // Opening a pipe that nobody reads waits, and nothing gets the thread back.
        try #require(mkfifo(folder.path("data/samples.snapshot.new"), 0o600) == 0)
        tocsin.signal(SIGTERM)
        #expect(await tocsin.end() == 1)
        #expect(tocsin.log.contains("The shutdown hangs; what was not kept by now is lost."))
    }

    @Test func `what fires when the server is killed goes on after the restart, and its end is told`() async throws {
        func activeAt(_ client: LoopbackClient) async throws -> String? {
            let text = try await client.get("/api/v1/alerts").text
            return text.firstMatch(of: #/"activeAt":"([^"]*)"/#).map { String($0.1) }
        }
        let folder = try TemporaryFolder()
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let first = try TocsinProcess(pipeline(hook: hook.url), in: folder)
        let client = try await first.client()
        #expect(try await client.send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        await hook.received(1)
        let since = try await activeAt(client)
        #expect(since != nil)
        first.signal(SIGKILL)
        #expect(await first.end() == -SIGKILL)
        let second = try TocsinProcess(pipeline(hook: hook.url), in: folder)
        let again = try await second.client()
        #expect(try await activeAt(again) == since)
        #expect(try await again.send("PUT", "/metrics/job/train", text: status(0)).status == 200)
        #expect(await eventually { hook.requests.last?.text.contains(#""status":"resolved""#) == true })
        #expect(await second.terminate() == 0)
        hook.stop()
    }

    @Test func `a port that is taken is an error, not a server that hangs`() async throws {
        let taken = try TestHTTPServer { _ in .text(200, "") }
        let folder = try TemporaryFolder()
        let file = try folder.write("p.yaml", "name: default\nsources: [{push: {}}]\n")
        let outcome = try await TocsinProcess.outcome([
            "run", file.path, "--listen", "127.0.0.1:\(taken.port)", "--data", folder.path("data"),
        ])
        #expect(outcome.status == 1)
        #expect(!outcome.errors.isEmpty)
        taken.stop()
    }

    @Test func `a second server on the same data folder says so and ends`() async throws {
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let folder = try TemporaryFolder()
        let first = try TocsinProcess(pipeline(hook: hook.url), in: folder)
        _ = try await first.client()
        let file = try folder.write("p.yaml", "name: default\nsources: [{push: {}}]\n")
        let outcome = try await TocsinProcess.outcome([
            "run", file.path, "--listen", "127.0.0.1:0", "--data", folder.path("data"),
        ])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("another server uses the data folder"))
        #expect(await first.terminate() == 0)
        hook.stop()
    }

    @Test func `promtool asks it as it asks Prometheus`() async throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") else {
            print("promtool is not there, not checked")
            return
        }
        let tocsin = try TocsinProcess(
            "name: default\nsources: [{push: {}}]\n", in: TemporaryFolder())
        let client = try await tocsin.client()
        #expect(try await client.send("PUT", "/metrics/job/train", text: status(1)).status == 200)
        let answer = try await TocsinProcess.outcome(
            of: "promtool", ["query", "instant", "http://127.0.0.1:\(client.port)", "training_job_status"])
        #expect(answer.status == 0)
        #expect(
            answer.output.hasPrefix(
                #"training_job_status{job="train", job_name="bert", status="failed"} => 1 @["#))
        let wrong = try await TocsinProcess.outcome(
            of: "promtool", ["query", "instant", "http://127.0.0.1:\(client.port)", "sum("])
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("bad_data"))
        #expect(await tocsin.terminate() == 0)
    }
}

@Suite struct CommandTests {
    @Test func `check tells every error of every file, and exits with 1`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("p/a.yaml", "name: a\nsuorces: []\nrules:\n  - {alert: X, expr: 'sum('}\n")
        try folder.write("p/b.yaml", "name: b\nsources: [{pusch: {}}]\n")
        let outcome = try await TocsinProcess.outcome(["check", folder.path("p")])
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("a.yaml:2:1: "))
        #expect(outcome.output.contains("sources"))
        // A position inside an expression is shown.
        #expect(
            outcome.output.contains(
                """
                  - {alert: X, expr: 'sum('}
                                          ^

                """))
        #expect(outcome.output.contains("b.yaml:2:"))
        #expect(outcome.output.contains("errors"))
    }

    @Test func `check of good pipelines exits with 0`() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.yaml", "name: default\nsources: [{push: {}}]\n")
        let outcome = try await TocsinProcess.outcome(["check", file.path])
        #expect(outcome.status == 0)
        #expect(
            outcome.output.contains(
                "pipeline default is good: 1 source, 0 recording rules, 0 alerts, 0 receivers"))
    }

    @Test("Wrong usage exits with 2", arguments: [["check"], ["nonsense"], ["run", "x", "--listen", "nowhere:x"]])
    func usage(arguments: [String]) async throws {
        let outcome = try await TocsinProcess.outcome(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("Usage") || outcome.errors.contains("Error"))
    }

    @Test func `a path that is not there is an error`() async throws {
        let outcome = try await TocsinProcess.outcome(["check", "/nowhere/at/all"])
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("there is no such file or folder"))
    }

    @Test func `graph draws the flow in both forms`() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.yaml", pipeline(hook: "http://127.0.0.1:1"))
        let mermaid = try await TocsinProcess.outcome(["graph", file.path])
        #expect(mermaid.status == 0)
        #expect(mermaid.output.hasPrefix("flowchart") || mermaid.output.hasPrefix("graph"))
        let dot = try await TocsinProcess.outcome(["graph", file.path, "--format", "dot"])
        #expect(dot.output.contains("digraph"))
        #expect(dot.output.contains("TrainingJobFailed"))
    }

    @Test func `version and help exit with 0`() async throws {
        let version = try await TocsinProcess.outcome(["--version"])
        #expect(version.status == 0 && version.output.hasPrefix("tocsin "))
        let help = try await TocsinProcess.outcome(["run", "--help"])
        #expect(help.status == 0 && help.output.contains("Example:"))
    }
}
