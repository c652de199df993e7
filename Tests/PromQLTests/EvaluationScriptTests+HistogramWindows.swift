extension EvaluationScriptTests {
    static let histogramWindows = [
        Case(
            "a steady histogram rises by its slope",
            """
            load 15s
              latency {{count:4 sum:6 buckets:[1 3]}}+{{count:8 sum:12 buckets:[2 6]}}x20
            eval instant at 5m increase(latency[1m])
              expect no_warn
              {} {{count:32 sum:48 counter_reset_hint:gauge buckets:[8 24]}}
            eval instant at 5m rate(latency[1m]) * 60
              {} {{count:32 sum:48 counter_reset_hint:gauge buckets:[8 24]}}
            eval instant at 5m histogram_count(rate(latency[1m]))
              {} 0.5333333333333333
            eval instant at 5m delta(latency[1m])
              expect warn msg: PromQL warning: this native histogram metric is not a gauge: "latency" (1:7)
              {} {{count:32 sum:48 counter_reset_hint:gauge buckets:[8 24]}}
            """),
        Case(
            "a bucket that falls is a reset, though the count rises",
            """
            load 1m
              latency {{count:5 sum:5 buckets:[5]}} {{count:6 sum:9 buckets:[1 5]}} {{count:8 sum:12 buckets:[1 7]}}
            eval instant at 2m resets(latency[5m])
              {} 1
            eval instant at 2m changes(latency[5m])
              {} 2
            eval instant at 2m irate(latency[5m]) * 60
              {} {{count:2 sum:3 offset:1 buckets:[2]}}
            eval instant at 1m irate(latency[5m]) * 60
              {} {{count:6 sum:9 buckets:[1 5]}}
            """),
        Case(
            "a gauge is no counter",
            """
            load 1m
              depth {{count:5 sum:5 buckets:[5] counter_reset_hint:gauge}} {{count:3 sum:2 buckets:[3] counter_reset_hint:gauge}}
            eval instant at 1m idelta(depth[5m])
              expect no_warn
              {} {{count:-2 sum:-3 counter_reset_hint:gauge buckets:[-2]}}
            eval instant at 1m increase(depth[2m])
              expect warn msg: PromQL warning: this native histogram metric is not a counter: "depth" (1:10)
              {} {{count:6 sum:4 counter_reset_hint:gauge buckets:[6]}}
            """),
        Case(
            "sums, means, counts and ends of a range",
            """
            load 1m
              h {{count:1 sum:1 buckets:[1]}} {{count:3 sum:5 buckets:[1 2]}} {{count:5 sum:9 buckets:[1 4]}}
            eval instant at 2m sum_over_time(h[5m])
              {} {{count:9 sum:15 buckets:[3 6]}}
            eval instant at 2m avg_over_time(h[5m])
              {} {{count:3 sum:5 buckets:[1 2]}}
            eval instant at 2m count_over_time(h[5m])
              {} 3
            eval instant at 2m first_over_time(h[5m])
              h {{count:1 sum:1 buckets:[1]}}
            eval instant at 2m last_over_time(h[1m:30s])
              h {{count:5 sum:9 buckets:[1 4]}}
            eval instant at 2m max_over_time(h[5m])
              expect no_info
            """),
        Case(
            "floats and histograms in one range",
            """
            load 1m
              m 1 2 {{count:1}} 4
            eval instant at 3m rate(m[5m])
              expect warn msg: PromQL warning: encountered a mix of histograms and floats for metric name "m" (1:6)
            eval instant at 3m sum_over_time(m[5m])
              expect warn msg: PromQL warning: encountered a mix of histograms and floats for metric name "m" (1:15)
            eval instant at 3m max_over_time(m[5m])
              expect info msg: PromQL info: ignored histograms in a range containing both floats and histograms for metric name "m" (1:15)
              {} 4
            eval instant at 3m resets(m[5m])
              {} 2
            eval instant at 3m changes(m[5m])
              {} 3
            eval instant at 3m idelta(m[5m])
              expect warn
            eval instant at 1m idelta(m[5m])
              {} 1
            eval instant at 3m present_over_time(m[5m])
              {} 1
            """),
        Case(
            "smoothed draws a line between histograms",
            """
            load 1m
              h {{count:2 sum:2 buckets:[2]}} {{count:6 sum:10 buckets:[2 4]}} {{count:8 sum:20 buckets:[4 4]}}
            eval instant at 30s h smoothed
              h {{count:4 sum:6 buckets:[2 2]}}
            eval instant at 90s increase(h[1m] smoothed)
              {} {{count:3 sum:9 buckets:[1 2] counter_reset_hint:gauge}}
            eval instant at 90s increase(h[1m] anchored)
              {} {{count:4 sum:8 offset:1 buckets:[4] counter_reset_hint:gauge}}
            eval instant at 90s h[1m] smoothed
              expect fail msg: smoothed modifier is not supported with histograms
            """),
        Case(
            "a range vector has histograms that were computed on the way",
            """
            load 1m
              m {{count:2}}x2
            eval instant at 2m (m * 2)[2m:1m]
              expect range vector from 1m to 2m step 1m
              {} {{count:4}}x1
            """),
        Case(
            "a quantile that changes from step to step changes its label",
            """
            load 1m
              m {{count:2 sum:3 buckets:[0 2]}}x2
            eval range from 1m to 2m step 1m histogram_quantiles(m, "q", time() / 120)
              {q="0.5"} 1.4142135623730951
              {q="1.0"} _ 2
            """),
        Case(
            "a range query has floats and histograms side by side",
            """
            load 1m
              m 1 {{count:2}} stale 4
            eval range from 0 to 3m step 1m m
              m 1 {{count:2}} _ 4
            eval instant at 3m m[5m]
              expect range vector from 0 to 3m step 1m
              m 1 {{count:2}} _ 4
            """),
    ]

}
