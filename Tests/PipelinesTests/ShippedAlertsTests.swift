import Actors
import Foundation
import Pipelines
import Streams
import TestKit
import Testing
import YAML

/// Every alert that ships fires when it is documented to, and not for what looks almost the same.
@Suite struct ShippedAlertsTests {
    /// A series with a sample a minute, a second before the rules are evaluated.
    struct Series: Sendable {
        var labels: LabelSet
        /// Nil: no sample in this minute.
        var value: @Sendable (_ minute: Int) -> Double?

        init(_ name: String, _ labels: LabelSet, _ value: @escaping @Sendable (Int) -> Double?) {
            self.labels = labels
            self.labels[LabelSet.metricName] = name
            self.value = value
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var alert: String
        /// When it fires, in minutes from the first evaluation that sees a sample.
        var firesAt: Int
        var bad: [Series]
        /// For this it never fires, in twice the time.
        var good: [Series]

        var testDescription: String { alert }
    }

    private static let job: LabelSet = ["job_id": "j1", "job_name": "llm"]
    private static let data: LabelSet = ["dataset": "clicks"]

    private static func metric(
        _ name: String, _ labels: LabelSet = job, _ value: @escaping @Sendable (Int) -> Double?
    ) -> Series {
        Series(name, labels, value)
    }

    private static func status(_ status: String, _ value: @escaping @Sendable (Int) -> Double? = { _ in 1 }) -> Series {
        Series("training_job_status", job.merging(["status": status]), value)
    }

    /// The tests' clock begins here.
    private static let start = ManualClock().now().seconds

    static let cases = [
        Case(
            alert: "TrainingJobFailed", firesAt: 1 + 1, bad: [status("failed") { $0 >= 1 ? 1 : 0 }],
            good: [status("failed") { _ in 0 }, status("stopped")]),
        Case(
            alert: "TrainingJobTimeout", firesAt: 2 + 5,
            bad: [
                status("running"), metric("training_job_start_time_seconds") { _ in start },
                metric("training_job_timeout_seconds") { $0 < 2 ? 3600 : 60 },
            ],
            good: [
                status("completed"), metric("training_job_start_time_seconds") { _ in start },
                metric("training_job_timeout_seconds") { $0 < 2 ? 3600 : 60 },
            ]),
        Case(
            alert: "TrainingOutOfMemory", firesAt: 2,
            bad: [
                metric("training_memory_usage_bytes") { _ in 96 }, metric("training_memory_limit_bytes") { _ in 100 },
            ],
            good: [
                metric("training_memory_usage_bytes") { _ in 95 }, metric("training_memory_limit_bytes") { _ in 100 },
            ]),
        Case(
            alert: "TrainingJobCrashed", firesAt: 3 + 1,
            bad: [metric("training_job_restarts_total") { $0 < 3 ? 0 : 1 }],
            good: [metric("training_job_restarts_total") { _ in 7 }]),
        Case(
            alert: "TrainingLossNotFinite", firesAt: 2, bad: [metric("training_loss") { $0 < 2 ? 3 : .nan }],
            good: [metric("training_loss") { _ in 1e300 }]),
        Case(
            alert: "TrainingLossNotFinite", firesAt: 2, bad: [metric("training_loss") { $0 < 2 ? 3 : -.infinity }],
            good: [metric("training_loss") { _ in -3 }]),
        // The last sample is that of minute 9; it counts for five more.
        Case(
            alert: "TrainingJobStoppedReporting", firesAt: 9 + 5 + 2, bad: [status("running") { $0 < 10 ? 1 : nil }],
            good: [
                status("running") { $0 < 9 ? 1 : $0 == 9 ? 0 : nil },
                status("completed") { $0 < 9 ? 0 : $0 == 9 ? 1 : nil },
            ]),
        Case(
            alert: "TrainingProgressSlow", firesAt: 10 + 15,
            bad: [status("running"), metric("training_progress_ratio") { 0.1 + 0.0009 * Double($0) }],
            good: [status("running"), metric("training_progress_ratio") { 0.1 + 0.0011 * Double($0) }]),
        Case(
            alert: "TrainingProgressSlow", firesAt: 10 + 15,
            bad: [status("running"), metric("training_progress_ratio") { _ in 0 }],
            good: [status("running"), metric("training_progress_ratio") { _ in 1 }]),
        Case(
            alert: "TrainingLossHigh", firesAt: 10, bad: [metric("training_loss") { _ in 10.5 }],
            good: [metric("training_loss") { _ in 10 }]),
        Case(
            alert: "TrainingLossNotDecreasing", firesAt: 30 + 30,
            bad: [status("running"), metric("training_loss") { 2 + 0.1 * Double($0 % 3) }],
            good: [status("running"), metric("training_loss") { 2 - 0.001 * Double($0) + 0.01 * Double($0 % 3) }]),
        Case(
            alert: "ValidationAccuracyStagnant", firesAt: 60 + 60,
            bad: [status("running"), metric("training_validation_accuracy") { 0.9 - 0.01 * Double($0 % 3) }],
            good: [status("running"), metric("training_validation_accuracy") { 0.5 + 0.001 * Double($0) }]),
        Case(
            alert: "HighMissingValues", firesAt: 5, bad: [metric("data_missing_values_ratio", data) { _ in 0.21 }],
            good: [metric("data_missing_values_ratio", data) { _ in 0.2 }]),
        Case(
            alert: "DataDistributionShift", firesAt: 10, bad: [metric("data_drift_score", data) { _ in 0.51 }],
            good: [metric("data_drift_score", data) { _ in 0.5 }]),
        Case(
            alert: "ImbalancedClasses", firesAt: 5, bad: [metric("data_class_imbalance_ratio", data) { _ in 11 }],
            good: [metric("data_class_imbalance_ratio", data) { _ in 10 }]),
        Case(
            alert: "NodeDown", firesAt: 2, bad: [metric("up", ["job": "node", "instance": "n1"]) { _ in 0 }],
            good: [metric("up", ["job": "training", "instance": "n1"]) { _ in 0 }]),
        Case(
            alert: "DiskAlmostFull", firesAt: 10,
            bad: [
                metric("node_filesystem_avail_bytes", ["mountpoint": "/", "fstype": "ext4"]) { _ in 9 },
                metric("node_filesystem_size_bytes", ["mountpoint": "/", "fstype": "ext4"]) { _ in 100 },
            ],
            good: [
                metric("node_filesystem_avail_bytes", ["mountpoint": "/run", "fstype": "tmpfs"]) { _ in 0 },
                metric("node_filesystem_size_bytes", ["mountpoint": "/run", "fstype": "tmpfs"]) { _ in 100 },
            ]),
        Case(
            alert: "GPUError", firesAt: 1, bad: [metric("DCGM_FI_DEV_XID_ERRORS", ["gpu": "0"]) { $0 < 1 ? 0 : 79 }],
            good: [metric("DCGM_FI_DEV_XID_ERRORS", ["gpu": "0"]) { _ in 0 }]),
        Case(
            alert: "GPUHot", firesAt: 5, bad: [metric("DCGM_FI_DEV_GPU_TEMP", ["gpu": "0"]) { _ in 86 }],
            good: [metric("DCGM_FI_DEV_GPU_TEMP", ["gpu": "0"]) { $0 % 4 < 3 ? 99 : 80 }]),
        Case(
            alert: "TocsinTargetDown", firesAt: 5, bad: [metric("up", ["job": "x"]) { _ in 0 }],
            good: [
                metric("up", ["job": "x"]) { $0 % 4 == 0 ? 1 : 0 },
                // A newcomer who has not begun the demo is not told of it.
                metric("up", ["job": "training", "instance": "127.0.0.1:9191"]) { _ in 0 },
            ]),
        Case(
            alert: "TocsinSinkFailing", firesAt: 2 + 1,
            bad: [metric("tocsin_notification_requests_failed_total", ["receiver": "r"]) { $0 < 2 ? 0 : 4 }],
            good: [metric("tocsin_notification_requests_failed_total", ["receiver": "r"]) { _ in 4 }]),
        Case(
            alert: "TocsinRuleFailing", firesAt: 2,
            bad: [metric("tocsin_rule_evaluation_failures_total", ["rule_group": "g"]) { $0 < 2 ? 0 : 1 }],
            good: [metric("tocsin_rule_evaluation_failures_total", ["rule_group": "g"]) { _ in 1 }]),
        Case(
            alert: "TocsinQueueFilling", firesAt: 5,
            bad: [
                metric("tocsin_edge_queued", ["from": "a"]) { _ in 81 },
                metric("tocsin_edge_capacity", ["from": "a"]) { _ in 100 },
            ],
            good: [
                metric("tocsin_edge_queued", ["from": "a"]) { _ in 80 },
                metric("tocsin_edge_capacity", ["from": "a"]) { _ in 100 },
            ]),
        Case(alert: "Watchdog", firesAt: 0, bad: [], good: []),
    ]

    @Test(arguments: cases) func `it fires when it is documented to, evaluated either way`(_ example: Case) async throws
    {
        let end = example.firesAt + 2
        let interval = try RuleBench(example.alert, .interval)
        let streaming = try RuleBench(example.alert, .streaming)
        let states = try interval.play(example.bad, minutes: end)
        #expect(try streaming.play(example.bad, minutes: end) == states)
        let first = try #require(interval.fired.first, "it never fired: \(states)")
        // What needs no sample fires at the first evaluation.
        let start = example.bad.isEmpty ? interval.firstEvaluation : interval.firstTick
        #expect(first == start + .seconds(60 * example.firesAt))
        // Streaming need not wait for the next evaluation to see a sample.
        let sooner = try #require(streaming.fired.first)
        #expect(sooner <= first && sooner >= first - .seconds(15))
    }

    @Test(arguments: cases.filter { !$0.good.isEmpty })
    func `it does not fire for what looks almost the same`(_ example: Case) async throws {
        for mode in EvaluationMode.allCases {
            let bench = try RuleBench(example.alert, mode)
            _ = try bench.play(example.good, minutes: 2 * example.firesAt + 5)
            #expect(bench.fired.isEmpty, "\(mode)")
        }
    }

    @Test func `every alert that ships has a case here`() throws {
        let alerts = try Shipped.plan().pipelines.flatMap(\.ruleGroups).flatMap(\.rules).filter(\.isAlert).map(\.name)
        #expect(Set(alerts) == Set(Self.cases.map(\.alert)))
    }

    @Test(arguments: [
        ("TrainingJobFailed", "critical", "ml", "ml-critical"), ("TrainingJobTimeout", "critical", "ml", "ml-critical"),
        ("TrainingOutOfMemory", "critical", "ml", "ml-critical-chat"),
        ("TrainingJobCrashed", "critical", "ml", "ml-critical"),
        ("TrainingLossNotFinite", "critical", "ml", "ml-critical"),
        ("TrainingJobStoppedReporting", "critical", "ml", "ml-critical"),
        ("TrainingProgressSlow", "warning", "ml", "ml-warnings"), ("TrainingLossHigh", "warning", "ml", "ml-warnings"),
        ("TrainingLossNotDecreasing", "warning", "ml", "ml-warnings"),
        ("ValidationAccuracyStagnant", "warning", "ml", "ml-warnings"),
        ("HighMissingValues", "warning", "data", "data-team"),
        ("DataDistributionShift", "warning", "data", "data-team"),
        ("ImbalancedClasses", "warning", "data", "data-team"),
        ("Watchdog", "none", "ops", "watchdog"), ("TocsinSinkFailing", "critical", "ops", "operations"),
    ]) func `it goes to whom it should`(_ alert: String, _ severity: String, _ team: String, _ receiver: String) throws
    {
        for pipeline in try Shipped.plan().pipelines {
            guard let rule = pipeline.ruleGroups.flatMap(\.rules).first(where: { $0.name == alert }) else { continue }
            var labels = LabelSet(rule.labels.map { Label($0.name, $0.value) })
            #expect(labels["severity"] == severity)
            #expect(labels["team"] == team)
            labels["alertname"] = alert
            let route = try #require(pipeline.routing?.route)
            #expect(RouteTree(route).match(labels).map(\.receiver) == [receiver])
        }
    }

    @Test func `every setting of the pipelines is explained in the example of an environment file`() throws {
        let example = try String(contentsOf: Shipped.root.appending(path: ".env.example"), encoding: .utf8)
        let files = try FileManager.default.contentsOfDirectory(at: Shipped.folder, includingPropertiesForKeys: nil)
        for file in files where file.pathExtension == "yml" {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: /\$\{([A-Z_]+):-([^}]*)\}/) {
                #expect(example.contains("\n#\(match.1)=\(match.2)\n"), "\(file.lastPathComponent): \(match.0)")
            }
        }
    }
}

/// The pipelines in the repository.
enum Shipped {
    static let root = URL(filePath: #filePath).appending(path: "../../..").standardized
    static let folder = root.appending(path: "pipelines")

    static func plan() throws -> Plan { try PipelineLoader(environment: Environment([:])).load([folder.path]) }
}
