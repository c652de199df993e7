extension EvaluationScriptTests {
    static let aggregations = [
        Case(
            "groups by some labels and without others",
            """
            load 1m
              loss{job="a", rank="0"} 1
              loss{job="a", rank="1"} 3
              loss{job="b", rank="0"} 5
            eval instant at 0 sum by (job) (loss)
              {job="a"} 4
              {job="b"} 5
            eval instant at 0 avg without (rank) (loss)
              {job="a"} 2
              {job="b"} 5
            eval instant at 0 count(loss)
              {} 3
            eval instant at 0 stddev(loss{job="a"})
              {} 1
            eval instant at 0 quantile(0.5, loss)
              {} 3
            eval instant at 0 group(loss)
              {} 1
            eval instant at 0 max(nothing)
            """),
        Case(
            "NaN is the extreme only where there is nothing else",
            """
            load 1m
              m{a="1"} NaN
              m{a="2"} 2
            eval instant at 0 max(m)
              {} 2
            eval instant at 0 min(m{a="1"})
              {} NaN
            """),
        Case(
            "the first and the last few, best first and NaN last",
            """
            load 1m
              m{a="1"} NaN
              m{a="2"} 2
              m{a="3"} 3
              m{a="4"} 1
            eval instant at 0 topk(2, m)
              expect ordered
              m{a="3"} 3
              m{a="2"} 2
            eval instant at 0 bottomk(9, m)
              expect ordered
              m{a="4"} 1
              m{a="2"} 2
              m{a="3"} 3
              m{a="1"} NaN
            eval instant at 0 topk(0.5, m)
            eval instant at 0 topk(NaN, m)
              expect fail msg: Parameter value is NaN
            eval instant at 0 count(limitk(2, m))
              {} 2
            """),
        Case(
            "values become labels",
            """
            load 1m
              version{host="a"} 1.5
              version{host="b"} 1.5
              version{host="c"} 1e6
            eval instant at 0 count_values("v", version)
              {v="1.5"} 2
              {v="1000000"} 1
            """),
        Case(
            "a quantile out of bounds warns",
            """
            load 1m
              m 1
            eval instant at 0 quantile(1.5, m)
              expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:10)
              {} +Inf
            """),
    ]
}
