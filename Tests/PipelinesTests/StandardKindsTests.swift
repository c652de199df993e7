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

    @Test func `a receiver calls only templates that are there, itself and through others`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "t/a.tmpl",
            #"{{ define "own" }}{{ if .x }}{{ template "gone" }}{{ end }}{{ end }}{{ define "fine" }}{{ end }}"#)
        try folder.write(
            "p.yml",
            """
            name: p
            templates: [t/*.tmpl, none/*.tmpl]
            routing: {route: {receiver: a}}
            sinks:
            - name: a
              slack_configs:
              - api_url: http://s
                title: '{{ template "slack.default.titel" . }}'
                text: '{{ range .Alerts }}{{ template "own" . }}{{ end }}'
                footer: '{{ define "inner" }}{{ template "fine" }}{{ end }}{{ template "inner" }}'
            """)
        let loader = PipelineLoader(environment: Environment([:]))
        let error = #expect(throws: ConfigErrors.self) { try loader.load([folder.path("p.yml")]) }
        #expect(
            error?.errors.map { "\($0.location.line): \($0.problem)" } == [
                #"8: template "slack.default.titel" is not defined; did you mean "slack.default.title"?"#,
                #"9: template "gone" is not defined"#,
            ])
    }

    @Test func `a pattern that no file matches is told, and is no error`() throws {
        let folder = try TemporaryFolder()
        try folder.write("p.yml", "name: p\nrule_files: [rules/*.yml]\ntemplates: ['t/*.tmpl']\n")
        let plan = try PipelineLoader(environment: Environment([:])).load([folder.path("p.yml")])
        #expect(
            plan.notices.map { "\($0.location.line): \($0.text)" } == [
                #"2: no file matches "rules/*.yml""#, #"3: no file matches "t/*.tmpl""#,
            ])
    }

    @Test func `what is nothing counts as not said, as for Prometheus; an empty static config is an error`() throws {
        let (plan, problems) = try load(
            """
            name: p
            global: {scrape_interval: 30s}
            sources:
            - scrape: {job_name: a, scrape_interval: 0s, scrape_timeout: 0, scheme: ''}
            """)
        #expect(problems == "")
        let job = plan?.sources.compactMap { $0.settings as? ScrapeSettings }.first
        #expect(job?.interval == .seconds(30) && job?.timeout == .seconds(10) && job?.scheme == "http")
        #expect(
            try load("name: p\nsources: [{scrape: {job_name: a, static_configs: [null]}}]").problems.hasSuffix(
                "p.yml:2:51: expected a mapping (a static config), found nothing"))
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
