import Foundation
import TestKit
import Testing
import YAML

@testable import Pipelines

@Suite struct FileCheckTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(
            "rules.yml",
            "groups: [{name: g, rules: [{record: a, expr: up}, {alert: B, expr: up}, {alert: B, expr: up > 1}]}]")
        try folder.write("bad.yml", "groups:\n- name: g\n  rules:\n  - {alert: B, expr: sume(up)}\n")
        try folder.write("prometheus.yml", "{rule_files: [rules.yml], scrape_configs: [{job_name: x}]}")
        try folder.write(
            "alertmanager.yml", "{route: {receiver: a}, receivers: [{name: a, webhook_configs: [{url: 'http://x'}]}]}")
        try folder.write("tests.yml", "{rule_files: [rules.yml], tests: [{name: one}]}")
        try folder.write("folder/pipeline.yml", "{name: p, sources: [{push: {}}]}")
        try folder.write("broken.yml", "a: [")
    }

    private func check(_ names: String...) -> (errors: [String], notices: [String], summaries: [String]) {
        let report = FileCheck(environment: Environment([:])).run(names.map { folder.path($0) })
        func texts(_ lines: [String]) -> [String] { lines.map { $0.replacing(folder.url.path + "/", with: "") } }
        return (
            texts(report.errors.map(\.description)), texts(report.notices.map(\.description)), texts(report.summaries)
        )
    }

    @Test func `files are known by their keys, and each is told to be good`() {
        let found = check("rules.yml", "prometheus.yml", "alertmanager.yml", "tests.yml", "folder")
        #expect(found.errors == [])
        #expect(
            found.summaries == [
                "rules.yml: the rules are good: 1 group, 1 recording rule, 2 alerts",
                "prometheus.yml: the prometheus configuration is good: 1 source, 1 recording rule, 2 alerts, 0 receivers",
                "alertmanager.yml: the alertmanager configuration is good: 0 sources, 0 recording rules, 0 alerts, 1 receiver",
                "tests.yml: 1 rule test can be read; \"tocsin test\" runs them",
                "folder/pipeline.yml: pipeline p is good: 1 source, 0 recording rules, 0 alerts, 0 receivers",
            ])
        #expect(
            found.notices == [
                #"rules.yml:1:73: note: rule "B" with the same labels is already in line 1; where both give a series, one of them fails"#
            ])
    }

    @Test func `what is wrong in any of them is told, and nothing else is good`() {
        let found = check("bad.yml", "rules.yml", "broken.yml", "missing.yml")
        #expect(found.summaries == [])
        #expect(found.errors.count == 3)
        #expect(found.errors[0] == #"bad.yml:4:22: unknown function "sume"; did you mean "sum"?"#)
        #expect(found.errors[1].hasPrefix("broken.yml:"))
        #expect(found.errors[2] == "missing.yml:1:1: there is no such file or folder")
    }

    @Test func `a rule file that a configuration names is checked with it`() throws {
        try folder.write("other.yml", "{rule_files: [bad.yml], global: {}}")
        #expect(check("other.yml").errors == [#"bad.yml:4:22: unknown function "sume"; did you mean "sum"?"#])
        #expect(check("rules.yml").errors == [])
    }

    @Test func `a rule file without rules is good`() throws {
        for text in ["groups: []", "", "null", "{}"] {
            try folder.write("none.yml", text)
            #expect(
                check("none.yml").summaries == ["none.yml: the rules are good: 0 groups, 0 recording rules, 0 alerts"])
        }
    }
}
