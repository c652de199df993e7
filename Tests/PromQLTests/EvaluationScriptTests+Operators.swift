extension EvaluationScriptTests {
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
}
