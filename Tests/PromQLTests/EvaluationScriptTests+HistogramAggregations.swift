extension EvaluationScriptTests {
    static let histogramAggregations = [
        Case(
            "sum, avg, count and group take histograms",
            """
            load 1m
              h{n="1"} {{count:4 sum:5 buckets:[1 3]}}
              h{n="2"} {{count:8 sum:9 offset:1 buckets:[2 6]}}
            eval instant at 0 sum(h)
              {} {{count:12 sum:14 buckets:[1 5 6]}}
            eval instant at 0 avg(h)
              {} {{count:6 sum:7 buckets:[0.5 2.5 3]}}
            eval instant at 0 count(h)
              {} 2
            eval instant at 0 group by (n) (h)
              {n="1"} 1
              {n="2"} 1
            """),
        Case(
            "a mean goes on where the sum would be too large",
            """
            load 1m
              h{n="1"} {{count:2 sum:1.7e308 buckets:[1 1]}}
              h{n="2"} {{count:2 sum:1.7e308 buckets:[1 1]}}
              h{n="3"} {{count:2 sum:1.4e308 buckets:[1 1]}}
            eval instant at 0 avg(h)
              {} {{count:2 sum:1.6e308 buckets:[1 1]}}
            eval instant at 0 sum(h)
              {} {{count:6 sum:Inf buckets:[3 3]}}
            """),
        Case(
            "floats and histograms in one group give nothing, and a warning",
            """
            load 1m
              m{n="1",kind="a"} {{count:1}}
              m{n="2",kind="a"} 1
              m{n="3",kind="b"} 5
              m{n="4",kind="c"} {{schema:-53 custom_values:[1]}}
              m{n="5",kind="c"} {{count:1}}
            eval instant at 0 sum by (kind) (m{kind!="c"})
              expect warn msg: PromQL warning: encountered a mix of histograms and floats for aggregation (1:16)
              {kind="b"} 5
            eval instant at 0 avg by (kind) (m{kind="c"})
              expect warn msg: PromQL warning: vector contains a mix of histograms with exponential and custom buckets schemas for metric name "m" (1:16)
            """),
        Case(
            "what compares values ignores histograms, and says so",
            """
            load 1m
              m{n="1"} {{count:1}}
              m{n="2"} 2
            eval instant at 0 max(m)
              expect info msg: PromQL info: ignored histogram in max aggregation (1:5)
              {} 2
            eval instant at 0 stddev(m)
              expect info msg: PromQL info: ignored histogram in stddev aggregation (1:8)
              {} 0
            eval instant at 0 quantile(0.5, m)
              expect info msg: PromQL info: ignored histogram in quantile aggregation (1:15)
              {} 2
            eval instant at 0 topk(2, m)
              expect info msg: PromQL info: ignored histogram in topk aggregation (1:1)
              m{n="2"} 2
            eval instant at 0 sort_desc(m)
              m{n="2"} 2
            eval instant at 0 scalar(m)
              2
            """),
        Case(
            "histograms are counted by their text",
            """
            load 1m
              h{n="1"} {{count:6 sum:3 z_bucket:1 z_bucket_w:0.25 buckets:[2] n_buckets:[3]}}
              h{n="2"} {{count:6 sum:3 z_bucket:1 z_bucket_w:0.25 buckets:[2] n_buckets:[3]}}
            eval instant at 0 count_values("shape", h)
              {shape="{count:6, sum:3, [-1,-0.5):3, [-0.25,0.25]:1, (0.5,1]:2}"} 2
            """),
    ]
}
