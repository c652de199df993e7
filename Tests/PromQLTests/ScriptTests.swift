import PromQL
import Testing

@Suite struct ScriptTests {
    @Test(
        "A case that does not hold is reported",
        arguments: [
            "eval instant at 0 m\n  m 2", "eval instant at 0 m", "eval instant at 0 m\n  m 1\n  n 1",
            "eval instant at 0 m\n  expect fail\n", "eval instant at 0 1\n  2",
            "eval instant at 0 m\n  expect warn\n  m 1",
            "eval instant at 4m rate(m[5m])\n  expect no_info\n  {} 0.1", "eval instant at 0 m m\n  m 1",
            "eval range from 0 to 2m step 1m m\n  m 1 2", "eval instant at 0 h\n  h {{count:2 sum:3}}",
            "eval instant at 0 h\n  h {{count:2 sum:1 counter_reset_hint:gauge}}", "eval instant at 0 h\n  h 2",
            "eval instant at 0 m\n  m {{}}", "load 1m\n  g {{schema:9}}", "load 1m\n  g {{count:-1}}",
            "load_with_nhcb 1m\n  c_bucket{le=\"1\"} 2\n  c_bucket{le=\"2\"} 1",
            "eval instant at 0 n\n  expect string \"x\"",
        ])
    func reports(_ example: String) async throws {
        var player = ScriptPlayer(settings: EvaluationSettings())
        let outcomes = try await player.play(
            PromQLScript("load 1m\n  m 1 2 3 4 5\n  h {{count:2 sum:1}}\n\n" + example))
        #expect(outcomes.count == 1)
        guard case .failed = outcomes.first?.verdict else { return #expect(Bool(false), "\(outcomes)") }
    }

    @Test func `an instant that looks at the end of its query is the same when it is asked again from elsewhere`()
        async throws
    {
        var player = ScriptPlayer(settings: EvaluationSettings())
        let outcomes = try await player.play(
            PromQLScript(
                """
                load 1m
                  m 1 2 3 4 5

                eval instant at 2m sum_over_time((m @ end())[2m:1m])
                  {} 6

                eval instant at 2m sum_over_time(sum_over_time(m[1m] @ start())[2m:1m] offset 1m)
                  {} 6

                eval instant at 2m m @ end()
                  m 3
                """))
        #expect(outcomes.map(\.verdict) == [.passed, .passed, .passed])
    }

    @Test(
        "A script that can't be read says where",
        arguments: [
            ("lod 1m", "line 1: unknown command \"lod\"; known are clear, load and eval"),
            ("clear\nload", "line 2: load needs a step: load 1m"),
            ("load 1m\n  m 1 oops", "line 2:"),
            ("eval instant at soon m", "line 1:"),
            ("eval instant at 0 m\n  expect magic", "line 2: unknown expectation \"magic\""),
            ("eval instant at 0 m\n  expect warn regex: (", "line 2:"),
            ("load 1m\n  m@st -1mx\n  m 1", "line 2: wrong start timestamp \"-1mx\""),
            ("load 1m\n  m@st -1m\n  m 1 2", "line 3: the start timestamps before this line"),
            ("eval once m", "line 1: eval once: known are instant and range"),
        ])
    func saysWhere(_ text: String, _ problem: String) {
        #expect {
            try PromQLScript(text)
        } throws: { error in
            "\(error)".hasPrefix(problem)
        }
    }
}
