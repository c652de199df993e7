import Logging
import Sources
import Storage
import Streams
import Synchronization
import TestKit
import Transport

/// A target on a real socket; what it answers next is the test's to say.
final class TestTarget: Sendable {
    private final class Box: Sendable {
        let answer: Mutex<TestHTTPServer.Answer>
        init(_ answer: TestHTTPServer.Answer) { self.answer = Mutex(answer) }
    }

    private let box: Box
    let server: TestHTTPServer

    init(_ text: String = "") throws {
        let box = Box(.metrics(text))
        self.box = box
        server = try TestHTTPServer { _ in box.answer.withLock { $0 } }
    }

    func show(_ text: String) { answer(.metrics(text)) }
    func answer(_ answer: TestHTTPServer.Answer) { box.answer.withLock { $0 = answer } }
    var address: String { "127.0.0.1:\(server.port)" }
}

extension TestHTTPServer.Answer {
    static func metrics(_ text: String, type: String = "text/plain; version=0.0.4") -> TestHTTPServer.Answer {
        .text(200, text, headers: ["Content-Type": type])
    }
}

extension ScrapeSettings {
    /// A job `j` of one target that is called `t`, scraped each ten seconds.
    static func job(_ address: String, _ change: (inout ScrapeSettings) -> Void = { _ in }) -> ScrapeSettings {
        var settings = ScrapeSettings(job: "j", interval: .seconds(10), timeout: .seconds(10))
        settings.targets = [StaticTargets(addresses: [address], labels: ["instance": "t"])]
        change(&settings)
        return settings
    }
}

/// A source that runs, and what it fills.
struct ScrapeBench: Sendable {
    let samples: SampleStore
    let source: ScrapeSource
    /// When the first scrape is due.
    let start: Timestamp
    private let sleepers: Int

    /// Runs a source for as long as the body takes.
    static func run(
        _ settings: ScrapeSettings, samples: SampleStore = SampleStore(), ingest: (any Ingest)? = nil,
        after old: ScrapeSource? = nil,
        _ body: @Sendable (ScrapeBench) async throws -> Void
    ) async throws {
        let client = HTTPClient()
        try client.start()
        let source = try ScrapeSource(
            settings, client: client, ingest: ingest ?? samples.ingest, clock: samples.clock,
            telemetry: samples.telemetry, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        if let old { await source.takeOver(from: old) }
        let count = max(1, source.status.all.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run() }
            await samples.clock.waitForSleepers(count: count)
            let bench = ScrapeBench(
                samples: samples, source: source, start: samples.clock.nextDeadline ?? samples.clock.now(),
                sleepers: count)
            do {
                try await body(bench)
            } catch {
                await client.shutdown()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        await client.shutdown()
    }

    /// Turns the clock to the next scrape, and returns when it has ended.
    func scrape() async {
        await samples.clock.waitForSleepers(count: sleepers)
        if let next = samples.clock.nextDeadline { samples.clock.advance(to: next) }
        await samples.clock.waitForSleepers(count: sleepers)
    }

    /// The samples of a metric: for each series, as `value @milliseconds` since the first scrape.
    func samples(_ name: String) async throws -> [String: [String]] {
        try await samples.samples(name, since: start)
    }

    /// The same of the one series of the target's own metrics.
    func report(_ name: String) async throws -> [String] {
        try await samples(name)[#"\#(name){instance="t", job="j"}"#] ?? []
    }

    var error: String { source.status.all.first?.lastError ?? "no target" }
}
