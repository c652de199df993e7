extension EvaluationScriptTests {
    static let startTimestamps = [
        Case(
            "a count that began inside of the range was zero there",
            """
            load 1m
              steps_total@st -30s -90s -150s
              steps_total 5 7 9
              latency@st -30s
              latency {{count:4 sum:2 buckets:[4]}}
            eval instant at 2m increase(steps_total[3m])
              {} 9
            eval instant at 0 increase(latency[1m])
              {} {{count:4 sum:2 buckets:[4]}}
            eval instant at 0 rate(steps_total[1m] offset 1m)
            """),
        Case(
            "a count that began anew was reset, though it is larger",
            """
            load 1m
              steps_total@st -10mx1 -30s
              steps_total 5 7 9
              latency@st -10mx1 -30s
              latency {{count:5 buckets:[5]}} {{count:7 buckets:[7]}} {{count:9 buckets:[9]}}
            eval instant at 2m resets(steps_total[5m])
              {} 1
            eval instant at 2m irate(steps_total[5m]) * 60
              {} 9
            eval instant at 2m irate(latency[5m]) * 60
              {} {{count:9 buckets:[9]}}
            eval instant at 2m resets(latency[5m])
              {} 1
            eval instant at 1m start_timestamp(steps_total)
              {} -540
            eval instant at 1m start_timestamp(-steps_total)
            """),
        Case(
            "a beginning before the last sample is a mistake of the source",
            """
            load 1m
              steps_total@st -10m -90s
              steps_total 5 7
            eval instant at 1m rate(steps_total[5m])
              expect warn msg: PromQL warning: sample has start time that overlaps with previous sample timestamp for metric "steps_total" (1:6)
              {} 0.01
            """),
    ]
}
