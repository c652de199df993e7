extension EvaluationScriptTests {
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
}
