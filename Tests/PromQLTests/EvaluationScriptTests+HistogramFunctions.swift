extension EvaluationScriptTests {
    static let histogramFunctions = [
        Case(
            "facts of a histogram",
            """
            load 1m
              h {{count:4 sum:8 buckets:[0 0 2 2]}}
              c {{schema:-53 count:4 sum:8 custom_values:[1 3] buckets:[0 4]}}
              f 1
            eval instant at 0 histogram_count(h)
              {} 4
            eval instant at 0 histogram_sum(h)
              {} 8
            eval instant at 0 histogram_avg(h)
              {} 2
            eval instant at 0 histogram_stdvar(c)
              {} 0
            eval instant at 0 histogram_stddev(h)
              {} 2.6513085922847344
            eval instant at 0 histogram_sum(f)
            eval instant at 0 abs(h)
            eval instant at 0 clamp_min({__name__=~"f|h"}, 3)
              {} 3
            eval instant at 0 timestamp(h)
              {} 0
            """),
        Case(
            "a quantile is interpolated exponentially, in custom buckets evenly",
            """
            load 1m
              h {{count:4 sum:8 offset:1 buckets:[2 2]}}
              c {{schema:-53 count:4 sum:8 custom_values:[1 3] buckets:[2 2]}}
              z {{count:4 sum:1 z_bucket:4 z_bucket_w:0.5}}
            eval instant at 0 histogram_quantile(0.25, h)
              {} 1.4142135623730951
            eval instant at 0 histogram_quantile(0.75, c)
              {} 2
            eval instant at 0 histogram_quantile(0.5, z)
              {} 0
            eval instant at 0 histogram_quantile(1.5, h)
              expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:20)
              {} Inf
            eval instant at 0 histogram_quantiles(c, "q", 0.25, 1)
              {q="0.25"} 0.5
              {q="1.0"} 3
            """),
        Case(
            "a fraction is the quantile's inverse",
            """
            load 1m
              h {{count:4 sum:8 offset:1 buckets:[2 2]}}
              n {{count:4 sum:-8 n_offset:1 n_buckets:[2 2]}}
            eval instant at 0 histogram_fraction(1, 2, h)
              {} 0.5
            eval instant at 0 histogram_fraction(-Inf, 1.4142135623730951, h)
              {} 0.25
            eval instant at 0 histogram_fraction(-2, 0, n)
              {} 0.5
            eval instant at 0 histogram_fraction(3, 2, h)
              {} 0
            """),
        Case(
            "observations that are no numbers are told of",
            """
            load 1m
              h {{count:8 sum:NaN buckets:[2 2]}}
            eval instant at 0 histogram_quantile(0.9, h)
              expect info msg: PromQL info: input to histogram_quantile has NaN observations, result is NaN (1:25)
              {} NaN
            eval instant at 0 histogram_quantile(0.25, h)
              expect info msg: PromQL info: input to histogram_quantile has NaN observations, result is skewed higher (1:26)
              {} 1
            eval instant at 0 histogram_fraction(-Inf, +Inf, h)
              expect info msg: PromQL info: input to histogram_fraction has NaN observations, which are excluded from all fractions (1:32)
              {} 0.5
            """),
        Case(
            "a classic and a native histogram of one name hide each other",
            """
            load 1m
              h {{count:4 sum:8 offset:1 buckets:[2 2]}} _
              h{le="1"} 1 1
              h{le="+Inf"} 2 2
              other {{count:4 sum:8 offset:1 buckets:[2 2]}}
            eval instant at 0 histogram_quantile(0.5, {__name__=~"h|other"})
              expect warn msg: PromQL warning: vector contains a mix of classic and native histograms (1:25)
              {} 2
            """),
        Case(
            "classic histograms become native ones with custom buckets",
            """
            load_with_nhcb 1m
              t_bucket{le="1"} 1 3
              t_bucket{le="5"} 1 4
              t_bucket{le="+Inf"} 2 6
              t_sum 9 30
              t_count 2 6
            eval instant at 1m t
              t {{schema:-53 count:6 sum:30 custom_values:[1 5] buckets:[3 1 2]}}
            eval instant at 0 t
              t {{schema:-53 count:2 sum:9 custom_values:[1 5] buckets:[1 0 1]}}
            """),
    ]
}
