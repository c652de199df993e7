import Streams

/// What a rule group counts; the `prometheus_` names are those that existing dashboards look for.
struct RuleTelemetry: Sendable {
    let evaluations: Counter
    let failures: Counter
    let duration: Histogram
    let iterations: [Counter]
    let missed: [Counter]
    let lastDuration: [Gauge]

    init(_ telemetry: Telemetry, pipeline: String, group: String, file: String) {
        let labels: LabelSet = ["pipeline": pipeline, "rule_group": group]
        let compatible: LabelSet = ["rule_group": "\(file);\(group)"]
        evaluations = telemetry.counter(
            "tocsin_rule_evaluations_total", help: "Evaluations of single rules.", labels: labels)
        failures = telemetry.counter(
            "tocsin_rule_evaluation_failures_total", help: "Evaluations of single rules that failed.", labels: labels)
        duration = telemetry.histogram(
            "tocsin_rule_evaluation_duration_seconds", help: "How long the evaluation of one rule took.",
            labels: labels)
        iterations = [
            telemetry.counter(
                "tocsin_rule_group_iterations_total", help: "Intervals on which a group was evaluated.", labels: labels),
            telemetry.counter(
                "prometheus_rule_group_iterations_total",
                help: "The total number of scheduled rule group evaluations, executed or missed.", labels: compatible),
        ]
        missed = [
            telemetry.counter(
                "tocsin_rule_group_iterations_missed_total", help: "Intervals that passed during a slow evaluation.",
                labels: labels),
            telemetry.counter(
                "prometheus_rule_group_iterations_missed_total",
                help: "The total number of rule group evaluations missed due to slow rule group evaluation.",
                labels: compatible),
        ]
        lastDuration = [
            telemetry.gauge(
                "tocsin_rule_group_last_duration_seconds", help: "How long the last interval's evaluation took.",
                labels: labels),
            telemetry.gauge(
                "prometheus_rule_group_last_duration_seconds",
                help: "The duration of the last rule group evaluation.", labels: compatible),
        ]
    }

    /// Prometheus counts a missed iteration as an iteration too.
    func iterated(took duration: Duration, missed count: Int) {
        iterations[0].add(1)
        iterations[1].add(Double(1 + count))
        for counter in missed where count > 0 { counter.add(Double(count)) }
        for gauge in lastDuration { gauge.set(duration.inSeconds) }
    }
}
