import Streams
import Testing

@Suite struct TelemetryTests {
    @Test func `families and series stand in the order of their names, each family's head once`() {
        let telemetry = Telemetry()
        telemetry.gauge("tocsin_b", help: "B.").set(2.5)
        telemetry.counter("tocsin_a_total", help: "A.", labels: ["x": "2"]).add()
        telemetry.counter("tocsin_a_total", help: "A.", labels: ["x": "1\n\"\\"]).add(3)
        telemetry.collect { readings in
            readings.append(.init("tocsin_c", .gauge, help: "C.", labels: ["k": "1"], value: 1))
            readings.append(.init("tocsin_c", .gauge, help: "C.", labels: ["k": "2"], value: .infinity))
        }
        #expect(
            telemetry.exposition() == """
                # HELP tocsin_a_total A.
                # TYPE tocsin_a_total counter
                tocsin_a_total{x="1\\n\\"\\\\"} 3
                tocsin_a_total{x="2"} 1
                # HELP tocsin_b B.
                # TYPE tocsin_b gauge
                tocsin_b 2.5
                # HELP tocsin_c C.
                # TYPE tocsin_c gauge
                tocsin_c{k="1"} 1
                tocsin_c{k="2"} +Inf

                """)
    }

    @Test func `a histogram counts into every bucket that holds the value`() {
        let telemetry = Telemetry()
        let histogram = telemetry.histogram("tocsin_h_seconds", help: "H.", labels: ["a": "b"], bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
        #expect(
            telemetry.exposition() == """
                # HELP tocsin_h_seconds H.
                # TYPE tocsin_h_seconds histogram
                tocsin_h_seconds_bucket{a="b", le="0.1"} 2
                tocsin_h_seconds_bucket{a="b", le="1.0"} 3
                tocsin_h_seconds_bucket{a="b", le="+Inf"} 4
                tocsin_h_seconds_sum{a="b"} 7.65
                tocsin_h_seconds_count{a="b"} 4

                """)
    }

    @Test func `a summary tells quantiles of what came last, and counts everything`() {
        let telemetry = Telemetry()
        let summary = telemetry.summary("tocsin_s_seconds", help: "S.", labels: ["a": "b"], quantiles: [0.5, 0.9])
        func lines() -> [String] {
            telemetry.exposition().split(separator: "\n").dropFirst().map { String($0) }
        }
        #expect(
            lines()[1...2] == [
                #"tocsin_s_seconds{a="b", quantile="0.5"} NaN"#, #"tocsin_s_seconds{a="b", quantile="0.9"} NaN"#,
            ])
        for value in 1...600 { summary.observe(Double(value)) }
        #expect(
            lines() == [
                "# TYPE tocsin_s_seconds summary", #"tocsin_s_seconds{a="b", quantile="0.5"} 350"#,
                #"tocsin_s_seconds{a="b", quantile="0.9"} 550"#, #"tocsin_s_seconds_sum{a="b"} 180300"#,
                #"tocsin_s_seconds_count{a="b"} 600"#,
            ])
        telemetry.remove("tocsin_s_seconds", labels: ["a": "b"])
        #expect(telemetry.exposition() == "")
    }

    @Test func `a series asked for twice is one, and one that is removed begins anew`() {
        let telemetry = Telemetry()
        telemetry.counter("tocsin_a_total", help: "A.").add()
        telemetry.counter("tocsin_a_total", help: "A.").add()
        #expect(telemetry.counter("tocsin_a_total", help: "A.").value == 2)
        telemetry.remove("tocsin_a_total", labels: LabelSet())
        #expect(telemetry.counter("tocsin_a_total", help: "A.").value == 0)
    }

    @Test func `counting from many tasks loses nothing`() async {
        let telemetry = Telemetry()
        let counter = telemetry.counter("tocsin_a_total", help: "A.")
        let histogram = telemetry.histogram("tocsin_h_seconds", help: "H.", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.add()
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 8000)
        #expect(telemetry.exposition().contains("tocsin_h_seconds_sum 4000\n"))
    }
}
