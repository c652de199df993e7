extension EvaluationScriptTests {
    static let histogramOperators = [
        Case(
            "a histogram is scaled by a number, and a negative one makes a gauge of it",
            """
            load 1m
              latency {{count:6 sum:9 z_bucket:1 z_bucket_w:0.001 buckets:[2 3]}}
            eval instant at 0 latency * 2
              {} {{count:12 sum:18 z_bucket:2 z_bucket_w:0.001 buckets:[4 6]}}
            eval instant at 0 3 * latency / 2
              {} {{count:9 sum:13.5 z_bucket:1.5 z_bucket_w:0.001 buckets:[3 4.5]}}
            eval instant at 0 -latency
              {} {{count:-6 sum:-9 z_bucket:-1 z_bucket_w:0.001 counter_reset_hint:gauge buckets:[-2 -3]}}
            eval instant at 0 latency / 0
              {} {{count:Inf sum:Inf z_bucket:Inf z_bucket_w:0.001}}
            """),
        Case(
            "what means nothing for a histogram gives nothing, and says so",
            """
            load 1m
              latency {{count:1 sum:1 buckets:[1]}}
              loss 2
            eval instant at 0 latency + 1
              expect info msg: PromQL info: incompatible sample types encountered for binary operator "+": histogram + float (1:1)
            eval instant at 0 1 / latency
              expect info msg: PromQL info: incompatible sample types encountered for binary operator "/": float / histogram (1:1)
            eval instant at 0 latency > bool 1
              expect info
            eval instant at 0 latency * latency
              expect info msg: PromQL info: incompatible sample types encountered for binary operator "*": histogram * histogram (1:1)
            eval instant at 0 loss </ 1
              expect info msg: PromQL info: incompatible sample types encountered for binary operator "</": float </ float (1:1)
            eval instant at 0 {__name__=~"latency|loss"} ^ 2
              expect info
              {} 4
            """),
        Case(
            "histograms of two schemas are added in the coarser one, with the wider zero bucket",
            """
            load 1m
              a {{schema:1 count:11 sum:20 z_bucket:1 z_bucket_w:0.5 offset:1 buckets:[1 2 3 4]}}
              b {{count:7 sum:10 buckets:[2 5] offset:-1}}
            eval instant at 0 a + on() b
              {} {{count:18 sum:30 z_bucket:3 z_bucket_w:0.5 buckets:[5 3 7]}}
            eval instant at 0 a - on() a
              {} {{schema:1 z_bucket_w:0.5 counter_reset_hint:gauge}}
            """),
        Case(
            "custom buckets keep the bounds that both have",
            """
            load 1m
              a {{schema:-53 count:6 sum:9 custom_values:[1 2 5] buckets:[1 2 2 1]}}
              b {{schema:-53 count:4 sum:8 custom_values:[2 4 5] buckets:[1 1 1 1]}}
              e {{count:1 sum:1 buckets:[1]}}
            eval instant at 0 a + on() b
              expect info msg: PromQL info: mismatched custom buckets were reconciled during addition (1:1)
              {} {{schema:-53 count:10 sum:17 custom_values:[2 5] buckets:[4 4 2]}}
            eval instant at 0 a - on() e
              expect warn msg: PromQL warning: incompatible bucket layout encountered for binary operator - (1:1)
            """),
        Case(
            "two histograms are equal when all of their numbers are",
            """
            load 1m
              a{n="1"} {{count:3 sum:4 buckets:[1 2]}}
              a{n="2"} {{count:3 sum:5 buckets:[1 2]}}
              b{n="1"} {{count:3 sum:4 buckets:[1 2]}}
              b{n="2"} {{count:3 sum:4 buckets:[1 2]}}
            eval instant at 0 a == b
              a{n="1"} {{count:3 sum:4 buckets:[1 2]}}
            eval instant at 0 a != bool b
              {n="1"} 0
              {n="2"} 1
            """),
        Case(
            "trimming cuts a bucket in two",
            """
            load 1m
              c {{schema:-53 count:10 sum:30 custom_values:[2 4] buckets:[4 4 2]}}
            eval instant at 0 c </ 3
              c {{schema:-53 count:6 sum:9 custom_values:[2 4] buckets:[4 2]}}
            eval instant at 0 c >/ 4
              c {{schema:-53 count:2 sum:8 custom_values:[2 4] offset:2 buckets:[2]}}
            eval instant at 0 c </ Inf
              c {{schema:-53 count:10 sum:30 custom_values:[2 4] buckets:[4 4 2]}}
            """),
        Case(
            "set operators and labels take histograms as any value",
            """
            load 1m
              a{job="x"} {{count:1}}
              b{job="x"} 1
            eval instant at 0 a and on(job) b
              a{job="x"} {{count:1}}
            eval instant at 0 label_replace(a, "team", "$1", "job", "(.*)") or b
              a{job="x",team="x"} {{count:1}}
              b{job="x"} 1
            eval instant at 0 absent(a)
            """),
    ]
}
