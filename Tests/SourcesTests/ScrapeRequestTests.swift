import Foundation
import Sources
import Streams
import TestKit
import Testing
import Transport

@Suite struct ScrapeRequestTests {
    /// What one scrape of a job asks its target for.
    private func request(_ change: (inout ScrapeSettings) -> Void) async throws -> TestHTTPServer.Request {
        let target = try TestTarget("a 1\n")
        try await ScrapeBench.run(.job(target.address, change)) { await $0.scrape() }
        return try #require(target.server.requests.first)
    }

    @Test func `a plain job asks as Prometheus does`() async throws {
        let request = try await request { $0.timeout = .milliseconds(1500) }
        #expect(request.method == "GET" && request.path == "/metrics")
        #expect(
            request.headers["accept"]
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        #expect(request.headers["accept-encoding"] == "gzip")
        #expect(request.headers["x-prometheus-scrape-timeout-seconds"] == "1.5")
        #expect(request.headers["authorization"] == nil)
    }

    @Test func `path, parameters, compression and protocols are the job's`() async throws {
        let request = try await request {
            $0.metricsPath = "/probe"
            $0.parameters = [.init("target", ["a b&c"]), .init("module", ["x", "y"])]
            $0.acceptsGzip = false
            $0.protocols = [.text0]
        }
        #expect(request.path == "/probe?module=x&module=y&target=a%20b%26c")
        #expect(request.headers["accept"] == "text/plain;version=0.0.4;q=0.6,*/*;q=0.5")
        #expect(request.headers["accept-encoding"] == nil)
    }

    @Test func `who asks says who it is`() async throws {
        let basic = try await request {
            $0.http.authentication = .basic(user: SecretText("me"), password: SecretText("pass"))
        }
        #expect(basic.headers["authorization"] == "Basic bWU6cGFzcw==")
        let bearer = try await request { $0.http.authentication = .credentials(scheme: "Bearer", SecretText("tok")) }
        #expect(bearer.headers["authorization"] == "Bearer tok")
    }

    @Test func `a password file that can't be read is the reason`() async throws {
        let target = try TestTarget("a 1\n")
        let settings = ScrapeSettings.job(target.address) {
            $0.http.authentication = .credentials(scheme: "Bearer", .file("/no/such/file"))
        }
        try await ScrapeBench.run(settings) { bench async throws in
            await bench.scrape()
            #expect(try await bench.report("up") == ["0 @0"])
            #expect(bench.error == "can't read /no/such/file: no such file or directory")
            #expect(target.server.requests.isEmpty)
        }
    }

    @Test func `a compressed answer is read`() async throws {
        let zipped = try #require(Data(base64Encoded: "H4sIAAAAAAACA6vKLChITVEw5AIAugs5UAkAAAA="))
        let target = try TestTarget()
        target.answer(
            .respond(
                200, headers: ["Content-Type": "text/plain", "Content-Encoding": "gzip"], body: Array(zipped)))
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            #expect(try await bench.samples("zipped").values.first == ["1 @0"])
        }
    }

    @Test func `the answer's type says how it is read, else the job's fallback`() async throws {
        let target = try TestTarget()
        target.answer(.metrics("# TYPE a counter\na_total 1\n# EOF\n", type: "application/openmetrics-text"))
        try await ScrapeBench.run(.job(target.address)) { bench async throws in
            await bench.scrape()
            #expect(try await bench.samples("a_total").values.first == ["1 @0"])
            #expect(try await bench.report("scrape_samples_scraped") == ["1 @0"])
        }
        target.answer(.text(200, "a 1\n"))
        try await ScrapeBench.run(.job(target.address) { $0.fallbackProtocol = .text0 }) { bench async throws in
            await bench.scrape()
            #expect(try await bench.samples("a").values.first == ["1 @0"])
        }
    }

    @Test func `a target behind TLS is trusted by its authority, and shown the job's own certificate`() async throws {
        let program = try String(contentsOfFile: TestCertificates.fixture("https_server.py"), encoding: .utf8)
            .replacing(
                "self.send_header(\"Content-Length\"",
                with: "self.send_header(\"Content-Type\", \"text/plain\");"
                    + "body = f'who{{name=\"{names[0]}\"}} 1\\n'.encode();self.send_header(\"Content-Length\"")
        let folder = try TemporaryFolder()
        let server = try TestProcess(
            TestProcess.python,
            [try folder.write("server.py", program).path]
                + ["server.pem", "server.key", "ca.pem"].map { try TestCertificates.path($0) })
        let port = try #require(await server.line())
        let authority = TLSSettings.PEM.file(try TestCertificates.path("ca.pem"))
        let settings = ScrapeSettings.job("localhost:\(port)") {
            $0.scheme = "https"
            $0.http.tls = TLSSettings(authorities: authority)
        }
        var known = settings
        known.http.tls.certificate = .file(try TestCertificates.path("client.pem"))
        known.http.tls.key = .file(try TestCertificates.path("client.key"))
        try await ScrapeBench.run(known) { bench async throws in
            await bench.scrape()
            #expect(bench.error == "")
            #expect(
                try await bench.samples("who") == [#"who{instance="t", job="j", name="client"}"#: ["1 @0"]])
        }
        try await ScrapeBench.run(settings) { bench async throws in
            await bench.scrape()
            #expect(try await bench.report("up") == ["0 @0"])
            #expect(bench.error.contains("localhost:\(port)"), "\(bench.error)")
        }
        var untrusting = settings
        untrusting.http.tls = TLSSettings()
        try await ScrapeBench.run(untrusting) { bench async throws in
            await bench.scrape()
            #expect(
                bench.error.hasPrefix("TLS with localhost:\(port): SSL certificate problem: "), "\(bench.error)")
        }
    }

    @Test func `a program that uses prometheus_client is scraped`() async throws {
        guard (try? await TestProcess.output(TestProcess.python, ["-c", "import prometheus_client"])) != nil else {
            let isRequired = ProcessInfo.processInfo.environment["TOCSIN_CONFORMANCE_REQUIRED"] != nil
            #expect(!isRequired, "prometheus_client is missing")
            print("prometheus_client: not there, not checked")
            return
        }
        let program = """
            import sys, prometheus_client as p
            p.Counter("steps", "Steps done.", ["job"]).labels("a").inc(3)
            p.Gauge("loss", "Loss.").set(0.25)
            p.Histogram("step_seconds", "Time.", buckets=[1, 2]).observe(1.5)
            server, thread = p.start_http_server(0, addr="127.0.0.1")
            print(server.server_port, flush=True)
            sys.stdin.read()
            """
        let process = try TestProcess(TestProcess.python, ["-c", program])
        let port = try #require(await process.line())
        try await ScrapeBench.run(.job("127.0.0.1:\(port)")) { bench async throws in
            await bench.scrape()
            #expect(bench.error == "")
            #expect(
                try await bench.samples("steps_total") == [
                    #"steps_total{exported_job="a", instance="t", job="j"}"#: ["3 @0"]
                ])
            #expect(try await bench.samples("loss").values.first == ["0.25 @0"])
            #expect(
                try await bench.samples("step_seconds_bucket") == [
                    #"step_seconds_bucket{instance="t", job="j", le="1.0"}"#: ["0 @0"],
                    #"step_seconds_bucket{instance="t", job="j", le="2.0"}"#: ["1 @0"],
                    #"step_seconds_bucket{instance="t", job="j", le="+Inf"}"#: ["1 @0"],
                ])
            #expect(try await bench.report("up") == ["1 @0"])
        }
    }
}
