import Actors
import Streams
import TestKit
import Testing
import YAML

@Suite struct RoutingSettingsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let problem: String

        init(_ name: String, _ text: String, _ problem: String) {
            testDescription = name
            self.text = text
            self.problem = problem
        }
    }

    static let cases = [
        Case("no route", "inhibit_rules: []", "1:1: no route provided; write route: {receiver: NAME}"),
        Case("a root without receiver", "route: {group_wait: 1s}", "1:8: root route must specify a default receiver"),
        Case(
            "a root with matchers", "route: {receiver: a, matchers: [x=y]}",
            "1:32: root route must not have any matchers; it takes every alert"),
        Case(
            "a root with continue", "route: {receiver: a, continue: true}",
            "1:32: cannot have continue in root route"),
        Case(
            "an unknown receiver", "route: {receiver: a, routes: [{receiver: c}]}",
            #"1:42: undefined receiver "c" used in route; there are a, b"#),
        Case(
            "an empty route", "route: {receiver: a, routes: [null]}",
            "1:31: expected a mapping (a route), found nothing"),
        Case(
            "an unknown interval", "route: {receiver: a, routes: [{mute_time_intervals: [x]}]}",
            #"1:54: undefined time interval "x" used in route; there is none"#),
        Case(
            "a group interval of nothing", "route: {receiver: a, group_interval: 0s}",
            "1:38: group_interval cannot be zero"),
        Case(
            "a repeat interval of nothing", "route: {receiver: a, repeat_interval: 0s}",
            "1:39: repeat_interval cannot be zero"),
        Case(
            "a label twice in group_by", "route: {receiver: a, group_by: [x, x]}",
            #"1:36: duplicated label "x" in group_by"#),
        Case(
            "... beside a label", "route: {receiver: a, group_by: ['...', x]}",
            "1:32: cannot have wildcard group_by (`...`) and other labels at the same time"),
        Case(
            "a bad matcher", "route: {receiver: a, routes: [{matchers: [x]}]}",
            "1:43: bad matcher format: x"),
        Case(
            "an unknown key", "route: {receiver: a, group_wayt: 1s}",
            #"1:22: unknown key "group_wayt" in a route; did you mean "group_wait"?"#),
        Case(
            "two intervals of one name",
            "{route: {receiver: a}, time_intervals: [{name: x}], mute_time_intervals: [{name: x}]}",
            #"1:48: time interval "x" is not unique"#),
        Case(
            "a bad weekday",
            "{route: {receiver: a}, time_intervals: [{name: x, time_intervals: [{weekdays: [mon]}]}]}",
            "1:80: mon is not a valid weekday"),
    ]

    @Test("What is wrong with a routing is told with its place", arguments: cases)
    func problems(_ example: Case) throws {
        let diagnostics = Diagnostics()
        let reader = MappingReader(try Node.parse(example.text, file: "f"), "routing", diagnostics)
        _ = RoutingSettings(reader, receivers: ["a", "b"])
        reader.finish()
        #expect(ConfigErrors(diagnostics.errors).description == "f:\(example.problem)")
    }

    @Test func `an inhibition rule takes matchers old and new`() throws {
        let diagnostics = Diagnostics()
        let text = """
            route: {receiver: a}
            inhibit_rules:
            - name: outage
              source_match: {a: b}
              source_match_re: {c: d.*}
              source_matchers: ['e=f,g!=h']
              target_matchers: [i=j]
              equal: [k]
            -
            """
        let reader = MappingReader(try Node.parse(text), "routing", diagnostics)
        let routing = RoutingSettings(reader, receivers: ["a"])
        reader.finish()
        try diagnostics.check()
        #expect(routing.inhibitRules.count == 2)
        #expect(routing.inhibitRules[0].name == "outage")
        #expect(
            routing.inhibitRules[0].sourceMatchers.alertmanagerText == #"{a="b",c=~"^(?:d.*)$",e="f",g!="h"}"#)
        #expect(routing.inhibitRules[0].equal == ["k"])
        #expect(routing.inhibitRules[1].sourceMatchers.isEmpty)
    }
}
