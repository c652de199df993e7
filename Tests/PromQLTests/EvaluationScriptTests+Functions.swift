extension EvaluationScriptTests {
    static let functions = [
        Case(
            "labels are rewritten and joined",
            """
            load 1m
              m{src="gpu-7", zone="b"} 1
            eval instant at 0 label_replace(m, "index", "$1", "src", "gpu-(\\\\d+)")
              m{src="gpu-7", zone="b", index="7"} 1
            eval instant at 0 label_replace(m, "index", "$1", "src", "cpu-(\\\\d+)")
              m{src="gpu-7", zone="b"} 1
            eval instant at 0 label_join(m, "place", "/", "zone", "src")
              m{src="gpu-7", zone="b", place="b/gpu-7"} 1
            eval instant at 0 label_replace(m, "x", "", "src", "(")
              expect fail
            """),
        Case(
            "elements one by one",
            """
            load 1m
              m -1.5
            eval instant at 0 abs(m)
              {} 1.5
            eval instant at 0 ceil(m)
              {} -1
            eval instant at 0 round(m)
              {} -1
            eval instant at 0 round(m, 0.4)
              {} -1.6
            eval instant at 0 clamp(m, 0, 1)
              {} 0
            eval instant at 0 clamp(m, 1, 0)
            eval instant at 0 sgn(m)
              {} -1
            """),
        Case(
            "clock and calendar",
            """
            load 1m
              m 1709164799
            eval instant at 90s time()
              90
            eval instant at 90s minute()
              {} 1
            eval instant at 90s day_of_week()
              {} 4
            eval instant at 0 day_of_month(m)
              {} 28
            eval instant at 0 days_in_month(m)
              {} 29
            eval instant at 0 day_of_year(m)
              {} 59
            eval instant at 0 year(m)
              {} 2024
            eval instant at 90s timestamp(m)
              {} 0
            eval instant at 90s timestamp(m * 1)
              {} 90
            """),
        Case(
            "what is missing is told by the labels asked for",
            """
            load 1m
              m 1
            eval instant at 0 absent(gone{job="a", rank=~"1"})
              {job="a"} 1
            eval instant at 0 absent(m)
            eval instant at 0 scalar(m)
              1
            eval instant at 0 scalar(gone)
              NaN
            eval instant at 0 vector(3)
              {} 3
            """),
        Case(
            "an order is asked for",
            """
            load 1m
              m{host="n10"} 1
              m{host="n9"} 3
              m{host="n1"} 2
            eval instant at 0 sort(m)
              expect ordered
              m{host="n10"} 1
              m{host="n1"} 2
              m{host="n9"} 3
            eval instant at 0 sort_by_label(m, "host")
              expect ordered
              m{host="n1"} 2
              m{host="n9"} 3
              m{host="n10"} 1
            eval instant at 0 sort_by_label_desc(m, "host")
              expect ordered
              m{host="n10"} 1
              m{host="n9"} 3
              m{host="n1"} 2
            eval range from 0 to 1m step 1m sort_desc(m)
              expect warn msg: PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:1)
              m{host="n1"} 2 2
              m{host="n10"} 1 1
              m{host="n9"} 3 3
            """),
        Case(
            "quantiles of classic buckets",
            """
            load 1m
              step_seconds_bucket{le="1"} 10
              step_seconds_bucket{le="2"} 30
              step_seconds_bucket{le="+Inf"} 40
              odd_bucket{le="one"} 1
            eval instant at 0 histogram_quantile(0.5, step_seconds_bucket)
              {} 1.5
            eval instant at 0 histogram_quantile(0.99, step_seconds_bucket)
              {} 2
            eval instant at 0 histogram_fraction(0, 1.5, step_seconds_bucket)
              {} 0.5
            eval instant at 0 histogram_quantile(0.5, odd_bucket)
              expect warn msg: PromQL warning: bucket label "le" is missing or has a malformed value of "one" (1:25)
            """),
        Case(
            "counts that fall with a rising bound are lifted, and that is told",
            """
            load 1m
              h_bucket{le="1"} 10
              h_bucket{le="2"} 8
              h_bucket{le="+Inf"} 10
            eval instant at 2m histogram_quantile(0.5, h_bucket)
              expect info regex: from buckets 2 to 2, with a max diff of 2, over [12] samples from 
              {} 0.5
            """),
        Case(
            "smoothing needs factors between 0 and 1",
            """
            load 1m
              m 1 2 3 4
            eval instant at 3m double_exponential_smoothing(m[5m], 0.5, 0.5)
              {} 4
            eval instant at 3m double_exponential_smoothing(m[5m], 1, 0.5)
              expect fail msg: invalid smoothing factor. Expected: 0 < sf < 1, got: 1.000000
            """),
        Case(
            "info series lend their labels",
            """
            load 1m
              up{job="a", instance="i"} 1
              target_info{job="a", instance="i", node="n7"} 1
            eval instant at 0 info(up)
              up{job="a", instance="i", node="n7"} 1
            eval instant at 0 info(up, {node="n8"})
            """),
    ]
}
