import Foundation
import Synchronization
import TestKit
import Testing

/// A Prometheus, as it is packaged, that has Tocsin as its Alertmanager.
@Suite struct PrometheusSenderTests {
    @Test func `alerts of a Prometheus are notified, shown on the stream, and resolved`() async throws {
        let check = try await TocsinProcess.outcome(of: "prometheus", ["--version"])
        guard check.status == 0 else {
            print("prometheus is not there, not checked")
            return
        }
        let hook = try TestHTTPServer { _ in .text(200, "") }
        let isFailed = Atomic(true)
        let job = try TestHTTPServer { _ in .text(200, "job_failed \(isFailed.load(ordering: .relaxed) ? 1 : 0)\n") }
        let tocsin = try TocsinProcess(
            """
            name: default
            routing:
              route: {receiver: ml, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
            sinks: [{name: ml, webhook_configs: [{url: '\(hook.url)/hook'}]}]
            """, in: TemporaryFolder())
        let client = try await tocsin.client()
        let prometheus = try self.prometheus(in: tocsin.folder, sendingTo: client.port, scraping: job.url)
        defer { prometheus.stop() }

        await hook.received(1)
        let body = try #require(try JSONSerialization.jsonObject(with: Data(hook.requests[0].body)) as? [String: Any])
        #expect(body["status"] as? String == "firing")
        let alert = try #require((body["alerts"] as? [[String: Any]])?.first)
        let labels = try #require(alert["labels"] as? [String: String])
        #expect(labels["alertname"] == "JobFailed")
        #expect(labels["job"] == "training")
        #expect(labels["cluster"] == "gpu-a")
        #expect(alert["annotations"] as? [String: String] == ["summary": "training failed"])
        #expect((alert["generatorURL"] as? String)?.contains("job_failed") == true)
        #expect(alert["endsAt"] as? String == "0001-01-01T00:00:00Z")

        isFailed.store(false, ordering: .relaxed)
        await hook.received(2)
        #expect(hook.requests[1].text.contains(#""status":"resolved""#))
        let seen = try await client.talk { socket in
            _ = socket.write(
                Array("GET /api/v1/stream/alerts?last_event_id=another-1 HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            var text = ""
            while !text.contains("event: resolved"), let chunk = socket.read() {
                text += String(decoding: chunk, as: UTF8.self)
            }
            return text
        }
        #expect(seen.contains("event: firing"))
        #expect(seen.contains("event: resolved"))
        let metrics = try await client.get("/metrics").text
        #expect(metrics.contains(#"tocsin_alerts_posted_invalid_total{pipeline="default"} 0"#))
        #expect(await tocsin.terminate() == 0)
        hook.stop()
        job.stop()
    }

    /// Evaluates each second whether the job has failed.
    private func prometheus(
        in folder: TemporaryFolder, sendingTo port: Int, scraping url: String
    ) throws -> TestProcess {
        let target = url.replacing("http://", with: "")
        try folder.write(
            "rules.yml",
            """
            groups:
              - name: jobs
                rules:
                  - {alert: JobFailed, expr: job_failed == 1, annotations: {summary: '{{ $labels.job }} failed'}}
            """)
        let config = try folder.write(
            "prometheus.yml",
            """
            global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: gpu-a}}
            rule_files: [rules.yml]
            scrape_configs: [{job_name: training, static_configs: [{targets: ['\(target)']}]}]
            alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:\(port)']}]}]}
            """)
        return try TestProcess(
            "prometheus",
            [
                "--config.file=\(config.path)", "--storage.tsdb.path=\(folder.path("tsdb"))",
                "--web.listen-address=127.0.0.1:0", "--log.level=error",
            ])
    }
}
