import Streams

/// What the Pushgateway API counts.
struct PushTelemetry: Sendable {
    let pushes: Counter
    let refused: Counter
    let expired: Counter
    let groups: Gauge
    private let limited: [String: Counter]

    init(_ telemetry: Telemetry) {
        pushes = telemetry.counter("tocsin_push_total", help: "Pushes to the Pushgateway API that were taken.")
        refused = telemetry.counter(
            "tocsin_push_refused_total", help: "Pushes to the Pushgateway API that were refused.")
        expired = telemetry.counter(
            "tocsin_push_groups_expired_total", help: "Pushed groups that ended because their time to live was over.")
        limited = Dictionary(
            uniqueKeysWithValues: PushGateway.ways.map { way in
                (
                    way,
                    telemetry.counter(
                        "tocsin_push_label_limit_total",
                        help: "Requests that were refused because a series had too many or too long labels.",
                        labels: ["source": way])
                )
            })
        groups = telemetry.gauge("tocsin_push_groups", help: "Groups that the Pushgateway API holds.")
    }

    func countLabelLimit(_ way: String) { limited[way]?.add() }
}
