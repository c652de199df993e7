import Streams

/// What the Pushgateway API counts.
struct PushTelemetry: Sendable {
    let pushes: Counter
    let refused: Counter
    let expired: Counter
    let groups: Gauge

    init(_ telemetry: Telemetry) {
        pushes = telemetry.counter("tocsin_push_total", help: "Pushes to the Pushgateway API that were taken.")
        refused = telemetry.counter(
            "tocsin_push_refused_total", help: "Pushes to the Pushgateway API that were refused.")
        expired = telemetry.counter(
            "tocsin_push_groups_expired_total", help: "Pushed groups that ended because their time to live was over.")
        groups = telemetry.gauge("tocsin_push_groups", help: "Groups that the Pushgateway API holds.")
    }
}
