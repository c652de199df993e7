import Actors
import Streams

/// Where alerts from outside come into a pipeline.
struct AlertEntrance: Sendable {
    /// Of the notification side that takes the alerts of the pipeline's rules as well.
    let inbox: Edge<[Alert]>
    /// The pipeline's `resolve_timeout`.
    let resolveTimeout: Duration
    let telemetry: AlertEntranceTelemetry
}

/// The metrics of one pipeline's alerts from outside.
struct AlertEntranceTelemetry: Sendable {
    let firing: Counter
    let resolved: Counter
    let invalid: Counter
    let refused: Counter

    init(_ telemetry: Telemetry, pipeline: String) {
        func taken(_ status: String) -> Counter {
            telemetry.counter(
                "tocsin_alerts_posted_total", help: "Alerts from outside that were taken, repeated ones each time.",
                labels: ["pipeline": pipeline, "status": status])
        }
        firing = taken("firing")
        resolved = taken("resolved")
        invalid = telemetry.counter(
            "tocsin_alerts_posted_invalid_total", help: "Alerts from outside that say something impossible.",
            labels: ["pipeline": pipeline])
        refused = telemetry.counter(
            "tocsin_alerts_posted_refused_total",
            help: "Alerts from outside that were sent back because too many waited already.",
            labels: ["pipeline": pipeline])
    }
}
