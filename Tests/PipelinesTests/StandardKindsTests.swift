import Pipelines
import Sources
import Streams
import TestKit
import Testing
import YAML

@Suite struct StandardKindsTests {
    private func load(_ text: String) throws -> (plan: PipelinePlan?, problems: String) {
        let folder = try TemporaryFolder()
        try folder.write("p.yml", text)
        do throws(ConfigErrors) {
            let loader = PipelineLoader(environment: Environment([:]))
            return (try loader.load([folder.path("p.yml")]).pipelines.first, "")
        } catch {
            return (nil, error.description.replacing(folder.path(""), with: ""))
        }
    }

    @Test func `global keys are the defaults of every scrape`() throws {
        let (plan, problems) = try load(
            """
            name: p
            global: {scrape_interval: 5s, sample_limit: 100}
            sources:
            - scrape: {job_name: a, static_configs: [{targets: ['a:1']}]}
            - scrape: {job_name: b, scrape_interval: 1m, scrape_timeout: 20s, sample_limit: 7}
            - push: {time_to_live: 1h}
            """)
        #expect(problems == "")
        let jobs = plan?.sources.compactMap { $0.settings as? ScrapeSettings } ?? []
        #expect(jobs.map(\.interval) == [.seconds(5), .seconds(60)])
        #expect(jobs.map(\.timeout) == [.seconds(5), .seconds(20)])
        #expect(jobs.map(\.limits.samplesMax) == [100, 7])
        #expect(plan?.sources.compactMap { $0.settings as? PushSettings }.first?.timeToLive == .seconds(3600))
    }

    @Test("Kinds that later work brings are refused", arguments: ["host", "containers", "gpu"])
    func refuses(kind: String) throws {
        #expect(
            try load("name: p\nsources: [{\(kind): {}}]").problems.hasSuffix(
                "p.yml:2:12: source \"\(kind)\" is not supported yet"))
    }

    @Test func `a timeout longer than the interval is refused`() throws {
        #expect(
            try load("name: p\nglobal: {scrape_interval: 5s, scrape_timeout: 6s}").problems.hasSuffix(
                "p.yml:2:47: the global scrape timeout 6s is longer than the scrape interval 5s"))
    }

    @Test func `a target that relabelling spoils is refused`() throws {
        let (_, problems) = try load(
            """
            name: p
            sources:
            - scrape:
                job_name: a
                static_configs: [{targets: ['a:1']}]
                relabel_configs: [{action: replace, target_label: __address__, replacement: ''}]
            """)
        #expect(problems.contains("p.yml:5:21: target \"a:1\": "))
    }
}
