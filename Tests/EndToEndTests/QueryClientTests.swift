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
        text += "# TYPE loss gauge\n"
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

    /// `promtool query analyze` of newer versions posts a selector over a range, and looks at what comes: the floats of
    /// classic buckets, or native histograms with their buckets.
    @Test func `what promtool's analysis of histograms asks is answered as it reads it`() async throws {
        try await Self.withSeries { _, client, now in
            var text = ""
            for step in 0..<3 {
                for (bound, count) in [("0.1", 1), ("1", 3), ("+Inf", 3)] {
                    text += "latency_bucket{le=\"\(bound)\"} \(count * (step + 1)) \(now - 30 + step * 10)000\n"
                }
            }
            #expect(try await client.send("POST", "/api/v1/import/prometheus", text: text).status == 204)
            let form = "query=latency_bucket%5B1h0m0s%5D&time=\(now).25"
            let answer = try await client.send(
                "POST", "/api/v1/query", headers: ["Content-Type": "application/x-www-form-urlencoded"], text: form)
            #expect(answer.status == 200)
            let data = try #require(try answer.json()["data"] as? NSDictionary)
            #expect(data["resultType"] as? String == "matrix")
            let series = try #require(data["result"] as? [NSDictionary])
            #expect(series.count == 3)
            for one in series {
                #expect((one["metric"] as? [String: String])?["__name__"] == "latency_bucket")
                #expect((one["values"] as? [[Any]])?.count == 3)
                #expect(one["histograms"] == nil)
            }
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
        chunks = client.get_metric_range_data(
            'loss', {'job': 'bert'}, now - datetime.timedelta(seconds=100), now, chunk_size=datetime.timedelta(seconds=50))
        print(len(chunks), [len(c['values']) for c in chunks])
        print(client.get_metric_metadata('loss')[0]['type'], client.get_metric_metadata('nothing'))
        print(client.get_target_metadata({'job': 'bert'}, 'loss'))
        with PrometheusConnect(url=sys.argv[1], method='POST') as posting:
            print(posting.custom_query('loss{job="bert"} * 2')[0]['value'][1])
            print(len(posting.custom_query_range('loss', now - datetime.timedelta(seconds=20), now, '10')))
            print(posting.check_prometheus_connection())
        try:
            client.custom_query('sum(')
        except Exception as error:
            print('parse error' in str(error))
        """

    /// Needs numpy on the side of the client.
    private static let aggregation = """
        import datetime, sys
        from prometheus_api_client import PrometheusConnect
        client = PrometheusConnect(url=sys.argv[1], disable_ssl=True)
        now = datetime.datetime.fromtimestamp(int(sys.argv[2]))
        operations = ['sum', 'max', 'min', 'variance', 'percentile_50', 'deviation', 'average']
        whole = client.get_metric_aggregation("loss{job='bert'}", operations, now - datetime.timedelta(seconds=20), now, '10')
        print(whole['max'], whole['min'], whole['sum'], whole['average'], whole['percentile_50.0'])
        one = client.get_metric_aggregation("loss{job='bert'}", operations)
        print(len(one) == len(operations))
        """

    /// What a script prints that asks the program; nil where its modules are not there.
    private static func printed(by script: String, importing modules: String) async throws -> [String]? {
        let probe = try await TocsinProcess.outcome(of: TestProcess.python, ["-c", "import \(modules)"])
        guard probe.status == 0 else {
            print("\(modules): not there, not checked")
            return nil
        }
        let lines = Lines()
        try await withSeries { _, client, now in
            let outcome = try await TocsinProcess.outcome(
                of: TestProcess.python, ["-c", script, "http://127.0.0.1:\(client.port)", "\(now)"])
            #expect(outcome.status == 0, "\(outcome.errors)")
            lines.texts = outcome.output.split(separator: "\n").map(String.init)
        }
        return lines.texts
    }

    private final class Lines {
        var texts: [String] = []
    }

    @Test func `prometheus-api-client reads metrics, labels, series and ranges`() async throws {
        guard let lines = try await Self.printed(by: Self.script, importing: "prometheus_api_client") else { return }
        #expect(
            lines == [
                "['loss']", "['__name__', 'job']", "['bert', 'llama']", "['bert', 'llama']", "['10.5']", "21",
                "['8.5', '9.5', '10.5']", "2 [] []", "2 [5, 5]", "gauge []", "[]", "21", "2", "True", "True",
            ])
    }

    @Test func `prometheus-api-client aggregates what it reads`() async throws {
        guard let lines = try await Self.printed(by: Self.aggregation, importing: "prometheus_api_client, numpy")
        else { return }
        #expect(lines == ["10.5 8.5 28.5 9.5 9.5", "True"])
    }
}
