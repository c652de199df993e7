import Actors
import Pipelines
import Sinks
import Streams
import TestKit
import Testing
import YAML

@Suite struct PipelineLoaderTests {
    static let whole = """
        name: training
        evaluation: interval
        global:
          evaluation_interval: 15s
          external_labels: {cluster: gpu-a}
        sources:
        - scrape: {job_name: backend}
        - push: {}
        windows:
        - record: job:progress:rate10m
          expr: rate(progress[10m])
        rules:
        - alert: Failed
          expr: status == 1
          for: 1m
          labels: {severity: critical}
        rule_files: ['rules/*.yml']
        routing:
          route:
            receiver: team
            routes:
            - matchers: [severity="critical"]
              receiver: pager
          time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]
        templates: ['templates/*.tmpl']
        sinks:
        - name: team
          webhook_configs:
          - url: http://${HOST}/team
          - {url: 'http://x/', enabled: false}
          - url: http://y/
        - name: pager
          webhook_configs: [{url: 'http://pager/'}]
        """

    static let rules = """
        groups:
        - name: more
          interval: 1m
          rules: [{alert: Slow, expr: 'job:progress:rate10m < 1'}]
        """

    @Test func `a file of every section becomes a plan`() throws {
        let (loaded, problems, folder) = try load(
            ["training.yml": Self.whole, "rules/a.yml": Self.rules, "templates/x.tmpl": "", "ignored.txt": ""],
            environment: ["HOST": "hooks"])
        #expect(problems == "")
        let plan = try #require(loaded?.pipelines.first)
        #expect(plan.name == "training")
        #expect(plan.evaluation == .interval)
        #expect(plan.global.externalLabels == ["cluster": "gpu-a"])
        #expect(plan.sources.map(\.name) == ["scrape/backend", "push"])
        #expect(plan.ruleGroups.map(\.name) == ["training", "more"])
        #expect(plan.ruleGroups.map(\.interval) == [.seconds(15), .seconds(60)])
        #expect(plan.ruleGroups[0].rules.map(\.name) == ["job:progress:rate10m", "Failed"])
        #expect(plan.routing?.route.receiver == "team")
        #expect(plan.routing?.timeIntervals.keys.sorted() == ["night"])
        #expect(plan.templates == [folder.path("templates/x.tmpl")])
        #expect(plan.receivers.map(\.name) == ["team", "pager"])
        #expect(plan.receiver("team")?.sinks.map(\.index) == [0, 2])
        #expect(
            plan.receiver("team")?.sinks.first
                == SinkSettings(TestSink.self, TestSink.Settings(url: "http://hooks/team")))
        #expect(loaded?.files.count == 2)
        #expect(loaded?.notices == [])
    }

    @Test func `equal files give equal plans, wherever lines moved`() throws {
        let files = ["training.yml": Self.whole, "rules/a.yml": Self.rules, "templates/x.tmpl": ""]
        let (first, _, folder) = try load(files, environment: ["HOST": "hooks"])
        try folder.write("training.yml", "# a comment\n\n" + Self.whole)
        let loader = PipelineLoader(
            environment: Environment(["HOST": "hooks"]), sources: .testing, sinks: [TestSink.self])
        #expect(try loader.load([folder.path("")]).pipelines == first?.pipelines)
        try folder.write("training.yml", Self.whole.replacing("for: 1m", with: "for: 2m"))
        #expect(try loader.load([folder.path("")]).pipelines != first?.pipelines)
    }

    static let bad: [(text: String, problem: String)] = [
        ("sources: []", "p.yml:1:1: key \"name\" is missing in a pipeline"),
        ("name: a b", "p.yml:1:7: a pipeline's name has letters, digits, \"_\" and \"-\" only"),
        ("name: x\nrulez: []", "p.yml:2:1: unknown key \"rulez\" in a pipeline; did you mean \"rules\"?"),
        ("name: x\nevaluation: now", "p.yml:2:13: expected \"streaming\" or \"interval\", found \"now\""),
        ("name: x\nsources: [{host: {}}]", "p.yml:2:12: source \"host\" is not supported yet"),
        (
            "name: x\nstorage: {exemplars: {max_exemplars: -1}}",
            "p.yml:2:38: -1 is not between 0 and 10000000"
        ),
        ("name: x\nstorage: {tsdb: {}}", "p.yml:2:11: key \"tsdb\" in storage is not supported yet"),
        ("name: x\nsources: [{scrap: {}}]", "p.yml:2:12: unknown key \"scrap\" in sources; did you mean \"scrape\"?"),
        (
            "name: x\nsources: [push]",
            "p.yml:2:11: expected a mapping with one key (scrape, push, host), found \"push\""
        ),
        ("name: x\nsources: [{scrape: {}}]", "p.yml:2:20: key \"job_name\" is missing in a probe"),
        (
            "name: x\nsources:\n- scrape: {job_name: a}\n- scrape: {job_name: a}",
            "p.yml:4:11: source \"scrape/a\" is already at p.yml:3:11"
        ),
        ("name: x\nwindows: [{alert: A, expr: up}]", "p.yml:2:19: an alerting rule belongs under \"rules\""),
        ("name: x\nrules: [{record: a, expr: up}]", "p.yml:2:18: a recording rule belongs under \"windows\""),
        (
            "name: x\nrules:\n- {alert: A, expr: up}",
            "p.yml:1:1: the pipeline has alerting rules and no \"routing\", and no pipeline named \"default\" has one; "
                + "add one of the two"
        ),
        (
            "name: x\nwindows:\n- {record: a, expr: up}\n- {record: a, expr: down}",
            "p.yml:4:3: rule \"a\" with the same labels is already in line 3"
        ),
        ("name: x\nwindows: [{record: a, expr: up +}]", "p.yml:2:33: bad expression: unexpected end of input"),
        ("name: x\nrule_files: [none.yml]", "p.yml:2:14: there is no file \"none.yml\""),
        (
            "name: x\ninclude: {prometheus: none.yml}",
            "p.yml:2:23: \"none.yml\": cannot read the file: No such file or directory"
        ),
        (
            "name: x\ninclude: {promteheus: none.yml}",
            "p.yml:2:11: unknown key \"promteheus\" in include; did you mean \"prometheus\"?"
        ),
        ("name: x\nsinks: [{name: a}]", "p.yml:2:9: no alert reaches these sinks: the pipeline has no \"routing\""),
        (
            "name: x\nrouting: {route: {receiver: b}}\nsinks: [{name: a}]",
            "p.yml:2:29: undefined receiver \"b\" used in route; there are a"
        ),
        ("name: x\nrouting: {}\nsinks: [{name: a}]", "p.yml:2:10: no route provided; write route: {receiver: NAME}"),
        (
            "name: x\nrouting: {route: {receiver: a}}\nsinks: [{name: a}, {name: a}]",
            "p.yml:3:27: receiver \"a\" is already at p.yml:3:16"
        ),
        (
            "name: x\nrouting: {route: {receiver: a}}\nsinks: [{name: a, webhook_configs: [{}]}]",
            "p.yml:3:37: key \"url\" is missing in a webhook"
        ),
        (
            "name: x\nrouting: {route: {receiver: a}}\nsinks: [{name: a, sms_configs: [{}]}]",
            "p.yml:3:19: unknown key \"sms_configs\" in a receiver"
        ),
        (
            "name: x\nreceivers: []",
            "p.yml:2:12: key \"receivers\" has no place in a pipeline; write them under \"sinks\", or name the file "
                + "under include.alertmanager"
        ),
        (
            "name: ${NAME}",
            "p.yml:1:7: environment variable \"NAME\" is not set; set it, or write ${NAME:-default}"
        ),
        ("name: x\n---\nname: y", "p.yml:2:1: a second document begins here; only one is allowed in a file"),
        ("", "p.yml:1:1: key \"name\" is missing in a pipeline"),
    ]

    @Test("What is wrong is told with its place", arguments: bad)
    func refuses(text: String, problem: String) throws {
        let (_, problems, _) = try load(["p.yml": text])
        #expect(problems == problem)
    }

    @Test func `the errors of all files are told at once`() throws {
        let (_, problems, _) = try load([
            "a.yml": "name: a\nrulez: 1\nrule_files: [rules/r.yml]", "b.yml": "name: [", "c.yaml": "name: a",
            "rules/r.yml": "groups: [{name: g, rules: [{record: x, expr: 'sum('}]}]",
        ])
        #expect(
            problems == """
                a.yml:2:1: unknown key "rulez" in a pipeline; did you mean "rules"?
                b.yml:1:8: did not find expected node content while parsing a flow node
                c.yaml:1:1: pipeline "a" is already in a.yml
                rules/r.yml:1:51: bad expression: unclosed left parenthesis
                """)
    }

    @Test func `what is not there is told`() throws {
        let (_, problems, _) = try load(["empty/x.txt": ""], paths: ["none.yml", "empty"])
        #expect(
            problems == """
                empty:1:1: the folder has no *.yml or *.yaml file
                none.yml:1:1: there is no such file or folder
                """)
    }

    @Test func `a template file that does not parse is told at its line`() throws {
        let (_, problems, _) = try load([
            "p.yml": "name: p\ntemplates: [t/*.tmpl]", "t/a.tmpl": "{{ define \"x\" }}fine{{ end }}\n{{ nope 1 }}\n",
        ])
        #expect(problems == "t/a.tmpl:2:4: bad template: function \"nope\" not defined")
    }

    @Test func `alerts without a routing go to the default pipeline`() throws {
        let routing = "routing: {route: {receiver: a}}\nsinks: [{name: a}]\n"
        let (plan, problems, _) = try load([
            "a.yml": "name: a\nrules: [{alert: A, expr: up}]", "d.yml": "name: default\n" + routing,
            "o.yml": "name: other\n" + routing,
        ])
        #expect(problems == "")
        #expect(plan?.router(of: "a")?.name == "default")
        #expect(plan?.router(of: "other")?.name == "other")
    }

    @Test func `a push source may be in several pipelines when it is the same`() throws {
        let (plan, problems, _) = try load([
            "a.yml": "name: a\nsources: [{push: same}]", "b.yml": "name: b\nsources: [{push: same}]",
        ])
        #expect(problems == "")
        #expect(plan?.pipelines.count == 2)
        let (_, differing, _) = try load([
            "a.yml": "name: a\nsources: [{push: one}]", "b.yml": "name: b\nsources: [{push: two}]",
        ])
        #expect(differing == "b.yml:2:18: source \"push\" is configured differently at a.yml:2:18")
    }

    @Test func `how many exemplars are kept is said by one pipeline, by several alike, or by prometheus.yml`() throws {
        func exemplars(_ files: [String: String]) throws -> Int? { try load(files).plan?.exemplarsMax }
        let storage = "storage: {exemplars: {max_exemplars: 7}}\n"
        #expect(try exemplars(["a.yml": "name: a\n"]) == 100_000)
        #expect(try exemplars(["a.yml": "name: a\nstorage: {exemplars: }\n"]) == 100_000)
        #expect(try exemplars(["a.yml": "name: a\n", "b.yml": "name: b\n" + storage]) == 7)
        #expect(try exemplars(["a.yml": "name: a\n" + storage, "b.yml": "name: b\n" + storage]) == 7)
        let included = ["etc/p.yml": storage, "a.yml": "name: a\ninclude: {prometheus: etc/p.yml}\n"]
        #expect(try exemplars(included) == 7)
        let different = try load([
            "a.yml": "name: a\n" + storage, "b.yml": "name: b\nstorage: {exemplars: {max_exemplars: 8}}\n",
        ])
        #expect(
            different.problems
                == "b.yml:2:10: storage.exemplars.max_exemplars differs from that of a.yml; all share one store")
    }

    @Test func `a file that is named twice is read once`() throws {
        let (plan, problems, _) = try load(["a.yml": "name: a"], paths: ["", "a.yml"])
        #expect(problems == "")
        #expect(plan?.pipelines.count == 1)
    }

    @Test func `a receiver that no route leads to is noted`() throws {
        let (plan, _, _) = try load([
            "a.yml": "name: a\nrouting: {route: {receiver: a}}\nsinks: [{name: a}, {name: b}]"
        ])
        #expect(plan?.notices.map(\.text) == ["no route leads to receiver \"b\""])
    }
}

@Suite struct IncludeTests {
    static let prometheus = """
        global: {evaluation_interval: 30s, external_labels: {dc: here}}
        rule_files: ['rules.d/*.yml']
        scrape_configs:
        - job_name: node
        scrape_config_files: ['jobs/*.yml']
        alerting:
          alertmanagers: [{static_configs: [{targets: ['am:9093']}]}]
        """

    static let alertmanager = """
        global: {resolve_timeout: 1m}
        route: {receiver: mail}
        templates: ['t/*.tmpl']
        receivers:
        - name: mail
          webhook_configs: [{url: 'http://x/$${HOME}'}]
        """

    static let files = [
        "p.yml": "name: p\nglobal: {evaluation_interval: 10s}\n"
            + "include: {prometheus: etc/prometheus.yml, alertmanager: etc/alertmanager.yml}\n",
        "etc/prometheus.yml": prometheus,
        "etc/alertmanager.yml": alertmanager,
        "etc/rules.d/r.yml": "groups: [{name: g, rules: [{alert: A, expr: up}]}]\n---\nnot read",
        "etc/jobs/j.yml": "scrape_configs: [{job_name: more}]",
        "etc/t/a.tmpl": "",
    ]

    @Test func `whole files of Prometheus and Alertmanager are taken as they are`() throws {
        let (loaded, problems, folder) = try load(Self.files)
        #expect(problems == "")
        let plan = try #require(loaded?.pipelines.first)
        #expect(plan.sources.map(\.name) == ["scrape/node", "scrape/more"])
        #expect(plan.global.evaluationInterval == .seconds(10))
        #expect(plan.global.externalLabels == ["dc": "here"])
        #expect(plan.global.resolveTimeout == .seconds(60))
        #expect(plan.ruleGroups.map(\.name) == ["g"])
        #expect(plan.ruleGroups.first?.interval == .seconds(10))
        #expect(plan.routing?.route.receiver == "mail")
        #expect(plan.templates == [folder.path("etc/t/a.tmpl")])
        #expect(
            plan.receivers.first?.sinks
                == [SinkSettings(TestSink.self, TestSink.Settings(url: "http://x/$${HOME}"))])
        #expect(
            loaded?.notices.map(\.text) == ["these Alertmanagers get no alerts; the pipeline's own routing does"])
    }

    @Test func `what an included file has and the program does not is told`() throws {
        var files = Self.files
        files["etc/prometheus.yml"] = "remote_write: [{url: 'http://x/'}]\nscrape_confgs: []\nremote_read: []\n"
        let (_, problems, _) = try load(files)
        #expect(
            problems == """
                etc/prometheus.yml:1:1: key "remote_write" in a Prometheus configuration is not supported yet
                etc/prometheus.yml:2:1: unknown key "scrape_confgs" in a Prometheus configuration; \
                did you mean "scrape_configs"?
                """)
    }

    @Test func `a variable that Prometheus would fill in is not taken as text`() throws {
        var files = Self.files
        files["etc/prometheus.yml"] = "global: {external_labels: {dc: here, host: 'x-${HOST}'}}\n"
        #expect(
            try load(files).problems
                == "etc/prometheus.yml:1:44: a variable in \"external_labels\" of an included file (write it under the "
                + "pipeline's own \"global\") is not supported yet")
    }

    @Test func `a resolve timeout that no alert can be under is an error`() throws {
        let timeout = "global: {resolve_timeout: 1m}\n"
        let problem =
            "\"resolve_timeout\" is for alerts that are posted to the pipeline, and it takes none: it has no \"routing\", "
            + "and no pipeline named \"default\" has one"
        #expect(try load(["p.yml": "name: p\n" + timeout]).problems == "p.yml:2:27: " + problem)
        let routed = "routing: {route: {receiver: r}}\nsinks: [{name: r}]\n"
        #expect(try load(["p.yml": "name: p\n" + timeout + routed]).problems == "")
        #expect(try load(["p.yml": "name: p\n" + timeout, "q.yml": "name: default\n" + routed]).problems == "")
        #expect(try load(["p.yml": "name: p\n" + timeout, "q.yml": "name: q\n" + routed]).problems == "")
        #expect(try load(["p.yml": "name: p\n"]).problems == "")
    }

    @Test func `rules without a routing use the default one, or the only one that there is`() throws {
        let rules = "name: p\nrules:\n- {alert: A, expr: up}\n"
        let problem =
            "p.yml:1:1: the pipeline has alerting rules and no \"routing\", and no pipeline named \"default\" has one; "
            + "add one of the two"
        func routed(_ name: String) -> String {
            "name: \(name)\nrouting: {route: {receiver: r}}\nsinks: [{name: r}]\n"
        }
        let only = try load(["p.yml": rules, "q.yml": routed("q")])
        #expect(only.problems == "")
        #expect(only.plan?.router(of: "p")?.name == "q")
        #expect(try load(["p.yml": rules, "q.yml": routed("q"), "r.yml": routed("r")]).problems == problem)
        let several = try load(["p.yml": rules, "q.yml": routed("q"), "r.yml": routed("default")])
        #expect(several.problems == "")
        #expect(several.plan?.router(of: "p")?.name == "default")
        #expect(try load(["p.yml": rules, "q.yml": routed("q"), "r.yml": "name: default\n"]).problems == problem)
    }

    @Test func `routing stands in one place`() throws {
        var files = Self.files
        files["p.yml"] = (files["p.yml"] ?? "") + "routing: {route: {receiver: mail}}\n"
        let (_, problems, _) = try load(files)
        #expect(
            problems
                == "p.yml:4:10: \"routing\" and the included Alertmanager configuration exclude each other; leave one")
    }
}
