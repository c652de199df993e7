import Foundation
import TestKit
import Testing

/// Programs that people query a Prometheus with, against the built program.
@Suite struct QueryClientTests {
    private static let pipeline = "name: default\nsources: [{push: {}}]\n"

    private static func withSeries(_ test: (TocsinProcess, LoopbackClient, Int) async throws -> Void) async throws {
        let tocsin = try TocsinProcess(pipeline, in: TemporaryFolder())
        let client = try await tocsin.client()
        let now = Int(Date().timeIntervalSince1970)
        var text = ""
        for step in 0...10 {
            for job in ["bert", "llama"] { text += "loss{job=\"\(job)\"} \(step).5 \(now - 100 + step * 10)000\n" }
        }
        #expect(try await client.send("POST", "/api/v1/import/prometheus", text: text).status == 204)
        try await test(tocsin, client, now)
        #expect(await tocsin.terminate() == 0)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")))
    func `promtool queries instants, ranges, series and labels`() async throws {
        try await Self.withSeries { tocsin, client, now in
            let url = "http://127.0.0.1:\(client.port)"
            func promtool(_ arguments: String...) async throws -> String {
                let outcome = try await TocsinProcess.outcome(of: "promtool", ["query"] + arguments)
                #expect(outcome.status == 0, "\(outcome.errors)")
                return outcome.output
            }
            #expect(try await promtool("instant", url, "sum(loss)", "--time=\(now)") == "{} => 21 @[\(now)]\n")
            let range = try await promtool(
                "range", url, "loss{job='bert'}", "--start=\(now - 10)", "--end=\(now)", "--step=10s")
            #expect(range == "loss{job=\"bert\"} =>\n9.5 @[\(now - 10)]\n10.5 @[\(now)]\n")
            let series = try await promtool("series", url, "--match=loss")
            #expect(series == "{__name__=\"loss\", job=\"bert\"}\n{__name__=\"loss\", job=\"llama\"}\n")
            #expect(try await promtool("labels", url, "job") == "bert\nllama\n")
        }
    }

    private static let script = """
        import datetime, sys
        from prometheus_api_client import PrometheusConnect
        client = PrometheusConnect(url=sys.argv[1], disable_ssl=True)
        now = datetime.datetime.fromtimestamp(int(sys.argv[2]))
        assert client.check_prometheus_connection()
        print(sorted(client.all_metrics()))
        print(client.get_label_names())
        print(client.get_label_values('job'))
        print([s['job'] for s in client.get_series(now - datetime.timedelta(minutes=5), now, params={'match[]': 'loss'})])
        print([r['value'][1] for r in client.get_current_metric_value('loss', label_config={'job': 'bert'})])
        print(client.custom_query('sum(loss)')[0]['value'][1])
        found = client.custom_query_range('loss', now - datetime.timedelta(seconds=20), now, '10s')
        print([v[1] for v in found[0]['values']])
        data = client.get_metric_range_data('loss', start_time=now - datetime.timedelta(seconds=100), end_time=now)
        print(len(data), client.get_targets()['activeTargets'], client.get_scrape_pools())
        """

    @Test func `prometheus-api-client reads metrics, labels, series and ranges`() async throws {
        let probe = try await TocsinProcess.outcome(
            of: TestProcess.python, ["-c", "import prometheus_api_client"])
        guard probe.status == 0 else {
            print("prometheus-api-client is not there, not checked")
            return
        }
        try await Self.withSeries { tocsin, client, now in
            let outcome = try await TocsinProcess.outcome(
                of: TestProcess.python, ["-c", Self.script, "http://127.0.0.1:\(client.port)", "\(now)"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(
                outcome.output.split(separator: "\n") == [
                    "['loss']", "['__name__', 'job']", "['bert', 'llama']", "['bert', 'llama']", "['10.5']", "21",
                    "['8.5', '9.5', '10.5']", "2 [] []",
                ])
        }
    }
}
