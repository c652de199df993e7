extension EvaluationScriptTests {
    static let selectors = [
        Case(
            "a sample is seen until it is as old as the lookback",
            """
            load 1m
              gpu_up 1
            eval instant at 4m59s gpu_up
              gpu_up 1
            eval instant at 5m gpu_up
            """),
        Case(
            "a stale marker ends a series at once",
            """
            load 1m
              gpu_up 1 stale _ 2
            eval instant at 59s gpu_up
              gpu_up 1
            eval instant at 2m gpu_up
            eval range from 0 to 4m step 1m gpu_up
              gpu_up 1 _ _ 2 2
            """),
        Case(
            "an absent label has the empty value",
            """
            load 1m
              m{a="x"} 1
              m{b="y"} 2
            eval instant at 0 m{a=""}
              m{b="y"} 2
            eval instant at 0 m{a!=""}
              m{a="x"} 1
            eval instant at 0 m{a=~"x|"}
              m{a="x"} 1
              m{b="y"} 2
            eval instant at 0 m{a!~"x"}
              m{b="y"} 2
            """),
        Case(
            "offset looks back, a negative one ahead, and @ pins the time",
            """
            load 1m
              m 0+1x10
            eval instant at 5m m offset 2m
              m 3
            eval instant at 5m m offset -2m
              m 7
            eval instant at 5m m @ 60
              m 1
            eval range from 1m to 3m step 1m m @ end() offset 1m
              m 2 2 2
            eval range from 1m to 3m step 1m m @ start()
              m 1 1 1
            """),
        Case(
            "a pinned selector inside of a subquery of a single step is found",
            """
            load 1m
              m 0+1x10
            eval instant at 5m30s sum_over_time((m @ 180)[40s:1m])
              {} 3
            eval instant at 5m30s sum_over_time((m @ 180)[140s:1m])
              {} 6
            eval instant at 5m30s sum_over_time(rate(m[2m] @ 180)[40s:1m])
              {} 0.016666666666666666
            """),
        Case(
            "the timestamp of a pinned selector is that of the sample that it selects",
            """
            load 1m
              m 0+1x10
            eval instant at 5m timestamp(m offset 1m)
              {} 240
            eval instant at 5m timestamp(m @ 180)
              {} 180
            eval instant at 5m timestamp(m offset 1m @ 180)
              {} 120
            eval instant at 5m timestamp(m offset -1m @ 180)
              {} 240
            eval instant at 5m m offset 1m @ 180
              m 2
            """),
    ]
}
