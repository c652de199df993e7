package import Streams

/// What a rule group counts; the `prometheus_` names are those that existing dashboards look for.
struct RuleTelemetry: Sendable {
    private let evaluations: [Counter]
    private let failures: [Counter]
    private let duration: Histogram
    private let durations: Summary
    private let groupDurations: Summary
    private let iterations: [Counter]
    private let missed: [Counter]
    private let lastDuration: [Gauge]
    private let lastRuleDurations: Gauge
    private let lastEvaluation: Gauge
    private let lastSamples: Gauge
    private let expansions: Counter
    private let failedExpansions: Counter

    init(_ telemetry: Telemetry, _ settings: RuleGroupSettings, pipeline: String, interval: Duration) {
        let families = Families(telemetry, settings, pipeline: pipeline)
        evaluations = families.counters(
            "tocsin_rule_evaluations_total", "prometheus_rule_evaluations_total", "Evaluations of single rules.")
        failures = families.counters(
            "tocsin_rule_evaluation_failures_total", "prometheus_rule_evaluation_failures_total",
            "Evaluations of single rules that failed.")
        duration = telemetry.histogram(
            "tocsin_rule_evaluation_duration_seconds", help: "How long the evaluation of one rule took.",
            labels: families.own)
        durations = telemetry.summary(
            "prometheus_rule_evaluation_duration_seconds", help: "The duration for a rule to execute.",
            quantiles: [0.5, 0.9, 0.99])
        groupDurations = telemetry.summary(
            "prometheus_rule_group_duration_seconds", help: "The duration of rule group evaluations.",
            quantiles: [0.01, 0.05, 0.5, 0.9, 0.99])
        iterations = families.counters(
            "tocsin_rule_group_iterations_total", "prometheus_rule_group_iterations_total",
            "Intervals on which a group was evaluated; under Prometheus's name, missed ones are among them.")
        missed = families.counters(
            "tocsin_rule_group_iterations_missed_total", "prometheus_rule_group_iterations_missed_total",
            "Intervals that passed during a slow evaluation.")
        lastDuration = families.gauges(
            "tocsin_rule_group_last_duration_seconds", "prometheus_rule_group_last_duration_seconds",
            "How long the last interval's evaluation took.")
        lastRuleDurations = families.gauge(
            "prometheus_rule_group_last_rule_duration_sum_seconds",
            "How long the evaluations of the group's rules took together at the last interval.")
        lastEvaluation = families.gauge(
            "prometheus_rule_group_last_evaluation_timestamp_seconds", "When the group was evaluated last.")
        lastSamples = families.gauge(
            "prometheus_rule_group_last_evaluation_samples", "Samples that the group's last evaluation gave.")
        families.gauge("prometheus_rule_group_interval_seconds", "The interval of a rule group.")
            .set(interval.inSeconds)
        families.gauge("prometheus_rule_group_rules", "The number of rules.").set(Double(settings.rules.count))
        expansions = telemetry.counter(
            "prometheus_template_text_expansions_total", help: "Templates of labels and annotations that were expanded."
        )
        failedExpansions = telemetry.counter(
            "prometheus_template_text_expansion_failures_total",
            help: "Templates of labels and annotations that failed.")
    }

    /// One rule was evaluated.
    func evaluated(took elapsed: Duration, failed: Bool) {
        for counter in evaluations { counter.add() }
        duration.observe(elapsed.inSeconds)
        durations.observe(elapsed.inSeconds)
        if failed { for counter in failures { counter.add() } }
    }

    /// The group was evaluated on its interval. Prometheus counts a missed iteration as an iteration too.
    func iterated(at time: Timestamp, took elapsed: Duration, rules: Duration, samples: Int, missed count: Int) {
        iterations[0].add()
        iterations[1].add(Double(1 + count))
        for counter in missed where count > 0 { counter.add(Double(count)) }
        for gauge in lastDuration { gauge.set(elapsed.inSeconds) }
        groupDurations.observe(elapsed.inSeconds)
        lastRuleDurations.set(rules.inSeconds)
        lastEvaluation.set(time.seconds)
        lastSamples.set(Double(samples))
    }

    func expanded(failed: Bool) {
        expansions.add()
        if failed { failedExpansions.add() }
    }

    // MARK: names and labels

    /// Makes the series of one group.
    private struct Families {
        let telemetry: Telemetry
        let own: LabelSet
        let compatible: LabelSet

        init(_ telemetry: Telemetry, _ settings: RuleGroupSettings, pipeline: String) {
            self.telemetry = telemetry
            own = RuleTelemetry.ownLabels(settings, pipeline)
            compatible = RuleTelemetry.compatibleLabels(settings)
        }

        /// Under our own name, and under Prometheus's.
        func counters(_ ownName: String, _ name: String, _ help: String) -> [Counter] {
            [
                telemetry.counter(ownName, help: help, labels: own),
                telemetry.counter(name, help: help, labels: compatible),
            ]
        }

        func gauges(_ ownName: String, _ name: String, _ help: String) -> [Gauge] {
            [telemetry.gauge(ownName, help: help, labels: own), telemetry.gauge(name, help: help, labels: compatible)]
        }

        func gauge(_ name: String, _ help: String) -> Gauge {
            telemetry.gauge(name, help: help, labels: compatible)
        }
    }

    private static func ownLabels(_ settings: RuleGroupSettings, _ pipeline: String) -> LabelSet {
        ["pipeline": pipeline, "rule_group": settings.name]
    }

    private static func compatibleLabels(_ settings: RuleGroupSettings) -> LabelSet {
        ["rule_group": "\(settings.file);\(settings.name)"]
    }

    private static let ownNames = [
        "tocsin_rule_evaluations_total", "tocsin_rule_evaluation_failures_total",
        "tocsin_rule_evaluation_duration_seconds", "tocsin_rule_group_iterations_total",
        "tocsin_rule_group_iterations_missed_total", "tocsin_rule_group_last_duration_seconds",
    ]

    private static let compatibleNames = [
        "prometheus_rule_evaluations_total", "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_iterations_total", "prometheus_rule_group_iterations_missed_total",
        "prometheus_rule_group_last_duration_seconds", "prometheus_rule_group_last_rule_duration_sum_seconds",
        "prometheus_rule_group_last_evaluation_timestamp_seconds", "prometheus_rule_group_last_evaluation_samples",
        "prometheus_rule_group_interval_seconds", "prometheus_rule_group_rules",
    ]

    typealias Group = (pipeline: String, settings: RuleGroupSettings)

    /// Takes the series of groups that are gone out of the metrics, but for those that a group that stays shares.
    static func remove(_ gone: [Group], staying: [Group], from telemetry: Telemetry) {
        let ownStaying = Set(staying.map { ownLabels($0.settings, $0.pipeline) })
        let compatibleStaying = Set(staying.map { compatibleLabels($0.settings) })
        for group in gone {
            let own = ownLabels(group.settings, group.pipeline)
            if !ownStaying.contains(own) { for name in ownNames { telemetry.remove(name, labels: own) } }
            let compatible = compatibleLabels(group.settings)
            if !compatibleStaying.contains(compatible) {
                for name in compatibleNames { telemetry.remove(name, labels: compatible) }
            }
        }
    }
}

/// The metrics of rule groups that are gone.
package enum RuleGroupMetrics {
    /// Takes them out of `/metrics`; what a group that stays has in common with one that is gone remains.
    package static func remove(
        of gone: [(pipeline: String, settings: RuleGroupSettings)],
        staying: [(pipeline: String, settings: RuleGroupSettings)], from telemetry: Telemetry
    ) {
        RuleTelemetry.remove(gone, staying: staying, from: telemetry)
    }
}
