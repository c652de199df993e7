import Foundation
import Sources
import Streams
import TestKit
import Testing

@Suite struct ExpositionFormatTests {
    @Test func `the Accept header is Prometheus's, with protobuf where histograms are wanted`() {
        #expect(
            ScrapeProtocol.acceptHeader(ScrapeProtocol.standardForHistograms).hasPrefix(
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"))
        #expect(
            ScrapeProtocol.acceptHeader()
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        #expect(ScrapeProtocol.acceptHeader([.text0]) == "text/plain;version=0.0.4;q=0.6,*/*;q=0.5")
    }

    static let answers: [(String?, ScrapeProtocol?, ScrapeEncoding?)] = [
        ("text/plain; version=0.0.4; charset=utf-8", nil, .text(.text)), ("text/plain", nil, .text(.text)),
        ("TEXT/PLAIN", nil, .text(.text)),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", nil, .text(.openMetrics)), (nil, nil, nil),
        ("", nil, nil),
        ("", .text0, .text(.text)), ("text/html", nil, nil), ("text/html", .openMetrics1, .text(.openMetrics)),
        (
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", nil,
            .protobuf
        ),
        ("text/html", .protobuf, .protobuf), ("application/json; charset=utf-8", .text1, .text(.text)),
        ("text/plain", .openMetrics1, .text(.text)),
    ]

    @Test("An answer is read by its Content-Type, else by the target's fallback", arguments: answers)
    func negotiates(_ example: (String?, ScrapeProtocol?, ScrapeEncoding?)) {
        do throws(ExpositionError) {
            let encoding = try ScrapeEncoding.negotiated(contentType: example.0, fallback: example.1)
            #expect(encoding == example.2)
        } catch {
            #expect(example.2 == nil && error.kind == .format && error.reason.contains("fallback_scrape_protocol"))
        }
    }

    private static let script = """
        import sys
        import prometheus_client as p, prometheus_client.openmetrics.exposition as om
        r = p.CollectorRegistry()
        c = p.Counter('jobs', 'Jobs, "quoted" \\\\ and\\nbroken.', ['kind'], registry=r)
        c.labels('a"b\\\\c\\nd').inc(3); c.labels('ü').inc(0.1, {'trace_id': 'x'})
        g = p.Gauge('progress_ratio', 'P', registry=r); g.set(float('nan'))
        h = p.Histogram('step_seconds', 'S', ['rank'], registry=r); h.labels('0').observe(0.3, {'trace_id': 'y'})
        s = p.Summary('load', 'L', registry=r); s.observe(1e300)
        i = p.Info('build', 'B', registry=r); i.info({'version': '1'})
        e = p.Enum('state', 'E', states=['up', 'down'], registry=r); e.state('down')
        out = om.generate_latest(r) if sys.argv[1] == 'om' else p.generate_latest(r)
        sys.stdout.buffer.write(out)
        """

    @Test(arguments: ["text", "om"])
    func `what prometheus_client exposes is read, strictly too`(_ kind: String) async throws {
        let bytes: [UInt8]
        do {
            bytes = try await TestProcess.output(TestProcess.python, ["-c", Self.script, kind])
        } catch {
            print("python with prometheus_client is not there, not checked: \(error)")
            return
        }
        var target = ScrapedTarget()
        let format: ExpositionFormat = kind == "om" ? .openMetrics : .text
        let samples = try target.scrape(bytes: bytes, format)
        #expect(samples.contains(#"jobs_total{kind="a\"b\\c\nd"} 3 @1000"#))
        #expect(samples.contains("jobs_total{kind=\"ü\"} 0.1 @1000"))
        #expect(samples.contains("progress_ratio NaN @1000"))
        #expect(samples.contains(#"step_seconds_bucket{le="0.5", rank="0"} 1 @1000"#))
        #expect(samples.contains(#"step_seconds_bucket{le="+Inf", rank="0"} 1 @1000"#))
        #expect(samples.contains("load_sum 1e+300 @1000"))
        #expect(samples.contains(#"build_info{version="1"} 1 @1000"#))
        #expect(samples.contains(#"state{state="down"} 1 @1000"#))
        #expect(Set(try target.scrape(bytes: bytes, format)) == Set(samples))
        #expect(target.unknownCount == 0)
        if kind == "text" {
            let families = try bytes.withUnsafeBytes { try StrictExposition.parse($0) }
            #expect(families.first { $0.name == "step_seconds" }?.type == .histogram)
            #expect(families.first { $0.name == "jobs_total" }?.help == "Jobs, \"quoted\" \\ and\nbroken.")
            #expect(families.reduce(0) { $0 + $1.samples.count } == samples.count)
        }
    }
}
