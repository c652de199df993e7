import PromQL
import Testing

/// Expressions and their values as scripts, with the settings of Prometheus's defaults: names are dropped at once.
/// Figures were worked out by hand from the documentation.
@Suite struct EvaluationScriptTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let script: String

        init(_ description: String, _ script: String) {
            testDescription = description
            // A block ends with an empty line, which the cases below leave out to be short.
            self.script = script.split(separator: "\n").map { $0.hasPrefix("eval") ? "\n" + $0 : $0 }
                .joined(separator: "\n")
        }
    }

    @Test("A query gives what it should", arguments: selectors + windows + aggregations + operators + functions)
    func gives(_ example: Case) async throws {
        var player = ScriptPlayer(settings: EvaluationSettings())
        let outcomes = try await player.play(PromQLScript(example.script))
        #expect(!outcomes.isEmpty)
        for outcome in outcomes {
            #expect(outcome.verdict == .passed, "line \(outcome.line): \(outcome.query)")
        }
    }

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
    ]

    static let windows = [
        Case(
            "a window excludes its left border",
            """
            load 1m
              m 1 2 3 4 5
            eval instant at 4m count_over_time(m[2m])
              {} 2
            eval instant at 4m sum_over_time(m[2m1s])
              {} 12
            """),
        Case(
            "a steady counter rises by its slope",
            """
            load 15s
              steps_total 0+30x40
            eval instant at 5m rate(steps_total[1m])
              expect no_info
              {} 2
            eval instant at 5m increase(steps_total[1m])
              {} 120
            """),
        Case(
            "a reset counts what came after it",
            """
            load 1m
              steps_total 0 10 5 15
            eval instant at 3m resets(steps_total[5m])
              {} 1
            eval instant at 3m irate(steps_total[5m])
              {} 0.16666666666666666
            eval range from 1m to 3m step 1m increase(steps_total[2m])
              {} 10 10 15
            """),
        Case(
            "a rate of what may be no counter says so",
            """
            load 15s
              temperature 0+30x40
            eval instant at 5m rate(temperature[1m])
              expect info msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "temperature" (1:6)
              {} 2
            """),
        Case(
            "statistics over a window",
            """
            load 1m
              m 4 8 NaN 2 stale 6
            eval instant at 5m max_over_time(m[6m])
              {} 8
            eval instant at 5m min_over_time(m[6m])
              {} 2
            eval instant at 5m last_over_time(m[6m])
              m 6
            eval instant at 5m first_over_time(m[5m])
              m 8
            eval instant at 5m quantile_over_time(0.5, m[2m])
              {} 6
            eval instant at 5m stddev_over_time(m[3m])
              {} 2
            eval instant at 5m ts_of_max_over_time(m[6m])
              {} 60
            eval instant at 5m changes(m[6m])
              {} 4
            eval instant at 5m present_over_time(m[6m])
              {} 1
            eval instant at 5m absent_over_time(nothing{job="x"}[6m])
              {job="x"} 1
            """),
        Case(
            "a line through the samples tells slope and future",
            """
            load 1m
              disk_free 600-60x10
            eval instant at 5m deriv(disk_free[5m])
              {} -1
            eval instant at 5m predict_linear(disk_free[5m], 300)
              {} 0
            """),
        Case(
            "sums don't lose small terms beside large ones",
            """
            load 1m
              m 1 1e100 1 -1e100
            eval instant at 3m sum_over_time(m[5m])
              {} 2
            eval instant at 3m avg_over_time(m[5m])
              {} 0.5
            """),
        Case(
            "a subquery is evaluated at multiples of its step",
            """
            load 10s
              m 0+1x60
            eval instant at 95s sum_over_time(m[1m:20s])
              {} 18
            eval instant at 95s max_over_time(rate(m[30s])[1m:10s])
              {} 0.1
            """),
        Case(
            "anchored and smoothed windows reach to their borders",
            """
            load 1m
              steps_total 0+60x10
            eval instant at 5m30s increase(steps_total[2m] anchored)
              {} 120
            eval instant at 5m30s increase(steps_total[2m] smoothed)
              {} 120
            eval instant at 5m30s max_over_time(steps_total[2m] anchored)
              expect fail msg: anchored modifier can only be used with: changes, delta, increase, rate, resets - not with max_over_time
            """),
    ]

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

    static let operators = [
        Case(
            "comparisons filter, or answer with bool",
            """
            load 1m
              m{a="1"} 1
              m{a="2"} 2
            eval instant at 0 m > 1
              m{a="2"} 2
            eval instant at 0 1 < m
              m{a="2"} 2
            eval instant at 0 m > bool 1
              {a="1"} 0
              {a="2"} 1
            eval instant at 0 -m ^ 2
              {a="1"} -1
              {a="2"} -4
            eval instant at 0 7 % 4 + 2 * 3
              9
            eval instant at 0 1 == bool 2
              0
            """),
        Case(
            "one matches one",
            """
            load 1m
              used{gpu="0"} 6
              used{gpu="1"} 1
              total{gpu="0"} 8
              total{gpu="2"} 8
            eval instant at 0 used / total
              {gpu="0"} 0.75
            eval instant at 0 used < total
              used{gpu="0"} 6
            eval instant at 0 used / fill(4) total
              {gpu="0"} 0.75
              {gpu="1"} 0.25
              {gpu="2"} 0.5
            eval range from 0 to 2m step 1m used / total
              {gpu="0"} 0.75 0.75 0.75
            """),
        Case(
            "many match one and take its labels",
            """
            load 1m
              loss{job="a", rank="0"} 1
              loss{job="a", rank="1"} 3
              owner{job="a", team="vision"} 2
            eval instant at 0 loss * on (job) group_left (team) owner
              {job="a", rank="0", team="vision"} 2
              {job="a", rank="1", team="vision"} 6
            eval instant at 0 owner - on (job) group_right (team) loss
              {job="a", rank="0", team="vision"} 1
              {job="a", rank="1", team="vision"} -1
            eval instant at 0 loss * on (job) owner
              expect fail msg: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)
            eval instant at 0 owner * on (job) loss
              expect fail msg: found duplicate series for the match group {job="a"} on the right hand-side of the operation: [loss{job="a", rank="0"}, loss{job="a", rank="1"}];many-to-many matching not allowed: matching labels must be unique on one side
            eval instant at 0 loss * on (job) group_left (rank) owner
              expect fail msg: multiple matches for labels: grouping labels must ensure unique matches
            """),
        Case(
            "sets by labels",
            """
            load 1m
              a{x="1"} 1
              a{x="2"} 2
              b{x="2"} 3
              b{x="3"} 4
            eval instant at 0 a and b
              a{x="2"} 2
            eval instant at 0 a or b
              a{x="1"} 1
              a{x="2"} 2
              b{x="3"} 4
            eval instant at 0 a unless b
              a{x="1"} 1
            eval instant at 0 a and on () vector(1)
              a{x="1"} 1
              a{x="2"} 2
            """),
        Case(
            "two series that differ in their name only can't both lose it",
            """
            load 1m
              a{x="1"} 1
              b{x="1"} 2
            eval instant at 0 {x="1"} * 2
              expect fail msg: vector cannot contain metrics with the same labelset
            eval instant at 0 rate({x="1"}[5m])
            eval instant at 0 sum_over_time({x="1"}[5m])
              expect fail msg: vector cannot contain metrics with the same labelset
            eval range from 0 to 1m step 1m abs({x="1"})
              expect fail msg: vector cannot contain metrics with the same labelset
            """),
    ]

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
